# Replicas find back: after purges, a restored database, a standby that was promoted; rights that come and go.
load helper

PGBIN=$(pg_config --bindir 2>/dev/null || echo /usr/lib/postgresql/15/bin)
[ -x "$PGBIN/pg_ctl" ] || PGBIN=/usr/lib/postgresql/15/bin

setup_file() {
	server_start
	two_territories
	as admin territory create --slug est --name "Est" --region "Hauts-de-France" --insee-code=59001 >/dev/null
	enroll one facilitator nord,sud,est
	enroll two facilitator nord,sud,est
	as one sync --territory nord
	as two sync --territory nord
}

teardown_file() {
	server_stop
}

add() { # ACCOUNT NAME [FLAG...]
	local who=$1 name=$2
	shift 2
	as "$who" actor add --territory nord --name "$name" --category company "$@" >/dev/null
}

names() { # ACCOUNT [FLAG...]
	local who=$1
	shift
	as "$who" actor list --territory nord --limit 100000 --format jsonl "$@" | jq -r .name | sort
}

report() { # ACCOUNT COLUMN: of a synchronisation of nord
	as "$1" sync --territory nord --format jsonl | jq -r "select(.territory == \"nord\") | .$2"
}

# What the server holds, what the replica shows, and what another one shows are the same, each name once.
all_agree() {
	names one --server >"$E2E/server.names"
	equal "" "$(uniq -d "$E2E/server.names")" "twice"
	equal "$(cat "$E2E/server.names")" "$(names one --offline)" "the replica of one"
	equal "$(cat "$E2E/server.names")" "$(names two --offline)" "the replica of two"
}

# The data folder as it is on disk: a base backup, taken while nothing runs.
backup() {
	daemon_end TERM
	rm -rf "$E2E/backup"
	cp -a "$E2E/server/postgres" "$E2E/backup"
	daemon_start "$@"
}

put_back() {
	daemon_end TERM
	rm -rf "$E2E/server/postgres"
	cp -a "$E2E/backup" "$E2E/server/postgres"
}

@test "a client that was away longer than deletions are kept verifies itself" {
	for n in 1 2 3 4 5 6; do add one "Reste $n"; done
	add one "Part"
	as two sync
	ref=$(ref_of one actor nord '.name == "Part"')
	as one actor delete "$ref" --territory nord --reason "fermée"
	add two "En attente" --offline
	daemon_end TERM
	daemon_start --tombstone-age 1ms --purge-interval 100ms
	for ((i = 0; i < 600; i++)); do
		[ "$(sql 'SELECT count(*) FROM record WHERE deleted')" = 0 ] && break
		sleep 0.1
	done
	equal 0 "$(sql 'SELECT count(*) FROM record WHERE deleted')" "tombstones"
	as two sync --format jsonl >"$E2E/report"
	[ "$(jq -r .verified "$E2E/report")" -ge 7 ]
	# The manifest's records are not loaded again: what comes is what changed.
	[ "$(jq -r .pulled "$E2E/report")" -le 2 ]
	equal 1 "$(jq -r .pushed "$E2E/report")" "what waited was sent"
	as one sync
	all_agree
	daemon_end TERM
	daemon_start
}

@test "after a restore, what the database has lost is offered again, and nothing twice" {
	add one "Avant 1"
	add two "Avant 2"
	as one sync
	as two sync
	backup
	for n in 1 2 3; do add one "Perdu $n"; done
	add two "Perdu 4"
	ref=$(ref_of one actor nord '.name == "Avant 1"')
	as one actor edit "$ref" --territory nord --add-tag perdu >/dev/null
	as one sync
	as two sync
	add one "Hors ligne" --offline
	before=$(names one --server)
	put_back
	expect 0 'replicas will verify' "$SEVED" renew-epoch --embedded "$E2E/server"
	daemon_start
	expect 1 'goes? on with the old epoch|would go on' "$SEVED" renew-epoch --embedded "$E2E/server"
	equal 0 "$(names one --server | grep -c Perdu || true)" "the restored database lacks them"
	as one sync --format jsonl >"$E2E/report"
	equal 4 "$(jq -r .again "$E2E/report")" "offered again by one"
	equal 5 "$(jq -r .pushed "$E2E/report")" "with what waited"
	equal 1 "$(report two again)" "offered again by two"
	as one sync
	all_agree
	equal "$(printf '%s\nHors ligne\n' "$before" | sort)" "$(names one --server)"
	as one actor show "$ref" --territory nord --offline --format json | grep -q perdu
	equal 0 "$(as one outbox list --format jsonl | wc -l)" "outbox of one"
	equal 0 "$(report one again)" "once only"
}

@test "after a restore, an edit that others have changed since does not go over theirs" {
	add one "Disputé"
	ref=$(ref_of one actor nord '.name == "Disputé"')
	as one sync
	as two sync
	backup
	# Seen by one in a history that will be lost: there the record's rev is greater than those of the edits to come.
	for n in 1 2 3 4; do add one "Lest $n"; done
	as two actor edit "$ref" --territory nord --add-tag vu >/dev/null
	as one sync
	as one actor edit "$ref" --territory nord --siren 542051180 --offline
	put_back
	"$SEVED" renew-epoch --embedded "$E2E/server" >/dev/null
	daemon_start
	as two sync
	as two actor edit "$ref" --territory nord --siren 775665019 >/dev/null
	as one sync || [ $? -eq 3 ]
	equal 775665019 "$(as two actor show "$ref" --territory nord --server --format json | jq -r '(.items[0]? // .) | .siren')"
	as one sync
	equal '["542051180","775665019"]' "$(as one conflict list --format jsonl | jq -c "select(.record_ref == \"$ref\") |
		.fields[] | select(.field == \"siren\") | [.mine, .theirs]")"
	for mid in $(as one outbox list --format jsonl | jq -r .mid); do as one outbox drop --territory nord "$mid"; done
	as two sync
	all_agree
}

@test "a standby that lagged is promoted: clients notice, and nothing acknowledged is lost" {
	add one "Sûr"
	as one sync
	as two sync
	backup
	for n in 1 2 3 4; do add two "Retard $n"; done
	as two sync
	as one sync
	put_back
	owner=$(stat -c %U "$E2E/server/postgres")
	install -o "$owner" -m 600 /dev/null "$E2E/server/postgres/standby.signal"
	install -d -o "$owner" -m 700 "$E2E/promote"
	run_as() { if [ "$(id -un)" = "$owner" ]; then "$@"; else setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups "$@"; fi; }
	cd "$E2E/promote"
	run_as "$PGBIN/pg_ctl" -D "$E2E/server/postgres" -w -o "-k $E2E/promote -h ''" -l "$E2E/promote/log" start 3>&- 4>&-
	run_as "$PGBIN/pg_ctl" -D "$E2E/server/postgres" -w promote 3>&- 4>&-
	run_as "$PGBIN/pg_ctl" -D "$E2E/server/postgres" -w -m fast stop 3>&- 4>&-
	cd - >/dev/null
	daemon_start
	equal 0 "$(report one again)" "one had written nothing since"
	equal 4 "$(report two again)" "offered again by two"
	as one sync
	all_agree
	equal 4 "$(names one --server | grep -c Retard)"
}

@test "until clean: goes on until the server is back and nothing waits; says so when time is up" {
	add one "Patience" --offline
	daemon_end TERM
	expect 8 '' as one sync --until-clean --timeout 1s
	as one sync --until-clean --timeout 5m --format jsonl >"$E2E/report" 2>/dev/null 3>&- &
	client=$!
	sleep 1
	daemon_start
	wait "$client"
	equal ok "$(tail -n 1 "$E2E/report" | jq -r .state)"
	equal 0 "$(as one outbox list --format jsonl | wc -l)"
	names one --server | grep -qx Patience
}

@test "T13: of three territories the second is taken away: the others go on, exit status 3" {
	as one sync --territory sud,est
	for t in nord sud est; do
		as one actor add --territory $t --name "Attend $t" --category company --offline >/dev/null
	done
	sql "DELETE FROM account_grant g USING account a, territory_head h WHERE a.account_id = g.account_id AND a.name = 'one'
		AND h.territory_id = g.territory_id AND h.slug = 'sud'"
	rc=0
	as one sync --format jsonl >"$E2E/report" 2>"$E2E/said" || rc=$?
	equal 3 "$rc" "exit status"
	equal ok "$(jq -r 'select(.territory == "nord") | .state' "$E2E/report")"
	equal ok "$(jq -r 'select(.territory == "est") | .state' "$E2E/report")"
	equal TERRITORY_REVOKED "$(jq -r 'select(.territory == "sud") | .state' "$E2E/report")"
	expect 5 '' as one actor list --territory sud --offline
	as one outbox list --format jsonl >"$E2E/outbox"
	equal 1 "$(wc -l <"$E2E/outbox")" "only what waited in the second is left"
	equal "rejected TERRITORY_REVOKED" "$(jq -r '.state + " " + .code' "$E2E/outbox")"
	# It can be taken elsewhere: with its values.
	jq -r .values "$E2E/outbox" | grep -q 'Attend sud'
	as one outbox drop "$(jq -r .mid "$E2E/outbox")"
	expect 0 '' as one sync
	names one --server | grep -qx 'Attend nord'
}

@test "a right that comes back brings the territory at the next synchronisation" {
	sql "INSERT INTO account_grant (account_id, role, territory_id) SELECT a.account_id, 3, h.territory_id
		FROM account a, territory_head h WHERE a.name = 'one' AND h.slug = 'sud'"
	expect 0 '' as one sync --territory sud
	expect 0 '' as one actor list --territory sud --offline
}

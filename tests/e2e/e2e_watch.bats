# seve watch: what others change is told as it happens, with a replica and without, over losses of the server.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord,sud
	enroll coordinator coordinator nord,sud
	enroll laptop facilitator nord
	as facilitator action add "Presse partagée" --territory nord --status idea
	quietly as laptop sync --territory nord
}

teardown_file() {
	local pid
	for pid in $(cat "$E2E"/*.watch 2>/dev/null); do
		kill "$pid" 2>/dev/null || true
	done
	server_stop
}

# start ACCOUNT NAME ARGUMENT...: watches in the background; lines go to $E2E/NAME, remarks to $E2E/NAME.err.
start() {
	local account=$1 name=$2
	shift 2
	env XDG_CONFIG_HOME="$E2E/$account/config" XDG_DATA_HOME="$E2E/$account/data" "$SEVE" watch --format jsonl "$@" \
		>"$E2E/$name" 2>"$E2E/$name.err" </dev/null 3>&- 4>&- &
	echo $! >"$E2E/$name.watch"
}

# seen FILE PATTERN: within twenty seconds.
seen() {
	local tries
	for ((tries = 0; tries < 400; tries++)); do
		grep -Eq -- "$2" "$E2E/$1" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "not within 20 s: $2 in $1" >&2
	cat "$E2E/$1" "$E2E/$1.err" >&2
	return 1
}

# finish NAME SIGNAL WANTED: ends it, and checks its exit status.
finish() {
	local got=0
	kill -"$2" "$(cat "$E2E/$1.watch")"
	wait "$(cat "$E2E/$1.watch")" || got=$?
	rm "$E2E/$1.watch"
	equal "$3" "$got" "exit status of $1"
}

@test "without a replica: what changes from now on, who did it, until interrupted (130)" {
	start coordinator live --territory nord,sud
	seen live.err 'nord: in step'
	seen live.err 'sud: in step'
	as facilitator actor add "Laiterie" --territory nord --category company
	as facilitator action edit P-1 --territory nord --title "Presse partagée à balles"
	as facilitator actor add "Verrerie" --territory sud --category company
	seen live 'Verrerie|"sud"'
	equal "created actor A-1 nord facilitator" \
		"$(head -n 1 "$E2E/live" | jq -r '[.op, .kind, .ref, .territory, .by] | join(" ")')"
	equal "edited P-1" "$(sed -n 2p "$E2E/live" | jq -r '[.op, .ref] | join(" ")')"
	equal 3 "$(wc -l <"$E2E/live")"
	finish live INT 130
}

@test "with a replica: the change itself is told, and the replica is kept in step" {
	start laptop replica --territory nord
	seen replica.err 'nord: in step'
	as facilitator action edit P-1 --territory nord --status lead
	seen replica 'status: idea -> lead'
	equal "lead" "$(as laptop action show P-1 --territory nord --offline --format json | jq -r '(.items[0]? // .) | .status')"
	as facilitator actor delete A-1 --territory nord
	seen replica '"deleted"'
	finish replica TERM 130
	as facilitator actor list --territory nord --server --format jsonl >"$E2E/theirs"
	as laptop actor list --territory nord --offline --format jsonl >"$E2E/mine"
	equal "$(cat "$E2E/theirs")" "$(cat "$E2E/mine")"
}

@test "what changed while nobody watched comes first; --once ends there, --limit after so many" {
	as facilitator actor add "Scierie" --territory nord --category company
	as facilitator actor add "Tuilerie" --territory nord --category company
	equal 1 "$(as laptop watch --territory nord --limit 1 --format jsonl 2>/dev/null | wc -l)"
	run as laptop watch --territory nord --once --format jsonl --quiet
	[ "$status" -eq 0 ]
	run as laptop watch --territory nord --once --format jsonl --quiet
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	equal "$(as facilitator actor list --territory nord --server --format jsonl)" \
		"$(as laptop actor list --territory nord --offline --format jsonl)"
}

@test "a table is a line for people as soon as it happens" {
	as facilitator actor add "Brasserie" --territory nord --category company
	expect 0 'nord/A-[0-9]+ +actor created +Brasserie +facilitator' as laptop watch --territory nord --once
}

@test "a synchronisation and an edit beside the watch: both go on" {
	start laptop beside --territory nord
	seen beside.err 'nord: in step'
	quietly as laptop sync
	quietly as laptop actor add "Fonderie" --territory nord --category company
	seen beside 'Fonderie|"created"'
	as facilitator actor add "Papeterie" --territory nord --category company
	seen beside '"by":"facilitator"'
	quietly as laptop sync
	finish beside INT 130
	equal "$(as facilitator actor list --territory nord --server --format jsonl)" \
		"$(as laptop actor list --territory nord --offline --format jsonl)"
}

@test "the server is killed and comes back: the watch goes on from its cursor" {
	start laptop killed --territory nord
	start coordinator killed2 --territory nord
	seen killed.err 'nord: in step'
	seen killed2.err 'nord: in step'
	daemon_end KILL
	seen killed.err 'connection lost'
	seen killed2.err 'connection lost'
	daemon_start
	as facilitator actor add "Verger" --territory nord --category farm
	seen killed 'A-[0-9]+.*"created"'
	seen killed2 'A-[0-9]+.*"created"'
	equal 1 "$(grep -c '"created"' "$E2E/killed")"
	finish killed INT 130
	finish killed2 INT 130
}

@test "the server stops politely: the same" {
	start laptop drained --territory nord
	seen drained.err 'nord: in step'
	daemon_end TERM
	daemon_start
	as facilitator actor add "Minoterie" --territory nord --category company
	seen drained '"created"'
	finish drained INT 130
}

@test "started without a server it says so, and begins when there is one" {
	daemon_end TERM
	expect 8 '.' as laptop watch --territory nord --once
	start laptop early --territory nord
	seen early.err 'not connected'
	daemon_start
	seen early.err 'nord: in step'
	finish early INT 130
}

@test "rights that go end the watch, and the replica is gone" {
	start laptop revoked --territory nord
	seen revoked.err 'nord: in step'
	sql "DELETE FROM account_grant g USING account a WHERE a.account_id = g.account_id AND a.name = 'laptop'; NOTIFY access, '*'"
	seen revoked.err 'not among yours'
	wait "$(cat "$E2E/revoked.watch")" && status=0 || status=$?
	rm "$E2E/revoked.watch"
	equal 5 "$status"
	equal 0 "$(as laptop status --format jsonl 2>/dev/null | wc -l)"
}

@test "what makes no sense is refused" {
	expect 2 'offline' as coordinator watch --offline
	expect 2 '.' as coordinator watch --limit 0
	expect 5 '.' as coordinator watch --territory nowhere
}

# Two daemons, a primary and a hot standby: pulls of the second come from the standby; the primary goes, the standby is promoted
# without the last commits, and every client ends equal to it, with nothing lost that was acknowledged.
load helper

PGBIN=$(pg_config --bindir 2>/dev/null || echo /usr/lib/postgresql/15/bin)
[ -x "$PGBIN/pg_ctl" ] || PGBIN=/usr/lib/postgresql/15/bin

setup_file() {
	server_start
	two_territories
	enroll one facilitator nord
	enroll two facilitator nord
	standby_start
	second_start
	there two
}

teardown_file() {
	kill "$(cat "$E2E/pid1" 2>/dev/null)" 2>/dev/null || true
	kill "$(cat "$E2E/pid2")" 2>/dev/null || true
	kill -INT "$(head -n 1 "$E2E/standby/postmaster.pid")" 2>/dev/null || true
	server_stop
}

# ---- the standby ----------------------------------------------------------------------------------------

primary_socket() {
	cat "$E2E/server/run.path" 2>/dev/null || echo "$E2E/server/run"
}

# As the account that owns the cluster.
owning() {
	local owner
	owner=$(stat -c %U "$E2E/server/postgres")
	if [[ $owner == "$(id -un)" ]]; then "$@"; else runuser -u "$owner" -- "$@"; fi
}

standby_start() {
	local owner tries
	owner=$(stat -c %U "$E2E/server/postgres")
	install -d -o "$owner" -m 700 "$E2E/standby" "$E2E/run2"
	(cd / && owning "$PGBIN/pg_basebackup" -h "$(primary_socket)" -U postgres -D "$E2E/standby" -R -X stream -c fast --no-sync)
	(cd / && owning "$PGBIN/postgres" -D "$E2E/standby" -k "$E2E/run2" -h '') >>"$E2E/standby.log" 2>&1 </dev/null 3>&- 4>&- &
	for ((tries = 0; tries < 600; tries++)); do
		standby_sql 'SELECT 1' >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	tail "$E2E/standby.log" >&2
	return 1
}

standby_sql() {
	psql -X -q -A -t -h "$E2E/run2" -U postgres -d seve -v ON_ERROR_STOP=1 -c "$1"
}

# until STATEMENT VALUE: the standby says so.
standby_says() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		[[ $(standby_sql "$1") == "$2" ]] && return 0
		sleep 0.05
	done
	echo "the standby does not say $2: $1" >&2
	return 1
}

catch_up() {
	standby_says "SELECT pg_last_wal_replay_lsn() >= '$(sql 'SELECT pg_current_wal_flush_lsn()')'" t
}

# ---- the daemons ----------------------------------------------------------------------------------------

# over NUMBER PORT CONNINFO [FLAG...]: a daemon over a database that is there.
over() {
	local number=$1 port=$2 conninfo=$3 tls=$E2E/server/tls tries
	shift 3
	rm -f "$E2E/port$number"
	"$SEVED" --database "$conninfo" --listen-port "$port" --port-file "$E2E/port$number" --poll-interval 1h "$@" \
		--tls-cert "$tls/server.pem" --tls-key "$tls/server.key" --tls-ca "$tls/ca.pem" \
		>>"$E2E/seved$number.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$E2E/pid$number"
	for ((tries = 0; tries < 600; tries++)); do
		[[ -s $E2E/port$number ]] && return 0
		sleep 0.05
	done
	tail "$E2E/seved$number.log" >&2
	return 1
}

# Either of the two that takes writes is its primary.
second_start() {
	over 2 0 "host='$(primary_socket),$E2E/run2' user=seve dbname=seve target_session_attrs=read-write" \
		--replica-database "host='$E2E/run2' user=seve dbname=seve" --replica-wait 300ms
	seen seved2.log 'pg_up.*link=replica-1'
}

# there ACCOUNT: from now on that account's profile names the second daemon.
there() {
	find "$E2E/$1/config" -type f -exec sed -i "s/localhost:$(port)/localhost:$(cat "$E2E/port2")/" {} +
}

seen() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		grep -Eq -- "$2" "$E2E/$1" && return 0
		sleep 0.05
	done
	echo "not within 30 s: $2 in $1" >&2
	tail -n 20 "$E2E/$1" >&2
	return 1
}

# counter NAME: of the second daemon, now.
counter() {
	local before tries
	before=$(grep -c ' state ' "$E2E/seved2.log" || true)
	kill -USR1 "$(cat "$E2E/pid2")"
	for ((tries = 0; tries < 200; tries++)); do
		[[ $(grep -c ' state ' "$E2E/seved2.log") -gt $before ]] && break
		sleep 0.05
	done
	grep ' state ' "$E2E/seved2.log" | tail -n 1 | grep -o "$1[^0-9]*[0-9]*" | grep -o '[0-9]*$'
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

# soon COMMAND...: succeeds within a minute; each failure on the way must be of the kind that says "again" (status 8).
soon() {
	local tries rc
	for ((tries = 0; tries < 120; tries++)); do
		rc=0
		"$@" >"$E2E/soon.out" 2>"$E2E/soon.err" || rc=$?
		((rc == 0)) && return 0
		if ((rc != 8)); then
			cat "$E2E/soon.out" "$E2E/soon.err" >&2
			return 1
		fi
		sleep 0.5
	done
	echo "not within a minute: $*" >&2
	return 1
}

# ---- tests ----------------------------------------------------------------------------------------------

@test "a load through the second daemon comes from the standby" {
	for n in 1 2 3; do add one "Avant $n"; done
	catch_up
	quietly as two sync --territory nord
	equal "$(names one --server)" "$(names two --offline)"
	[ "$(counter pages_standby)" -ge 1 ]
	equal 0 "$(counter pages_primary)" "read from the primary"
}

@test "what was acknowledged by one daemon is pulled through the other at once, whatever the standby lags" {
	catch_up
	standby_sql 'SELECT pg_wal_replay_pause()' >/dev/null
	for ((i = 0; i < 5; i++)); do add one "Pause $i"; done
	standby_says 'SELECT pg_get_wal_replay_pause_state()' paused
	add one "Invisible là-bas"
	quietly as two sync --territory nord
	equal "$(names one --server)" "$(names two --offline)"
	names two --offline | grep -qx 'Invisible là-bas'
	[ "$(counter replica_missed)" -ge 1 ]
	standby_sql 'SELECT pg_wal_replay_resume()' >/dev/null
	seen seved2.log 'replica_fit'
}

@test "the primary goes: nobody is told to be up to date" {
	quietly as one sync --territory nord
	quietly as two sync --territory nord
	catch_up
	# The standby gets nothing any more: what is acknowledged now will be lost.
	standby_sql "ALTER SYSTEM SET primary_conninfo = ''"
	standby_sql 'SELECT pg_reload_conf()' >/dev/null
	standby_says 'SELECT count(*) FROM pg_stat_wal_receiver' 0
	for n in 1 2; do add one "Perdu $n"; done
	add two "Perdu 3"
	quietly as one sync --territory nord
	quietly as two sync --territory nord
	names one --server >"$E2E/acknowledged"
	add one "Hors ligne" --offline
	daemon_end TERM
	expect 8 '' as two sync --territory nord
	equal "$(cat "$E2E/acknowledged")" "$(names two --offline)"
}

@test "the standby is promoted: clients of both daemons notice, offer again what it lacks, and converge" {
	equal t "$(standby_sql 'SELECT pg_promote()')"
	equal 0 "$(standby_sql "SELECT count(*) FROM actor WHERE name LIKE 'Perdu%'")" "the new primary lacks them"
	# The first daemon is started over it; the second has found it by itself.
	over 1 "$(port)" "host='$E2E/run2' user=seve dbname=seve"
	seen seved2.log 'epoch_changed'
	soon as two sync --territory nord --format jsonl
	equal 1 "$(jq -r .again "$E2E/soon.out")" "offered again by two"
	soon as one sync --territory nord --format jsonl
	equal 2 "$(jq -r .again "$E2E/soon.out")" "offered again by one"
	equal 3 "$(jq -r .pushed "$E2E/soon.out")" "with what waited"
	quietly as two sync --territory nord
	quietly as one sync --territory nord
	names one --server >"$E2E/now"
	equal "$(printf '%s\nHors ligne\n' "$(cat "$E2E/acknowledged")" | sort)" "$(cat "$E2E/now")"
	equal "$(cat "$E2E/now")" "$(names one --offline)"
	equal "$(cat "$E2E/now")" "$(names two --offline)"
	for who in one two; do equal 0 "$(as $who outbox list --format jsonl | wc -l)" "outbox of $who"; done
	if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$E2E"/seved[12].log; then return 1; fi
}

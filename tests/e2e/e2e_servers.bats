# Two daemons over one PostgreSQL: what one commits the other tells, rights reach both, and either may go.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll reader facilitator nord
	second_start
	quietly as reader sync --territory nord
}

teardown_file() {
	local name
	for name in "$E2E"/*.watch; do
		if [[ -s $name ]]; then
			kill "$(cat "$name")" 2>/dev/null || true
		fi
	done
	second_end TERM
	server_stop
}

# The second daemon, on the first one's PostgreSQL; accounts reach it by `there`.
second_start() {
	local socket tries tls=$E2E/server/tls
	socket=$(cat "$E2E/server/run.path" 2>/dev/null || echo "$E2E/server/run")
	rm -f "$E2E/port2"
	"$SEVED" --database "host='$socket' user=seve dbname=seve" --listen-port "$(cat "$E2E/port2.kept" 2>/dev/null || echo 0)" \
		--port-file "$E2E/port2" --poll-interval 1h \
		--tls-cert "$tls/server.pem" --tls-key "$tls/server.key" --tls-ca "$tls/ca.pem" \
		>>"$E2E/seved.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$E2E/pid2"
	for ((tries = 0; tries < 600; tries++)); do
		[[ -s $E2E/port2 ]] && break
		sleep 0.05
	done
	cp "$E2E/port2" "$E2E/port2.kept"
}

second_end() {
	local tries
	kill -"$1" "$(cat "$E2E/pid2")" 2>/dev/null || return 0
	for ((tries = 0; tries < 600; tries++)); do
		kill -0 "$(cat "$E2E/pid2")" 2>/dev/null || return 0
		sleep 0.05
	done
}

# there ACCOUNT: from now on that account's profile names the second daemon.
there() {
	find "$E2E/$1/config" -type f -exec sed -i "s/localhost:$(port)/localhost:$(cat "$E2E/port2")/" {} +
}

# start ACCOUNT NAME: watches in the background.
start() {
	env XDG_CONFIG_HOME="$E2E/$1/config" XDG_DATA_HOME="$E2E/$1/data" "$SEVE" watch --format jsonl --territory nord \
		>"$E2E/$2" 2>"$E2E/$2.err" </dev/null 3>&- 4>&- &
	echo $! >"$E2E/$2.watch"
}

seen() {
	local tries
	for ((tries = 0; tries < 400; tries++)); do
		grep -Eq -- "$2" "$E2E/$1" 2>/dev/null && return 0
		sleep 0.05
	done
	echo "not within 20 s: $2 in $1" >&2
	cat "$E2E/$1" >&2
	return 1
}

same() {
	equal "$(as facilitator actor list --territory nord --server --format jsonl)" \
		"$(as reader actor list --territory nord --offline --format jsonl)"
}

@test "a change through one daemon arrives at a watcher of the other, whose poll is an hour away" {
	there reader
	start reader first
	seen first.err 'in step'
	as facilitator actor add "Laiterie" --territory nord --category company
	seen first '"A-1"'
	same
}

@test "PostgreSQL cuts every connection of both: the watcher goes on, nothing is missed" {
	sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
	for ((tries = 0; tries < 60; tries++)); do
		as facilitator actor add "Scierie" --territory nord --category company && break
		sleep 0.5
	done
	seen first '"A-2"'
	same
}

@test "the watcher's daemon is killed and started again: it goes on from its cursor" {
	second_end KILL
	seen first.err 'connection lost'
	as facilitator actor add "Verrerie" --territory nord --category company
	second_start
	seen first '"A-3"'
	equal 1 "$(grep -c '"A-3"' "$E2E/first")"
	same
}

@test "a token revoked at one daemon ends the watch at the other" {
	kill "$(cat "$E2E/first.watch")"
	rm "$E2E/first.watch"
	start reader last
	seen last.err 'in step'
	token=$(as admin token list --account reader --format jsonl | jq -r '.public_id' | head -n 1)
	as admin token revoke "$token"
	wait "$(cat "$E2E/last.watch")" && status=0 || status=$?
	rm "$E2E/last.watch"
	equal 4 "$status"
}

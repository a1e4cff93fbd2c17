# PostgreSQL goes away and comes back; the daemon is stopped and killed.  Nothing acknowledged is lost.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
}

teardown_file() {
	server_stop
}

add() { # NAME
	as facilitator actor add --territory nord --name "$1" --category company
}

# soon COMMAND...: succeeds within a minute; each failure on the way must be of the kind that says "again" (status 8).
soon() {
	local tries rc
	for ((tries = 0; tries < 120; tries++)); do
		rc=0
		"$@" >"$E2E/soon.out" 2>&1 || rc=$?
		((rc == 0)) && return 0
		if ((rc != 8)); then
			cat "$E2E/soon.out" >&2
			return 1
		fi
		sleep 0.5
	done
	echo "not within a minute: $*" >&2
	return 1
}

@test "all backends terminated: clients see 'again', and service resumes by itself" {
	add "Avant"
	sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
	soon as facilitator actor list --territory nord --server
	soon add "Après"
	expect 0 'Avant' as facilitator actor list --territory nord --server --format csv
	expect 0 'Après' as facilitator actor list --territory nord --server --format csv
}

@test "a backend killed hard takes the others down, and service resumes by itself" {
	kill -9 "$(sql "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' LIMIT 1")"
	soon as facilitator actor list --territory nord --server
	soon add "Encore"
	expect 0 'Avant' as facilitator actor list --territory nord --server --format csv
}

@test "a broken folder of settings is refused before anything starts" {
	printf 'listen-prot = 1\n' >"$E2E/bad.conf"
	expect 78 'listen-port' "$SEVED" --config "$E2E/bad.conf" --check-config
	expect 78 'bad.conf:1|line 1' "$SEVED" --config "$E2E/bad.conf" --check-config
	printf 'listen-port = 7433\nembedded = %s\n' "$E2E/other" >"$E2E/good.conf"
	expect 0 '' "$SEVED" --config "$E2E/good.conf" --check-config
}

@test "SIGHUP keeps serving" {
	kill -HUP "$(daemon_pid)"
	expect 0 'Avant' as facilitator actor list --territory nord --server --format csv
}

@test "killed with -9 and started again, the daemon has what it acknowledged" {
	add "Durable"
	daemon_end KILL
	daemon_start
	expect 0 'Durable' as facilitator actor list --territory nord --server --format csv
}

@test "stopped politely, the daemon leaves no process behind" {
	daemon_end TERM
	run pgrep -f "$E2E/server/postgres"
	[ "$status" -ne 0 ]
	expect 8 '' as facilitator actor list --territory nord --server
	daemon_start
	expect 0 'Durable' as facilitator actor list --territory nord --server --format csv
}

# A standby that had not got the last commits is promoted: a watch notices the other history, and its replica ends equal to it.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll reader facilitator nord
	as facilitator actor add "Laiterie" --territory nord --category company
	quietly as reader sync --territory nord
}

teardown_file() {
	if [[ -s $E2E/watch ]]; then kill "$(cat "$E2E/watch")" 2>/dev/null || true; fi
	kill "$(cat "$E2E/pid3")" 2>/dev/null || true
	kill -INT "$(head -n 1 "$E2E/standby/postmaster.pid")" 2>/dev/null || true
	server_stop
}

seen() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		[[ $(grep -Ec -- "$2" "$E2E/$1") -ge ${3:-1} ]] && return 0
		sleep 0.05
	done
	echo "not within 30 s: $2 in $1" >&2
	cat "$E2E/$1" >&2
	return 1
}

# The copy of the cluster as a standby of nobody, then promoted: a fail-over that lost what came after the copy.
promote_standby() {
	local owner bin tries
	owner=$(stat -c %U "$E2E/standby")
	bin=$(pg_config --bindir)
	mkdir "$E2E/run3"
	touch "$E2E/standby/standby.signal"
	rm -f "$E2E/standby/postmaster.pid"
	chown "$owner" "$E2E/run3" "$E2E/standby/standby.signal"
	local -a as_owner=()
	if [[ $owner != "$(id -un)" ]]; then as_owner=(runuser -u "$owner" --); fi
	"${as_owner[@]}" "$bin/postgres" -D "$E2E/standby" -c unix_socket_directories="$E2E/run3" -c listen_addresses= \
		>>"$E2E/standby.log" 2>&1 </dev/null 3>&- 4>&- &
	for ((tries = 0; tries < 600; tries++)); do
		psql -X -q -A -t -h "$E2E/run3" -U "$owner" -d seve -c 'SELECT pg_promote()' >>"$E2E/standby.log" 2>&1 && return 0
		sleep 0.1
	done
	tail "$E2E/standby.log" >&2
	return 1
}

# A daemon on the port of the first, over the promoted standby.
start_over_it() {
	local tls=$E2E/server/tls tries
	"$SEVED" --database "host='$E2E/run3' user=seve dbname=seve" --listen-port "$(port)" --port-file "$E2E/port3" \
		--tls-cert "$tls/server.pem" --tls-key "$tls/server.key" --tls-ca "$tls/ca.pem" \
		>>"$E2E/seved.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$E2E/pid3"
	for ((tries = 0; tries < 600; tries++)); do
		[[ -s $E2E/port3 ]] && return 0
		sleep 0.05
	done
	tail "$E2E/seved.log" >&2
	return 1
}

@test "acknowledged commits are lost by a fail-over: the replica that watches ends equal to the new server" {
	daemon_end TERM
	cp -a "$E2E/server/postgres" "$E2E/standby"
	daemon_start
	env XDG_CONFIG_HOME="$E2E/reader/config" XDG_DATA_HOME="$E2E/reader/data" "$SEVE" watch --format jsonl --territory nord \
		>"$E2E/lines" 2>"$E2E/remarks" </dev/null 3>&- 4>&- &
	echo $! >"$E2E/watch"
	seen remarks 'in step'
	as facilitator actor add "Perdue" --territory nord --category company
	as facilitator actor edit A-1 --territory nord --state approached
	seen lines '"op":"' 2
	daemon_end TERM
	seen remarks 'connection lost'
	promote_standby
	start_over_it
	seen remarks 'in step' 2
	equal "$(as facilitator actor list --territory nord --server --format jsonl)" \
		"$(as reader actor list --territory nord --offline --format jsonl)"
	as facilitator actor add "Nouvelle" --territory nord --category company
	seen lines '"op":"' 3
	equal "$(as facilitator actor list --territory nord --server --format jsonl)" \
		"$(as reader actor list --territory nord --offline --format jsonl)"
}

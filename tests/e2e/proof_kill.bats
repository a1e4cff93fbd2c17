# The daemon is killed with -9 again and again under push load: no acknowledged write is lost, none is applied twice.
load helper

ROUNDS=${PROOF_ROUNDS:-20}
WRITERS=4

setup_file() {
	server_start
	two_territories
	for ((i = 0; i < WRITERS; i++)); do
		enroll "writer-$i" facilitator nord
	done
}

teardown_file() {
	server_stop
}

# One writer: names that nobody else uses, one write each; the name is noted once the command has said 0.  A write that was not
# acknowledged stays in the outbox and goes with the next one.
write_until() { # WRITER STOP-FILE
	local n=0
	while [[ ! -e $2 ]]; do
		n=$((n + 1))
		if as "writer-$1" actor add --territory nord --name "w$1-$n" --category company >/dev/null 2>>"$E2E/writer-$1.err"; then
			echo "w$1-$n" >>"$E2E/attempted-$1"
		fi
	done
}

@test "20 times kill -9 under load: nothing lost, nothing twice" {
	stop=$E2E/stop
	pids=()
	for ((i = 0; i < WRITERS; i++)); do
		write_until "$i" "$stop" 3>&- &
		pids+=($!)
	done
	for ((round = 1; round <= ROUNDS; round++)); do
		sleep "0.$((RANDOM % 8 + 2))"
		sleep 1
		daemon_end KILL
		daemon_start
	done
	touch "$stop"
	wait "${pids[@]}"
	for ((i = 0; i < WRITERS; i++)); do
		as "writer-$i" sync --territory nord
		equal 0 "$(as "writer-$i" outbox list --format jsonl | wc -l)" "outbox of writer $i"
	done
	as writer-0 actor list --territory nord --server --limit 1000000 --format jsonl | jq -r .name | sort >"$E2E/stored"
	sort "$E2E"/attempted-* >"$E2E/acknowledged"
	echo "# acknowledged $(wc -l <"$E2E/acknowledged"), stored $(wc -l <"$E2E/stored"), kills $ROUNDS" >&3
	[ "$(wc -l <"$E2E/acknowledged")" -gt "$ROUNDS" ]
	equal "" "$(comm -23 "$E2E/acknowledged" "$E2E/stored" | head)" "acknowledged and lost"
	equal "" "$(uniq -d "$E2E/stored" | head)" "applied twice"
}

# killed.bash -- imports that are killed on their way and run again: what must stand in the end is what an undisturbed import leaves.
# For bats files that have loaded helper.bash; the network is made by killed_setup.
# shellcheck shell=bash

# killed_setup COPIES: the real register, COPIES times over with keys and SIRET of their own, and an account that imports it.
killed_setup() {
	local n file
	server_start
	enroll_territories=undisturbed
	quietly as admin territory create --slug undisturbed --name Undisturbed --region Essais
	for ((n = 1; n <= KILLS * 2; n++)); do
		quietly as admin territory create --slug "k$n" --name "Killed $n" --region Essais
		enroll_territories+=,k$n
	done
	enroll partner importer "$enroll_territories" --source irep
	enroll reader facilitator "$enroll_territories"
	head -n 1 "$DATA/irep/nord.csv" | tr -d '\r' >"$E2E/irep.csv"
	for ((n = 1; n <= $1; n++)); do
		for file in nord sud; do
			tail -n +2 "$DATA/irep/$file.csv" | sed -E "s/^([0-9]{3}\.[0-9]{5}),/\1-$n,/; s/,[0-9]{3}([0-9]{11}),/,$((100 + n))\1,/"
		done
	done >>"$E2E/irep.csv"
}

killed_import() { # TERRITORY
	as partner import actors "$E2E/irep.csv" --mapping irep --source irep --territory "$1" --report "$E2E/$1.json" --quiet >"$E2E/$1.log" 2>&1
}

territory_number() {
	sql "SELECT territory_id FROM territory_head WHERE slug = '$1'"
}

# What stands in a territory: its records with their keys, and what is remembered of the partner's last word.
state_hash() { # TERRITORY
	local id
	id=$(territory_number "$1")
	{
		as reader export --territory "$1" --server --kind actor 2>/dev/null |
			jq -cS 'del(.id, .ref, .rev, .territory, .created_at, .created_by, .updated_at, .updated_by)' | sort
		sql "SELECT source, kind, key, encode(hash, 'hex') FROM import_ref WHERE territory_id = $id ORDER BY source, kind, key"
		sql "SELECT kind, deleted, count(*) FROM record WHERE territory_id = $id GROUP BY 1, 2 ORDER BY 1, 2"
	} | sha256sum | cut -d ' ' -f 1
}

stored() { # TERRITORY
	sql "SELECT count(*) FROM record JOIN territory_head USING (territory_id) WHERE slug = '$1' AND kind = 11"
}

# killed_undisturbed: sets WANTED, ROWS and RECORDS.
killed_undisturbed() {
	killed_import undisturbed
	RECORDS=$(stored undisturbed)
	WANTED=$(state_hash undisturbed)
	ROWS=$(jq .rows "$E2E/undisturbed.json")
	equal 0 "$(jq .rejected "$E2E/undisturbed.json")"
	[ "$(jq .created "$E2E/undisturbed.json")" -gt $((ROWS * 9 / 10)) ]
}

# A client that runs in the background, by its own process id: a function in the background would be a shell around it.
start_client() { # TERRITORY
	XDG_CONFIG_HOME="$E2E/partner/config" XDG_DATA_HOME="$E2E/partner/data" "$SEVE" import actors "$E2E/irep.csv" --mapping irep --source irep \
		--territory "$1" --quiet >"$E2E/$1.log" 2>&1 3>&- 4>&- &
	CLIENT=$!
}

# once_killed TERRITORY client|server: killed once a random number of records stands, and some milliseconds, run again, compared; run a
# third time, nothing is written.
once_killed() {
	local territory=$1 whom=$2 target pause status=0 at head second
	target=$((RANDOM * (RECORDS * 8 / 10) / 32768))
	pause=$((RANDOM % 40))
	start_client "$territory"
	while kill -0 "$CLIENT" 2>/dev/null && (($(stored "$territory") < target)); do :; done
	sleep "0.$(printf %03d "$pause")"
	if [[ $whom == client ]]; then
		kill -9 "$CLIENT" 2>/dev/null || true
		wait "$CLIENT" 2>/dev/null || status=$?
		at=$(stored "$territory")
	else
		daemon_end KILL
		daemon_start
		at=$(stored "$territory")
		wait "$CLIENT" || status=$?
		# It goes on by itself, or says that the connection failed.
		[[ $status == 0 || $status == 8 ]] || {
			cat "$E2E/$territory.log" >&2
			return 1
		}
	fi
	[[ $whom == server && $status == 0 ]] && equal "$WANTED" "$(state_hash "$territory")" "$territory: gone on by itself"
	killed_import "$territory"
	equal "$ROWS" "$(jq '.created + .updated + .unchanged + .attached + .skipped' "$E2E/$territory.json")" "$territory: rows of the second run"
	equal "$WANTED" "$(state_hash "$territory")" "$territory: killed with $at records stored"
	second=$(jq -r '"\(.created) created, \(.updated) updated, \(.unchanged) unchanged"' "$E2E/$territory.json")
	head=$(jq .head_rev "$E2E/$territory.json")
	killed_import "$territory"
	equal "$head" "$(jq .head_rev "$E2E/$territory.json")" "$territory: the third run writes"
	echo "# $whom killed at $target records and $pause ms: $at of $RECORDS stored; status $status; second run: $second" >&3
}

# killed_all FIRST client|server
killed_all() {
	local n seed=${SEED:-$((($(date +%s) + $1) % 32768))}
	RANDOM=$seed
	echo "# SEED=$seed" >&3
	killed_undisturbed_once
	for ((n = $1; n < $1 + KILLS; n++)); do
		once_killed "k$n" "$2"
	done
}

# Each test of bats is a process of its own: the undisturbed import is made by the first.
killed_undisturbed_once() {
	if [[ ! -e $E2E/wanted ]]; then
		killed_undisturbed
		echo "$WANTED $ROWS $RECORDS" >"$E2E/wanted"
	fi
	read -r WANTED ROWS RECORDS <"$E2E/wanted"
}

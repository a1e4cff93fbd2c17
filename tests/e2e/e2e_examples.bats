# The four programs of client/examples: the library as others use it.
load helper

EXAMPLES=$SEVE_BUILD/client

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll partner importer nord --source cci
	as facilitator actor add --territory nord --name "Laiterie" --category company
}

teardown_file() {
	server_stop
}

# example NAME ACCOUNT ARGUMENT...: with the server, the CA and the token of that account's profile.
example() {
	local name=$1 account=$2 token
	shift 2
	token=$(find "$E2E/$account/config" -name token)
	"$EXAMPLES/example_$name" "localhost:$(port)" "$E2E/server/tls/ca.pem" "$token" "$@"
}

@test "sync.c synchronises once" {
	run example sync facilitator "$E2E/sync.db" nord
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *nord* ]]
}

@test "loop.c synchronises inside an event loop of its own" {
	number=$(as facilitator territory list --format jsonl | jq -r 'select(.slug == "nord") | .territory')
	run example loop facilitator "$E2E/loop.db" "$number"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "watch.c tells what changes" {
	example watch facilitator "$E2E/watch.db" nord 2 >"$E2E/watch.out" 2>"$E2E/watch.err" 3>&- 4>&- &
	pid=$!
	for ((tries = 0; tries < 600; tries++)); do
		grep -q 'in step' "$E2E/watch.err" && break
		sleep 0.05
	done
	as facilitator actor add --territory nord --name "Brasserie" --category company
	as facilitator actor edit A-2 --territory nord --state approached
	wait "$pid"
	equal "created actor A-2 " "$(head -n 1 "$E2E/watch.out")"
	equal "edited actor A-2 " "$(tail -n 1 "$E2E/watch.out")"
}

@test "import.c imports, and a second run changes nothing" {
	printf 'k1;Fonderie;\nk2;Scierie;\n' >"$E2E/lines"
	run example import partner nord cci <"$E2E/lines"
	echo "$output"
	[ "$status" -eq 0 ]
	run example import partner nord cci <"$E2E/lines"
	[ "$status" -eq 0 ]
	equal 4 "$(as facilitator actor list --territory nord --server --format jsonl | wc -l)"
}

@test "an example with a wrong token ends with an error in words" {
	cp -r "$E2E/partner" "$E2E/wrong"
	token=$(find "$E2E/wrong/config" -name token)
	echo "svt_nothing" >"$token"
	run example sync wrong "$E2E/wrong.db" nord
	[ "$status" -ne 0 ]
	[ -n "$output" ]
}

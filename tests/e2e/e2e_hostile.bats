# What strangers send: each is refused in words, nothing is half-written, and the others are served.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	as facilitator actor add --territory nord --name "Témoin" --category company
}

teardown_file() {
	server_stop
}

teardown() {
	# whatever happened: the same process still serves
	kill -0 "$(daemon_pid)"
	equal 1 "$(as facilitator actor list --territory nord --server --format jsonl | wc -l)"
}

# tls FLAG...: a TLS client with our ALPN; its input are raw bytes.
tls() {
	timeout 20 openssl s_client -connect "localhost:$(port)" -CAfile "$E2E/server/tls/ca.pem" -quiet "$@" 2>&1
}

# frame TYPE LENGTH: a header.
frame() {
	local -i n=$2
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((n >> 24 & 255)))\\x$(printf %02x $((n >> 16 & 255)))\\x$(printf %02x $((n >> 8 & 255)))\\x$(printf %02x $((n & 255)))\\x$(printf %02x "$1")\\x00\\x00\\x00"
}

@test "a plain HTTP request is closed, and the log says what it was" {
	run timeout 10 bash -c "exec 5<>/dev/tcp/127.0.0.1/$(port); printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&5; cat <&5 | wc -c"
	[ "$status" -eq 0 ]
	grep -Eqi 'plain HTTP' "$E2E/seved.log"
}

@test "TLS 1.2 is refused" {
	run tls -tls1_2 -alpn seve/1 </dev/null
	[[ $output == *"protocol version"* ]]
	grep -Eqi 'TLS 1\.[23]' "$E2E/seved.log"
}

@test "another ALPN is refused" {
	run tls -alpn h2 </dev/null
	[[ $output == *"no application protocol"* ]]
}

@test "no ALPN at all is refused" {
	run tls </dev/null
	kill -0 "$(daemon_pid)"
	grep -Eqi 'ALPN' "$E2E/seved.log"
}

# answered PATTERN COMMAND: what the server answers to these bytes; the connection stays open until it has.
answered() {
	local pattern=$1 out
	out=$({ eval "$2"; sleep 1; } | tls -alpn seve/1 | tr -cd '[:print:]\n')
	if ! grep -Eq -- "$pattern" <<<"$out"; then
		printf 'expected: /%s/\ngot:      %s\n' "$pattern" "$out" >&2
		return 1
	fi
}

@test "a frame larger than 4 KiB before authentication is refused in words" {
	answered '5000 bytes.*4096' 'frame 1 5000'
}

@test "a frame of an unknown type is refused in words" {
	answered 'unknown type 77' 'frame 77 0'
}

@test "a request before Hello is refused in words" {
	answered 'before Hello' 'frame 3 0'
}

@test "corrupt protobuf is refused in words" {
	answered 'Hello: ' "frame 1 4; printf '\\377\\377\\377\\377'"
}

@test "a truncated frame is waited for, and no longer than allowed" {
	answered 'no session after' 'frame 1 100; printf abc; sleep 11'
}

@test "HTTP inside our TLS is named" {
	answered 'plain HTTP request' "printf 'GET / HTTP/1.1\\r\\n\\r\\n'"
}

@test "an invented token is refused with status 4" {
	cp -r "$E2E/facilitator" "$E2E/thief"
	find "$E2E/thief" -name token -exec sh -c 'printf "svt_aaaaaaaaaa_%s_000000\n" "$(printf "%043d" 0)" >"$1"' - {} \;
	expect 4 'token' as thief actor list --territory nord --server
}

@test "an expired token is refused, with the way out" {
	enroll late facilitator nord
	sql "UPDATE token SET expires_at = now() - interval '1 day' WHERE account_id = (SELECT account_id FROM account WHERE name = 'late')"
	expect 4 'expired' as late actor list --territory nord --server
}

@test "a revoked token is refused" {
	enroll gone facilitator nord
	id=$(as admin token list --account gone --format jsonl | jq -r .public_id)
	as admin token revoke "$id"
	expect 4 'revoked|token' as gone actor list --territory nord --server
}

@test "an invite is good for one enrolment" {
	line=$(as admin invite create --account twice --role observer --territory nord | grep -o 'seve-invite:[^ ]*')
	as twice login - <<<"$line"
	expect 4 'invite' as thrice login - <<<"$line"
}

@test "a stranger's territory does not exist" {
	expect 5 'sud' as facilitator actor list --territory sud --server
	expect 5 'sud' as facilitator actor add --territory sud --name "Intrus" --category company
}

@test "a role that may not write is told so" {
	enroll watcher observer nord
	expect 7 'may not' as watcher actor add --territory nord --name "Intrus" --category company
	enroll region coordinator nord
	expect 7 'may not' as region actor add --territory nord --name "Intrus" --category company
	expect 7 'territor' as facilitator territory create --slug autre --name Autre
}

@test "text that is not UTF-8, or has control characters, is refused" {
	expect 9 'UTF-8|control' as facilitator actor edit "$(ref_of facilitator actor nord true)" --territory nord --name $'Caf\xe9'
	expect 9 'control' as facilitator actor edit "$(ref_of facilitator actor nord true)" --territory nord --name $'a\x07b'
}

# Partners that are clumsy or hostile: what they send ends in words, and takes nothing with it.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord
	enroll cci importer nord --source cci
	mkdir -p "$E2E/files"
	printf 'key,name,category\n' >"$E2E/files/header.csv"
	printf 'key,name,category\ns1,Un,company\ns2,Deux,company\ns3,Trois,company\n' >"$E2E/files/small.csv"
}

teardown_file() {
	server_stop
}

bring() { # FILE [FLAG...]
	local file=$1
	shift
	as cci import actors "$file" --mapping plain --source cci --territory nord --quiet "$@"
}

live() {
	as anim actor list --territory nord --server --format jsonl | wc -l
}

@test "a whole source that is empty takes nothing with it, however small it was" {
	bring "$E2E/files/small.csv"
	expect 9 '3 of 3' bring "$E2E/files/header.csv" --full
	equal 3 "$(live)"
	for input in /dev/null /tmp; do
		local rc=0
		bring - --full --force <"$input" >/dev/null 2>&1 || rc=$?
		[[ $rc -ne 0 ]]
	done
	local rc=0
	bring - --input jsonl --full --force <&- >/dev/null 2>&1 || rc=$?
	[[ $rc -ne 0 ]]
	equal 3 "$(live)"
	bring "$E2E/files/header.csv" --full --force
	equal 0 "$(live)"
	as cci import revert "$(as cci import list --territory nord --format json | jq -r '.items[0].batch')" --territory nord
	equal 3 "$(live)"
}

@test "a pipe that cannot be read is not an empty file" {
	expect 1 'directory' bring - --full --force <"$E2E"
	equal 3 "$(live)"
}

@test "a record that an import makes again, after it was taken back, tells when" {
	printf 'key,name,category\nn1,Neuf,company\n' >"$E2E/files/new.csv"
	bring "$E2E/files/new.csv"
	as cci import revert "$(as cci import list --territory nord --format json | jq -r '.items[0].batch')" --territory nord
	bring "$E2E/files/new.csv"
	as anim actor list --territory nord --server --format jsonl | jq -es 'any(.name == "Neuf" and .created_at and .created_by == "cci")'
}

@test "a report goes into a pipe or a device without taking its place" {
	mkfifo "$E2E/pipe"
	cat "$E2E/pipe" >"$E2E/got" 3>&- &
	bring "$E2E/files/small.csv" --report "$E2E/pipe"
	wait $!
	[[ -p $E2E/pipe ]]
	equal 3 "$(jq .unchanged "$E2E/got")"
}

@test "a source is named in one line, without blanks around it" {
	for name in $'x\ny' ' x' 'x ' $'x\x7f'; do
		expect 9 'source' as anim import actors "$E2E/files/small.csv" --mapping plain --source "$name" --territory nord
	done
}

@test "an importer whose token is revoked writes nothing more" {
	enroll gone importer nord --source gone
	as gone import actors "$E2E/files/small.csv" --mapping plain --source gone --territory nord --quiet
	before=$(live)
	as admin token revoke "$(as admin token list --account gone --format jsonl | jq -r .public_id)"
	sed 's/Trois/Quatre/; s/^s3/s4/' "$E2E/files/small.csv" >"$E2E/files/more.csv"
	expect 4 '.' as gone import actors "$E2E/files/more.csv" --mapping plain --source gone --territory nord
	equal "$before" "$(live)"
}

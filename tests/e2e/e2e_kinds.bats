# Every kind through every generic command.  tests/data/kinds/KIND.json holds one record of the kind as lists print it, "@actor" standing
# for the record made before; a kind without a sample fails.
load helper

KINDS=(actor contact action group meeting position attendance minute task
	availability interview interview_note assessment problem resource match swot_entry idea decision cohort knowhow benefit)
APPEND=' decision ' # never changed

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll other facilitator nord
}

teardown_file() {
	server_stop
}

# sample KIND: as options take it, with the ids of what was made before in the place of @KIND.
sample() {
	local text made
	text=$(cat "$DATA/kinds/$1.json")
	for made in "$E2E"/id-*; do
		[[ -e $made ]] && text=${text//@${made##*/id-}/$(cat "$made")}
	done
	printf '%s\n' "$text"
}

# options_of SAMPLE: one option a line (NUL-ended), the field's whole name, sets repeated.
options_of() {
	jq -j 'to_entries[] | .key as $key
		| (if (.value | type) == "array" and (.value[0] | type) == "string" then .value[] else .value end)
		| "--" + ($key | gsub("_"; "-")) + "=" + (if type == "string" then . else tojson end) + "\u0000"' <<<"$1"
}

# printed KIND: the sample as lists print it: beside the record's own kind, a field "kind" is action_kind, meeting_kind …
printed() {
	sample "$1" | jq -c --arg kind "$1" 'with_entries(if .key == "kind" then .key = $kind + "_kind" else . end)'
}

# holds RECORD SAMPLE: each field of the sample stands in the record as it is.
holds() {
	local diff
	diff=$(jq -n --argjson record "$1" --argjson sample "$2" \
		'[$sample | to_entries[] | select($record[.key] != .value) | {field: .key, wanted: .value, got: $record[.key]}] | .[]')
	if [[ -n $diff ]]; then
		printf '%s\n' "$diff" >&2
		return 1
	fi
}

# one KIND [FLAG...]: the kind's only live record.
one() {
	local kind=$1
	shift
	as facilitator "$kind" list --territory nord --format jsonl "$@" | jq -c --arg id "$(cat "$E2E/id-$kind")" 'select(.id == $id)'
}

@test "every kind has a sample" {
	while IFS= read -r kind; do
		[[ $kind == conflict ]] && continue # e2e_conflict.bats: nobody makes one by hand
		[[ $kind == territory || " ${KINDS[*]} " == *" $kind "* ]]
		[[ $kind == territory || -s $DATA/kinds/$kind.json ]]
	done < <(sed -n 's/^KIND(\([a-z_]*\),.*/\1/p' "$SEVE_SOURCE/common/kinds.def")
}

@test "add: what goes in by options comes out by list, field by field" {
	for kind in "${KINDS[@]}"; do
		given=$(sample "$kind")
		mapfile -d '' -t options < <(options_of "$given")
		as facilitator "$kind" add --territory nord "${options[@]}" --reason "essai"
		as facilitator "$kind" list --territory nord --server --format jsonl | jq -r .id | tail -n 1 >"$E2E/id-$kind"
		holds "$(one "$kind" --server)" "$(printed "$kind")"
	done
}

@test "sync: another machine holds the same records" {
	as facilitator sync --territory nord
	as other sync --territory nord
	for kind in "${KINDS[@]}"; do
		holds "$(one "$kind" --offline)" "$(printed "$kind")"
		equal "$(one "$kind" --server)" "$(one "$kind" --offline)" "$kind"
	done
	as facilitator export --territory nord --output "$E2E/one"
	as other export --territory nord --output "$E2E/two"
	cmp "$E2E/one" "$E2E/two"
}

@test "CSV: one line of headers, one record, the fields' values in it" {
	for kind in "${KINDS[@]}"; do
		as facilitator "$kind" list --territory nord --format csv >"$E2E/$kind.csv"
		expect 0 "$(cat "$E2E/id-$kind")" cat "$E2E/$kind.csv"
		while IFS= read -r field; do
			expect 0 "(^|,)$field(,|$)" sed -n $'1s/\r//p' "$E2E/$kind.csv"
		done < <(printed "$kind" | jq -r 'keys[]')
	done
}

@test "edit, history: a change of level is kept with who and why" {
	for kind in "${KINDS[@]}"; do
		[[ $APPEND == *" $kind "* ]] && continue
		id=$(cat "$E2E/id-$kind")
		level=team
		[[ $(one "$kind" --server | jq -r .level) == team ]] && level=network
		as facilitator "$kind" edit "$id" --territory nord --level "$level" --reason "essai du niveau"
		equal "$level" "$(one "$kind" --server | jq -r .level)" "$kind"
		expect 0 'essai du niveau' as facilitator "$kind" history "$id" --territory nord --format csv
	done
}

@test "a kind that is only added to is neither edited nor deleted" {
	id=$(cat "$E2E/id-decision")
	expect 9 'never changed' as facilitator decision edit "$id" --territory nord --rationale "autre" --reason "essai"
	expect 9 'never changed' as facilitator decision delete "$id" --territory nord --reason "essai"
	holds "$(one decision --server)" "$(printed decision)"
}

@test "delete is refused while others point at the record, restore brings it back" {
	id=$(cat "$E2E/id-actor")
	expect 9 '.' as facilitator actor delete "$id" --territory nord --reason "essai"
	for kind in benefit knowhow cohort idea swot_entry match assessment interview_note availability task minute attendance position; do
		id=$(cat "$E2E/id-$kind")
		as facilitator "$kind" delete "$id" --territory nord --reason "essai"
		equal "" "$(one "$kind" --server)" "$kind after its deletion"
		as facilitator "$kind" restore "$id" --territory nord --reason "essai"
		holds "$(one "$kind" --server)" "$(printed "$kind")"
	done
}

@test "a required field that is missing is named" {
	for kind in "${KINDS[@]}"; do
		expect 9 'required|needs|missing' as facilitator "$kind" add --territory nord --level network
	done
}

@test "an export of any kind, imported again, changes nothing, and the next export has the same bytes" {
	local format
	for kind in "${KINDS[@]}"; do
		for format in jsonl json csv 'csv --dialect fr'; do
			# shellcheck disable=SC2086
			as facilitator export --territory nord --server --kind "$kind" --format $format --output "$E2E/once"
			as facilitator import "$kind" "$E2E/once" --territory nord --report "$E2E/report.json" >/dev/null
			equal "0 0 0" "$(jq -r '[.created, .updated, .rejected] | join(" ")' "$E2E/report.json")" "$kind as $format"
			jq -e '.unchanged > 0' "$E2E/report.json" >/dev/null
			# shellcheck disable=SC2086
			as facilitator export --territory nord --server --kind "$kind" --format $format --output "$E2E/twice"
			cmp "$E2E/once" "$E2E/twice"
		done
	done
}

# same_in ACCOUNT TERRITORY: everything of it, without what tells where and when.
same_in() {
	as "$1" export --territory "$2" --server 2>/dev/null |
		jq -cS 'select(.kind != "territory") | del(.territory, .rev, .ref, .created_at, .created_by, .updated_at, .updated_by)' | sort
}

@test "an export into an empty territory is the same network there, levels included" {
	local n=0 format
	same_in facilitator nord >"$E2E/here"
	for format in jsonl 'csv --dialect fr'; do
		as admin territory create --slug "empty$((++n))" --name "Empty $n" --region Essais >/dev/null
		enroll "moves$n" facilitator "nord,empty$n"
		for kind in "${KINDS[@]}"; do
			# shellcheck disable=SC2086
			as facilitator export --territory nord --server --kind "$kind" --format $format --output "$E2E/$n-$kind"
			as "moves$n" import "$kind" "$E2E/$n-$kind" --territory "empty$n" --from nord --report "$E2E/report.json" >/dev/null ||
				{ jq . "$E2E/report.json" >&2; return 1; }
			equal 0 "$(jq .rejected "$E2E/report.json")" "$kind as $format"
		done
		same_in "moves$n" "empty$n" >"$E2E/there"
		diff "$E2E/here" "$E2E/there"
	done
}

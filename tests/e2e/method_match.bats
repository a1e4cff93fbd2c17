# Needs against capacities and opportunities: in a territory, and blinded across territories.
load helper

setup_file() {
	server_start
	two_territories
	enroll north facilitator nord
	enroll south facilitator sud
	enroll observer observer nord
	as north actor add --territory nord --name "Laiterie" --category company --lat 51.00 --lon 2.30 >/dev/null
	as north actor add --territory nord --name "Brasserie" --category company --lat 51.03 --lon 2.37 >/dev/null
	as south actor add --territory sud --name "Cimenterie secrète" --category company --lat 50.90 --lon 2.30 >/dev/null
}

teardown_file() {
	server_stop
}

# card ACCOUNT TERRITORY ACTOR STANCE FAMILY LABEL [FLAG...]: an open card; prints its reference.
card() {
	local who=$1 territory=$2 actor ref
	actor=$(ref_of "$1" actor "$2" ".name == \"$3\"")
	ref=$(as "$who" resource add --territory "$territory" --actor "$actor" --stance "$4" --family "$5" --label "$6" "${@:7}" 2>/dev/null)
	as "$who" resource edit "$ref" --territory "$territory" --state open >/dev/null
	printf '%s\n' "$ref"
}

@test "match: suggestions say why, the same from server and replica" {
	need=$(card north nord Laiterie need materials "Palettes bois")
	offer=$(card north nord Brasserie capacity materials "palettes EUR en bois")
	as north sync >/dev/null
	there=$(as north match --server --format json)
	here=$(as north match --offline --format json 2>/dev/null)
	equal "$there" "$here"
	equal "$need $offer materials" "$(jq -r '.items[] | "\(.need) \(.offer) \(.family)"' <<<"$here")"
	equal "family label distance" "$(jq -r '.items[].reasons | join(" ")' <<<"$here")"
}

@test "a dismissed pair never returns" {
	need=$(card north nord Laiterie need equipment "Presse à balles")
	offer=$(card north nord Brasserie capacity equipment "presse hydraulique")
	as north match --server --format jsonl | jq -e --arg n "$need" 'select(.need == $n)' >/dev/null
	expect 2 'need and offer' as north match dismiss "$offer" "$need" --territory nord
	expect 0 '' as north match dismiss "$need" "$offer" --territory nord --reason "pas la même"
	equal '' "$(as north match --server --format jsonl | jq -r --arg n "$need" 'select(.need == $n) | .need')"
	equal '' "$(as north match --offline --format jsonl 2>/dev/null | jq -r --arg n "$need" 'select(.need == $n) | .need')"
}

@test "an adopted pair is a lead of origin match, in one mutation" {
	need=$(card north nord Laiterie need energy "chaleur basse température")
	offer=$(card north nord Brasserie opportunity energy "chaleur fatale")
	before=$(sql "SELECT count(*) FROM mutation")
	lead=$(as north match adopt "$need" "$offer" --territory nord --title "Réseau de chaleur")
	as north action show "$lead" --territory nord --server --format json >"$BATS_TEST_TMPDIR/lead"
	equal 'lead match 2' "$(jq -r '(.items[0]? // .) | "\(.status) \(.origin) \(.source_ids | length)"' "$BATS_TEST_TMPDIR/lead")"
	equal 'matched' "$(as north resource show "$need" --territory nord --server --format json | jq -r '(.items[0]? // .).state')"
	equal 'match resource' "$(as north action trace "$lead" --territory nord --server --format jsonl | jq -r .stage | grep -v action | sort -u | xargs)"
	equal $((before + 1)) "$(sql "SELECT count(*) FROM mutation")"
	equal '' "$(as north match --server --format jsonl | jq -r --arg n "$need" 'select(.need == $n) | .need')"
}

@test "T18: a private card of another territory shows its family, its unit and a band of distance" {
	secret=$(card south sud "Cimenterie secrète" capacity by_product_waste "Laitier confidentiel" --level team --quantity 1234.5 --unit t --basis per_year)
	own=$(card north nord Laiterie need by_product_waste "Sable de substitution" --unit kg)
	as north match --cross --territory nord --format json >"$BATS_TEST_TMPDIR/seen"
	equal 'by_product_waste t 10-25 km false' "$(jq -r --arg o "$own" '.items[] | select(.own == $o) | "\(.family) \(.unit) \(.band) \(.opened)"' "$BATS_TEST_TMPDIR/seen")"
	! grep -Eq 'confidentiel|secrète|1234|sud|Flandre' "$BATS_TEST_TMPDIR/seen"
	! grep -q "$(as south resource show "$secret" --territory sud --server --format json | jq -r '(.items[0]? // .).id')" "$BATS_TEST_TMPDIR/seen"
	# both sides speak of it by the same handle
	handle=$(jq -r --arg o "$own" '.items[] | select(.own == $o) | .handle' "$BATS_TEST_TMPDIR/seen")
	equal "$secret" "$(as south match --cross --territory sud --format jsonl | jq -r --arg h "$handle" 'select(.handle == $h) | .own')"
	# its facilitator opens it: the card, but not the actor, which is not public
	expect 0 '' as south match open "$secret" --territory sud
	as north match --cross --territory nord --format json >"$BATS_TEST_TMPDIR/opened"
	equal 'Laitier confidentiel 1234.5 true' "$(jq -r --arg h "$handle" '.items[] | select(.handle == $h) | "\(.label) \(.quantity) \(.opened)"' "$BATS_TEST_TMPDIR/opened")"
	! grep -q 'secrète' "$BATS_TEST_TMPDIR/opened"
	expect 7 'facilitators' as observer match --cross --territory nord
	expect 5 'no territory' as north match --cross --territory sud
	expect 2 'server only' as north match --cross --territory nord --offline
}

@test "what is asked of another card is not learnt from the score: labels and quantities play no part" {
	card south sud "Cimenterie secrète" capacity water "Eau de refroidissement" --level team >/dev/null
	one=$(card north nord Laiterie need water "Eau de refroidissement")
	two=$(card north nord Laiterie need water "Tout autre chose")
	as north match --cross --territory nord --format jsonl >"$BATS_TEST_TMPDIR/pairs"
	of() { jq -c --arg o "$1" 'select(.own == $o) | del(.own, .own_id, .own_label, .handle)' "$BATS_TEST_TMPDIR/pairs"; }
	equal "$(of "$one")" "$(of "$two")"
}

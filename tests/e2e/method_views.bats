# The views of the method, the same from the server and from the replica.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll coordinator coordinator nord,sud
	n actor add --name "Laiterie du Port" --category company --state candidate
	n actor add --name "Brasserie" --category company --state candidate --lat 51.03 --lon 2.37
	n actor add --name "Scierie" --category company --state candidate --lat 51.00 --lon 2.30
}

teardown_file() {
	server_stop
}

# n COMMAND...: as the facilitator, in nord; prints the reference.
n() {
	local noun=$1 verb=$2
	shift 2
	as facilitator "$noun" "$verb" --territory nord "$@" 2>/dev/null
}

actor() { # NAME
	ref_of facilitator actor nord ".name == \"$1\""
}

# both_ways COMMAND...: the same from the server and from the replica; prints it.
both_ways() {
	local here there
	as facilitator sync >/dev/null
	there=$(as facilitator "$@" --server --format json)
	here=$(as facilitator "$@" --offline --format json 2>/dev/null)
	equal "$there" "$here" "$*: server and replica differ"
	printf '%s\n' "$here"
}

stages() { # REFERENCE
	both_ways action trace "$1" --territory nord | jq -r '[.items[].stage] | unique | join(" ")'
}

@test "T17: the story of an action, from the sentence heard in a visit to what it saved, also across a merger" {
	visit=$(n interview add --kind site_visit --actor "$(actor "Laiterie du Port")" --held 2026-10-01)
	n interview edit "$visit" --state done
	need=$(n resource add --stance need --family water --label "eau tiède" --actor "$(actor "Laiterie du Port")" --interview "$visit")
	one=$(n action add --title "Boucle d'eau" --status lead)
	lead=$(n action add --title "Eaux grises" --status lead --source "$need")
	workshop=$(n meeting add --kind workshop --number 1 --title "Atelier 1")
	n idea add --text "Et si on bouclait ?" --meeting "$workshop" --action "$lead"
	n benefit add --action "$one" --measure water_m3 --value 1200 --certainty measured
	before=$(stages "$lead")
	equal "action idea resource visit workshop" "$before"
	n action edit "$lead" --merged-into "$one" --status merged
	n position add --actor "$(actor Brasserie)" --action "$one" --stance pilot
	group=$(n group add --name "Groupe eau" --action "$one")
	n meeting add --kind group --group "$group" --title "Réunion 1"
	wanted="action benefit group idea meeting position resource visit workshop"
	equal "$wanted" "$(stages "$one")"
	equal "$wanted" "$(stages "$lead")"
	# the tonne, or here the cubic metre, stands last
	equal 'benefit' "$(as facilitator action trace "$lead" --territory nord --format jsonl | tail -n 1 | jq -r .stage)"
	expect 5 'no P-99' as facilitator action trace P-99 --territory nord
}

@test "progress: phases done, missing and in the way" {
	got=$(both_ways territory progress nord)
	equal '8' "$(jq '.items | length' <<<"$got")"
	equal 'false' "$(jq -r '.items[0].complete' <<<"$got")"
	jq -e --arg ref "$(actor Brasserie)" '.items[0].missing | index($ref)' <<<"$got" >/dev/null
	equal '0' "$(jq -r '.items[3].blocked_by' <<<"$got")"
	jq -e '.items[3].missing | index("threat")' <<<"$got" >/dev/null
	expect 0 'matrice FFOM' as facilitator territory progress nord --lang fr
	# for people it says what is counted, and what a count of nothing means
	expect 0 '0 of 3 asked are members' as facilitator territory progress nord
	expect 0 'no low-hanging action' as facilitator territory progress nord
	expect 0 "aucune vague pour l'instant" as facilitator territory progress nord --lang fr
	expect 0 'la clôture de l.atelier 2' as facilitator territory progress nord --lang fr
}

@test "compare: territories in the states that all share" {
	as coordinator territory compare --server --format jsonl >"$BATS_TEST_TMPDIR/all"
	equal 'nord sud' "$(jq -r .territory "$BATS_TEST_TMPDIR/all" | sort | xargs)"
	equal '3 1' "$(jq -r 'select(.territory == "nord") | "\(.actors) \(.idea)"' "$BATS_TEST_TMPDIR/all")"
	both_ways territory compare nord >/dev/null
}

@test "plan and matrix" {
	one=$(n action add --title "Presse commune" --status lead --treatment to_implement)
	n action edit "$one" --status planned
	got=$(both_ways plan show)
	equal "to_implement" "$(jq -r '.items[] | select(.ref == "'"$one"'") | .treatment' <<<"$got")"
	n swot_entry add --as-of 2026-01-01 --quadrant threat --text "Ancienne menace"
	n swot_entry add --as-of 2026-06-01 --quadrant strength --text "Port" --weight 3
	n swot_entry add --as-of 2026-06-01 --quadrant weakness --text "Foncier rare" --weight 1
	got=$(both_ways swot show)
	equal "Port,Foncier rare" "$(jq -r '[.items[].text] | join(",")' <<<"$got")"
	equal "Ancienne menace" "$(both_ways swot show --as-of 2026-05-31 | jq -r '.items[].text')"
	# side by side, each entry in a line of its own, also where no terminal is
	expect 0 '^\+\+\+ Port +\+ Foncier rare$' as facilitator swot show
	expect 0 'Forces' as facilitator swot show --lang fr
}

@test "select: low-hanging fruit is forced in, and a missing pilot is seen" {
	one=$(n action add --title "Fruit mûr" --status lead --treatment to_implement)
	n action edit "$one" --status planned --low-hanging yes --low-hanging-reason "facile"
	got=$(both_ways select simulate)
	jq -e --arg ref "$one" '.items[] | select(.ref == $ref and .finding == "forced")' <<<"$got" >/dev/null
	jq -e --arg ref "$one" '.items[] | select(.ref == $ref and .finding == "no_pilot")' <<<"$got" >/dev/null
	equal "$one" "$(both_ways select rank | jq -r '.items[0].ref')"
}

@test "digest: by subject, since a moment" {
	got=$(both_ways digest --since 1d)
	jq -e '.items[] | select(.what == "created" and .name == "Presse commune")' <<<"$got" >/dev/null
	equal '' "$(as facilitator digest --since 2999-01-01 --format jsonl)"
	expect 2 'like 7d' as facilitator digest --since hier
}

@test "reports: conversion, benefits, growth, know-how, readiness" {
	equal '1' "$(both_ways report conversion | jq -r '.items[] | select(.stage == "merged") | .count')"
	equal '1200 m3' "$(both_ways report benefits | jq -r '.items[] | select(.measure == "water_m3") | "\(.measured) \(.unit)"')"
	both_ways report growth >/dev/null
	both_ways report knowhow >/dev/null
	both_ways knowhow readiness >/dev/null
	expect 2 'one of|argument' as facilitator report conversion benefits
}

@test "network: dot, GraphML and GeoJSON" {
	as facilitator sync >/dev/null
	expect 0 '^graph network' as facilitator network
	as facilitator network --format graphml --output "$BATS_TEST_TMPDIR/g.xml"
	grep -q '<edge source=' "$BATS_TEST_TMPDIR/g.xml"
	grep -q "Boucle d'eau" "$BATS_TEST_TMPDIR/g.xml"
	equal '2' "$(as facilitator network --format geojson | jq '[.features[] | select(.geometry.type == "Point")] | length')"
	expect 2 'geojson' as facilitator network --format png
}

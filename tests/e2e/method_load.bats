# The dispersion guard, what stands still, and words: from the server and from the replica, and over territories.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	enroll other facilitator sud
	enroll coordinator coordinator nord,sud
	enroll observer observer nord
	f actor add --territory nord --name "Laiterie du Port" --siren 732829320 --category company
	f actor add --territory nord --name "Brasserie" --category company
	f actor add --territory nord --name "Scierie" --category company
	as other actor add --territory sud --name "Laiterie, site sud" --siren 732829320 --category company >/dev/null
}

teardown_file() {
	server_stop
}

f() {
	as facilitator "$@" >/dev/null
}

actor() { # NAME
	ref_of facilitator actor nord ".name == \"$1\""
}

action() { # TITLE
	as facilitator action add --territory nord --title "$1" --status lead
}

# both_ways ACCOUNT COMMAND...: the same from the server and from the replica; prints it.
both_ways() {
	local who=$1 here there
	shift
	as "$who" sync >/dev/null
	there=$(as "$who" "$@" --server --format json)
	here=$(as "$who" "$@" --offline --format json 2>/dev/null)
	equal "$there" "$here" "$*: server and replica differ"
	printf '%s\n' "$here"
}

@test "load: usual hours by stance, against those that an actor has; over is more than it has" {
	one=$(action "Presse à balles")
	two=$(action "Chaleur")
	f availability add --territory nord --actor "$(actor Brasserie)" --from 2026-01-01 --hours-month 10
	f position add --territory nord --actor "$(actor Brasserie)" --action "$one" --stance pilot
	f position add --territory nord --actor "$(actor Brasserie)" --action "$two" --stance beneficiary
	got=$(both_ways facilitator load --month 2026-11)
	equal '9 10 0.9 no' "$(jq -r '.items[] | select(.name == "Brasserie") | "\(.total) \(.available) \(.load) \(if .over then "yes" else "no" end)"' <<<"$got")"
	equal '' "$(as facilitator load --over --month 2026-11 --offline --format jsonl 2>/dev/null)"
	three=$(action "Navettes")
	f position add --territory nord --actor "$(actor Brasserie)" --action "$three" --stance contributor --reason "jusqu'au printemps"
	got=$(both_ways facilitator load --over --month 2026-11)
	equal 'Brasserie 13 1.3' "$(jq -r '.items[] | "\(.name) \(.total) \(.load)"' <<<"$got")"
}

@test "load: a month that is barred has no hours, half of one has half" {
	f availability add --territory nord --actor "$(actor Scierie)" --from 2026-01-01 --hours-month 30 \
		--blackouts '[{"from_on":"2026-04-01","to_on":"2026-04-30"},{"from_on":"2026-06-01","to_on":"2026-06-15"}]'
	f position add --territory nord --actor "$(actor Scierie)" --action "$(action "Sciure")" --stance pilot --since 2026-01-01
	of() {
		as facilitator load --month "$1" --format jsonl | jq -r 'select(.name == "Scierie") | "\(.available) \(.over)"'
	}
	equal '30 false' "$(of 2026-05)"
	equal '0 true' "$(of 2026-04)"
	equal '15 false' "$(of 2026-06)"
	equal '' "$(of 2025-12)"
	expect 2 'like 2026-11' as facilitator load --month novembre
}

@test "T7: under in each territory and over in sum: seen by both, and no action of the other" {
	f availability add --territory nord --actor "$(actor "Laiterie du Port")" --from 2026-01-01 --hours-month 10
	f position add --territory nord --actor "$(actor "Laiterie du Port")" --action "$(action "Eaux grises")" --stance pilot
	as facilitator load --over --month 2026-11 --server --format jsonl | jq -e 'select(.name == "Laiterie du Port")' && return 1
	secret=$(as other action add --territory sud --title "Projet confidentiel" --status lead --level team)
	as other position add --territory sud --level team --actor "$(ref_of other actor sud '.siren == "732829320"')" \
		--action "$secret" --stance pilot >/dev/null
	# the coordinator of both sees the sum in both places
	as coordinator load --over --month 2026-11 --server --format jsonl >"$BATS_TEST_TMPDIR/sum"
	equal '16 10 true' "$(jq -r 'select(.territory == "nord" and .siren == "732829320") | "\(.total) \(.available) \(.over)"' "$BATS_TEST_TMPDIR/sum")"
	# the facilitator of one sees the sum, and nothing else of the other
	as facilitator load --month 2026-11 --server --format json >"$BATS_TEST_TMPDIR/one"
	equal '8 16 8 true' "$(jq -r '.items[] | select(.siren == "732829320") | "\(.hours) \(.total) \(.elsewhere) \(.over)"' "$BATS_TEST_TMPDIR/one")"
	! grep -q 'confidentiel\|sud' "$BATS_TEST_TMPDIR/one"
	# without the server the sum is said to be partial
	as facilitator sync --territory nord >/dev/null
	expect 0 'partial: hours of 1 of 1' as facilitator load --month 2026-11 --offline
	expect 0 'partiel' as facilitator load --month 2026-11 --offline --lang fr
	# a coordinator's replica of one of two territories
	as coordinator sync --territory nord >/dev/null
	expect 0 'partial: hours of 1 of 2' as coordinator load --month 2026-11 --offline
}

@test "hours elsewhere are told to those who run a network only" {
	expect 0 'partial' as observer load --server
	enroll partner partner nord --actor "$(actor "Laiterie du Port")"
	expect 0 'partial' as partner load --month 2026-11 --server
	equal '8' "$(as partner load --month 2026-11 --server --format jsonl 2>/dev/null | jq -r 'select(.siren == "732829320") | .total')"
}

@test "taking a position tells the actor's load" {
	action=$(action "Encore une")
	expect 0 'Brasserie.*21.*10' as facilitator position add --territory nord --actor "$(actor Brasserie)" --action "$action" --stance pilot --reason "jusqu'au printemps"
}

@test "stalled: past its day, and too long in its state, the same offline" {
	late=$(action "En retard")
	f action edit "$late" --territory nord --next-step "Appeler" --next-step-due 2026-01-02
	fresh=$(action "Toute neuve")
	got=$(both_ways facilitator stalled --kind action)
	equal "En retard overdue" "$(jq -r '.items[] | select(.ref == "'"$late"'") | "\(.name) \(.why)"' <<<"$got")"
	equal '' "$(jq -r '.items[] | select(.ref == "'"$fresh"'") | .ref' <<<"$got")"
}

@test "find: without regard to accents and case, every word, in any text" {
	f action add --territory nord --title "Récupération de chaleur fatale" --description "Four à céramique" --status lead
	got=$(both_ways facilitator find chaleur RECUPERATION)
	equal 'Récupération de chaleur fatale' "$(jq -r '.items[].name' <<<"$got")"
	expect 0 'Récupération' as facilitator find ceramique
	equal '' "$(as facilitator find chaleur introuvable --format jsonl)"
	expect 9 'no word' as facilitator find ' '
}

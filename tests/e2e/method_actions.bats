# The method's states and rule H4, through the command line.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord
	for name in "Laiterie" "Brasserie" "Scierie"; do
		as facilitator actor add --territory nord --name "$name" --category company
	done
}

teardown_file() {
	server_stop
}

edit() { # REFERENCE FLAG...
	local reference=$1
	shift
	as facilitator action edit "$reference" --territory nord "$@"
}

new_action() { # TITLE
	as facilitator action add --territory nord --title "$1" --status lead >/dev/null
	ref_of facilitator action nord ".title == \"$1\""
}

actor() {
	ref_of facilitator actor nord ".name == \"$1\""
}

position() { # ACTOR ACTION STANCE
	as facilitator position add --territory nord --actor "$(actor "$1")" --action "$2" --stance "$3"
}

@test "a move that the method does not know is refused and names the allowed ones" {
	action=$(new_action "Saut")
	expect 9 'planned.*abandoned.*merged|planned.*merged.*abandoned' edit "$action" --status implemented
	expect 0 lead as facilitator action show "$action" --territory nord --server
}

@test "an action is abandoned only with a cause" {
	action=$(new_action "Sans suite")
	expect 9 'cause' edit "$action" --status abandoned
	expect 0 '' edit "$action" --status abandoned --cause no_partner
}

@test "a later state at creation needs a reason" {
	expect 9 'reason' as facilitator action add --territory nord --title "Reprise" --status implemented
	expect 0 '' as facilitator action add --territory nord --title "Reprise" --status implemented --reason "action de 2019"
}

@test "H4: in progress only with two actors and one pilot; the message says what is missing" {
	action=$(new_action "Vapeur commune")
	edit "$action" --status planned
	edit "$action" --status selected
	expect 9 '0 of 2 actors' edit "$action" --status in_progress
	position Laiterie "$action" contributor
	expect 9 '1 of 2 actors' edit "$action" --status in_progress
	expect 9 '1 acteurs sur 2 positionnés' edit "$action" --status in_progress --lang fr
	position Brasserie "$action" beneficiary
	expect 9 'pilot' edit "$action" --status in_progress
	position Scierie "$action" pilot
	expect 0 '' edit "$action" --status in_progress
}

@test "H4: two pilots are one too many" {
	action=$(new_action "Deux pilotes")
	edit "$action" --status planned
	edit "$action" --status selected
	position Laiterie "$action" pilot
	position Brasserie "$action" pilot
	expect 9 '2 pilots' edit "$action" --status in_progress
}

@test "an edit made offline against a rule is refused at the sync, and stays readable in the outbox" {
	as facilitator sync --territory nord
	action=$(new_action "Seule")
	as facilitator sync
	edit "$action" --status planned
	edit "$action" --status selected
	as facilitator sync
	edit "$action" --status in_progress --offline
	expect 3 'H4' as facilitator sync
	expect 0 'H4' as facilitator outbox list --format csv
	expect 0 'selected' as facilitator action show "$action" --territory nord --offline
}

@test "a word that is no status names the words there are" {
	action=$(new_action "Mot")
	expect 9 'in_progress' edit "$action" --status en_cours
}

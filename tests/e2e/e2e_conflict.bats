# Two people edit the same record without a network.
load helper

setup_file() {
	server_start
	two_territories
	enroll one facilitator nord
	enroll two facilitator nord
	as one sync --territory nord
	as two sync --territory nord
}

teardown_file() {
	server_stop
}

# both_know TITLE: a new action that stands in both replicas; its reference in $action.
both_know() {
	as one action add --territory nord --title "$1" --status lead
	as one sync
	as two sync
	action=$(ref_of one action nord ".title == \"$1\"")
	[ -n "$action" ]
}

field() { # ACCOUNT FIELD
	as "$1" action show "$action" --territory nord --offline --format json | jq -r "(.items[0]? // .) | .$2"
}

@test "edits of different fields are merged" {
	both_know "Champs différents"
	as one action edit "$action" --territory nord --next-step "Appeler le port" --offline
	as two action edit "$action" --territory nord --target 2027-06-30 --offline
	as one sync
	as two sync
	as one sync
	for who in one two; do
		equal "Appeler le port" "$(field $who next_step)"
		equal "2027-06-30" "$(field $who target_on)"
	done
}

@test "members added to a set by both are both there" {
	both_know "Étiquettes"
	as one action edit "$action" --territory nord --add-tag eau --offline
	as two action edit "$action" --territory nord --add-tag chaleur --offline
	as one sync
	as two sync
	as one sync
	equal "$(field one tags)" "$(field two tags)"
	[[ $(field one tags) == *eau* && $(field one tags) == *chaleur* ]]
}

@test "a clash on a date leaves the record, and the edit stays in the outbox" {
	both_know "Même date"
	as one action edit "$action" --territory nord --target 2027-01-01 --offline
	as two action edit "$action" --territory nord --target 2027-02-02 --offline
	as one sync
	expect 3 'conflict' as two sync
	equal 2027-01-01 "$(field two target_on)"
	expect 0 'conflict' as two outbox list --format csv
	expect 0 '' as two status
	mid=$(as two outbox list --format jsonl | jq -r 'select(.state == "conflict") | .mid')
	as two outbox drop --territory nord "$mid"
	equal 0 "$(as two outbox list --format jsonl | wc -l)"
}

@test "a chain of one's own edits never clashes with itself" {
	both_know "Chaîne"
	for day in 01 02 03 04 05; do
		as one action edit "$action" --territory nord --target "2027-03-$day" --offline
	done
	as one sync
	as two sync
	equal 2027-03-05 "$(field two target_on)"
}

@test "an edit of what another has deleted is a conflict, and nothing comes back by itself" {
	both_know "Disparue"
	as one action delete "$action" --territory nord --reason "saisie en double"
	as two action edit "$action" --territory nord --target 2027-05-05 --offline
	expect 3 'conflict' as two sync
	expect 5 '' as two action show "$action" --territory nord --server
	mid=$(as two outbox list --format jsonl | jq -r 'select(.state == "conflict") | .mid')
	as two outbox drop --territory nord "$mid"
}

@test "a deleted record can be brought back" {
	both_know "De retour"
	as one action delete "$action" --territory nord --reason "erreur"
	id=$(as two action show "$action" --territory nord --offline --format json | jq -r '(.items[0]? // .) | .id')
	as one action restore "$id" --territory nord --reason "erreur de l'erreur"
	expect 0 'De retour' as one action show "$action" --territory nord --server
}

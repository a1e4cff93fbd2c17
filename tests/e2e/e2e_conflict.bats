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

@test "T12: edits of different fields are merged" {
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

# dispute TITLE: one wrote January, two February, two's waits as a conflict; $action, $conflict.
dispute() {
	both_know "$1"
	as one action edit "$action" --territory nord --target 2027-01-01 --offline
	as two action edit "$action" --territory nord --target 2027-02-02 --next-step "Relancer" --offline
	as one sync
	expect 3 'conflict' as two sync
	conflict=$(as two conflict list --territory nord --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	[ -n "$conflict" ]
	as one sync
}

open_conflicts() { # ACCOUNT
	as "$1" status --format json | jq -r '.items[] | select(.territory == "nord") | .conflicts'
}

@test "T12: a clash on a date leaves the record, and both versions are kept where everybody sees them" {
	before=$(open_conflicts two)
	dispute "Même date"
	equal 2027-01-01 "$(field two target_on)"
	equal null "$(field two next_step)"
	equal 0 "$(as two outbox list --format jsonl | wc -l)" "the outbox"
	equal $((before + 1)) "$(open_conflicts two)"
	equal $((before + 1)) "$(open_conflicts one)"
	expect 0 "$conflict .*$action.*two.*one" as one conflict list --offline
	expect 0 'Target \* .*2027-02-02 .*2027-01-01' as one conflict show "$conflict" --territory nord --offline
	expect 0 'Who .*two .*one' as one conflict show "$conflict" --territory nord
	equal '["target_on","2027-02-02","2027-01-01",true]' "$(as one conflict show "$conflict" --territory nord --format json |
		jq -c '(.items[0]? // .) | .fields[] | select(.field == "target_on") | [.field, .mine, .theirs, .clash]')"
	# held back with it
	equal '["next_step","Relancer",null]' "$(as one conflict show "$conflict" --territory nord --format json |
		jq -c '(.items[0]? // .) | .fields[] | select(.field == "next_step") | [.field, .mine, .theirs]')"
	as one conflict resolve "$conflict" --territory nord --theirs
}

@test "T12: the same mutation again changes nothing" {
	both_know "Deux fois"
	as one action edit "$action" --territory nord --target 2027-01-01 --offline
	as one sync
	as two action edit "$action" --territory nord --target 2027-02-02 --offline
	expect 3 'conflict' as two sync
	head=$(sql "SELECT rev FROM territory_head WHERE slug = 'nord'")
	as two sync
	as two sync
	equal "$head" "$(sql "SELECT rev FROM territory_head WHERE slug = 'nord'")" "head"
	equal 1 "$(sql "SELECT count(*) FROM conflict c JOIN action a ON a.id = c.record_id WHERE a.title = 'Deux fois'")" "conflicts"
}

@test "an online edit that clashes says so with status 6 and names the conflict" {
	both_know "En ligne"
	as one action edit "$action" --territory nord --target 2027-01-01
	# two looks at the replica, which is old, and edits that
	expect 6 'X-[0-9]+' as two action edit "$action" --territory nord --target 2027-02-02
	equal 0 "$(as two outbox list --format jsonl | wc -l)" "the outbox"
}

@test "a soft field that clashes is kept back alone" {
	both_know "Champ souple"
	as one action edit "$action" --territory nord --description "Une" --offline
	as two action edit "$action" --territory nord --description "Deux" --target 2027-09-09 --offline
	as one sync
	expect 3 'conflict' as two sync
	equal 2027-09-09 "$(field two target_on)"
	equal Une "$(field two description)"
	conflict=$(as two conflict list --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	equal '["description"]' "$(as two conflict show "$conflict" --territory nord --format json |
		jq -c '(.items[0]? // .) | [.fields[].field]')"
	as two conflict resolve "$conflict" --territory nord --mine
	equal Deux "$(field two description)"
}

@test "mine: the edit that was held back goes through, as a mutation of its own" {
	dispute "La mienne"
	as one conflict resolve "$conflict" --territory nord --mine --reason "vu au téléphone"
	as two sync
	equal 2027-02-02 "$(field two target_on)"
	equal Relancer "$(field two next_step)"
	equal resolved,mine,one "$(as two conflict show "$conflict" --territory nord --format csv --columns state,resolution,resolved_by | tail -n 1 | tr -d "\r")"
	expect 0 'vu au téléphone' as two action history "$action" --territory nord
	expect 9 'resolved' as two conflict resolve "$conflict" --territory nord --theirs
}

@test "theirs: the record stays as it is" {
	dispute "La leur"
	rev=$(field one rev)
	as two conflict resolve "$conflict" --territory nord --theirs
	as one sync
	equal "$rev" "$(field one rev)"
	equal 2027-01-01 "$(field one target_on)"
}

@test "field by field, with values of one's own, without a network" {
	dispute "Champ par champ"
	expect 0 'outbox' as one conflict resolve "$conflict" --territory nord --field target=2027-03-03 --field next-step=mine --offline
	equal 2027-03-03 "$(field one target_on)"
	equal 0 "$(as one conflict list --offline --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref" | wc -l)" "open here"
	as one sync
	as two sync
	equal 2027-03-03 "$(field two target_on)"
	equal Relancer "$(field two next_step)"
}

@test "in an editor, with both sides in view" {
	dispute "Éditeur"
	expect 2 'terminal' as one conflict resolve "$conflict" --territory nord --edit </dev/null
	cat >"$E2E/editor" <<-'END'
		#!/bin/sh
		grep -q '#   base' "$1" && grep -q '#   theirs *2027-01-01' "$1" || exit 1
		sed -i 's/^target_on = .*/target_on = 2027-04-04/; /^next_step/d' "$1"
	END
	chmod +x "$E2E/editor"
	env EDITOR="$E2E/editor" VISUAL= XDG_CONFIG_HOME="$E2E/one/config" XDG_DATA_HOME="$E2E/one/data" SHELL=/bin/sh \
		script -qec "'$SEVE' conflict resolve $conflict --territory nord --edit" /dev/null >"$E2E/typescript" 3>&- 4>&-
	as one sync
	equal 2027-04-04 "$(field one target_on)"
	equal null "$(field one next_step)"
	rm "$E2E/editor"
}

@test "two who decide at once conflict again instead of overwriting" {
	dispute "Deux décisions"
	as two sync
	as one conflict resolve "$conflict" --territory nord --field target=2027-05-05 --offline
	as two conflict resolve "$conflict" --territory nord --mine --offline
	as one sync
	expect 3 'conflict' as two sync
	equal 2027-05-05 "$(field two target_on)"
	again=$(as two conflict list --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	[ -n "$again" ] && [ "$again" != "$conflict" ]
	equal '["2027-02-02","2027-05-05"]' "$(as two conflict show "$again" --territory nord --format json |
		jq -c '(.items[0]? // .) | .fields[] | select(.field == "target_on") | [.mine, .theirs]')"
}

@test "a decision without an edit that comes too late is refused, shown, and dropped" {
	dispute "Trop tard"
	as two sync
	as one conflict resolve "$conflict" --territory nord --mine --offline
	as two conflict resolve "$conflict" --territory nord --theirs --offline
	as one sync
	expect 3 'RESOLVED' as two sync
	mid=$(as two outbox list --format jsonl | jq -r 'select(.state == "rejected") | .mid')
	as two outbox drop --territory nord "$mid"
}

@test "a refused edit stays in the list with its reason, and can be offered again" {
	both_know "Refusée"
	as two action edit "$action" --territory nord --status selected --offline
	expect 3 'STATE' as two sync
	expect 0 'rejected.*STATE' as two outbox list --format csv
	# what it lacked comes
	as one action edit "$action" --territory nord --status planned
	mid=$(as two outbox list --format jsonl | jq -r 'select(.state == "rejected") | .mid')
	expect 5 '' as two outbox retry 9999 --territory nord
	as two outbox retry "$mid" --territory nord
	equal pending "$(as two outbox list --format jsonl | jq -r '.state')"
	expect 9 'still to be sent' as two outbox retry "$((mid + 1))" --territory nord
	# it was made before that change: it clashes now, and is kept
	expect 3 'conflict' as two sync
	equal 0 "$(as two outbox list --format jsonl | wc -l)" "the outbox"
}

@test "whoever may not read the record any more does not read the conflict" {
	enroll eve coordinator nord
	as eve sync --territory nord
	dispute "Confidentielle"
	as eve sync
	expect 0 "$conflict" as eve conflict list --offline
	as one action edit "$action" --territory nord --level team
	as eve sync
	expect 0 '' as eve conflict list --offline
	equal 0 "$(as eve conflict list --offline --all --format jsonl | jq -r "select(.ref == \"$conflict\")" | wc -l)" "in the replica"
	expect 5 '' as eve conflict show "$conflict" --territory nord --server
	as one conflict resolve "$conflict" --territory nord --mine
}

@test "a conflict is not made, changed or deleted by hand" {
	expect 2 '' as one conflict add --territory nord
	expect 2 '' as one conflict edit X-1 --territory nord
	expect 2 '' as one conflict delete X-1 --territory nord
	expect 0 'X-1' as one conflict list --all --server --format csv
	expect 0 '"kind":"conflict"' as one export --territory nord
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
	conflict=$(as two conflict list --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	expect 0 'deleted' as two conflict show "$conflict" --territory nord
	as two conflict resolve "$conflict" --territory nord --theirs
	expect 5 '' as two action show "$action" --territory nord --server
}

@test "an edit of what another has deleted can bring it back, and itself with it" {
	both_know "Rappelée"
	as one action delete "$action" --territory nord --reason "saisie en double"
	as two action edit "$action" --territory nord --target 2027-05-05 --offline
	expect 3 'conflict' as two sync
	conflict=$(as two conflict list --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	as two conflict resolve "$conflict" --territory nord --mine --offline
	as two sync
	equal 2027-05-05 "$(field two target_on)"
	expect 0 'Rappelée' as one action show "$action" --territory nord --server
}

@test "a deletion of what another has edited is a conflict, and goes through when it is decided" {
	both_know "Promise"
	as one action edit "$action" --territory nord --target 2027-06-06
	as two action delete "$action" --territory nord --reason "vieille" --offline
	expect 3 'conflict' as two sync
	expect 0 'Promise' as two action show "$action" --territory nord --server
	conflict=$(as two conflict list --format jsonl | jq -r "select(.record_ref == \"$action\") | .ref")
	expect 0 'Target .*2027-06-06' as two conflict show "$conflict" --territory nord
	as two conflict resolve "$conflict" --territory nord --mine
	expect 5 '' as one action show "$action" --territory nord --server
}

@test "a deleted record can be brought back" {
	both_know "De retour"
	as one action delete "$action" --territory nord --reason "erreur"
	id=$(as two action show "$action" --territory nord --offline --format json | jq -r '(.items[0]? // .) | .id')
	as one action restore "$id" --territory nord --reason "erreur de l'erreur"
	expect 0 'De retour' as one action show "$action" --territory nord --server
}

# The two workshops: H1 and H5, by the command line, by a raw push, and by a partner's import.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord
	enroll cci importer nord --source cci
	for name in Laiterie Brasserie Scierie; do
		as anim actor add "$name" --territory nord --category company
	done
	as anim meeting add 'Atelier 1' --territory nord --kind workshop --number 1
	as anim meeting add 'Atelier 2' --territory nord --kind workshop --number 2
	cat >"$E2E/actions.map" <<-'END'
		key = cle
		titre = title
		etat = status
		facile = low_hanging
	END
}

teardown_file() {
	server_stop
}

edit() { # REFERENCE FLAG...
	local reference=$1
	shift
	as anim action edit "$reference" --territory nord "$@"
}

planned() { # TITLE FLAG...: a planned action; its reference
	local title=$1
	shift
	as anim action add "$title" --territory nord --status planned --treatment to_implement --reason "carnet de visites" "$@"
}

status_of() {
	as anim action show "$1" --territory nord --server --format json | jq -r '(.items[0]? // .).status'
}

import() { # KEY;TITLE;STATUS;LOW_HANGING
	printf 'cle;titre;etat;facile\n%s\n' "$1" >"$E2E/actions.csv"
	as cci import actions "$E2E/actions.csv" --mapping "$E2E/actions.map" --source cci --territory nord
}

@test "T8: workshop 1 does not close while a lead has no treatment" {
	lead=$(as anim action add "Palettes" --territory nord --status lead)
	expect 0 '' as anim meeting hold M-1 --territory nord --present A-1,A-2 --excused A-3
	equal "excused present present" "$(as anim attendance list --territory nord --server --format jsonl | jq -r .status | sort | xargs)"
	expect 9 "H5.*1 leads have no treatment \\($lead\\)" as anim meeting close M-1 --territory nord
	expect 9 "H5: atelier|H5.*l'atelier 1 ne peut être clos" as anim meeting close M-1 --territory nord --lang fr
	expect 9 'H5: workshop 1 cannot close' raw_push anim nord "because" "meeting M-1 state=closed"
	edit "$lead" --treatment to_document
	expect 0 '' as anim meeting close M-1 --territory nord
}

@test "T1: workshop 2 does not close while a low-hanging lead is not selected" {
	low=$(planned "Fruit à portée de main" --low-hanging yes --low-hanging-reason "deux voisins, une presse")
	other=$(planned "Chaleur")
	as anim meeting hold M-2 --territory nord --present A-1
	expect 9 "H1.*1 planned low-hanging actions are not selected \\($low\\)" as anim select close --territory nord
	expect 9 'H1: workshop 2 cannot close' raw_push anim nord "because" "meeting M-2 state=closed"
	expect 9 'H1.*neither deferred nor rejected' as anim select decide "$low" deferred --territory nord
	expect 0 '' as anim select decide "$low" selected --territory nord --why "tout est prêt"
	expect 0 '' as anim select decide "$other" deferred --territory nord
	equal "selected deferred" "$(status_of "$low") $(status_of "$other")"
	equal "tout est prêt" "$(as anim decision list --territory nord --server --format jsonl | jq -r 'select(.outcome == "selected") | .rationale')"
	equal 1 "$(as anim decision list --territory nord --server --format jsonl | jq -r 'select(.outcome == "selected") | .present_ids | length')"
	expect 0 '' as anim select close --territory nord
}

@test "H5: the second workshop decides on planned actions only, and not once it is closed" {
	as anim meeting add 'Atelier 2 bis' --territory nord --kind workshop --number 2
	lead=$(as anim action add "Pas encore" --territory nord --status lead --treatment to_elaborate)
	expect 9 'H5: only a planned action is decided on, this one is lead' \
		raw_push anim nord "because" "decision new meeting_id=@M-3 action_id=@$lead outcome=selected"
	expect 9 'STATE|H5' as anim select decide "$lead" selected --territory nord
	plan=$(planned "Prête")
	expect 9 'H5.*the workshop is closed' as anim select decide "$plan" selected --meeting M-2 --territory nord
	expect 0 'applied' raw_push anim nord "" "decision new meeting_id=@M-3 action_id=@$plan outcome=selected" "action $plan status=selected"
}

@test "T2: a low-hanging lead is rejected by no way in" {
	low=$(planned "Retenue d'office" --low-hanging yes)
	expect 9 'H1.*neither deferred nor rejected' edit "$low" --status rejected
	expect 9 'H1' edit "$low" --status rejected --low-hanging no --reason "deux en un"
	expect 9 'H1: a low-hanging action is neither' raw_push anim nord "because" "action $low status=rejected"
	expect 9 'H1' raw_push anim nord "because" "decision new meeting_id=@M-3 action_id=@$low outcome=rejected"
	equal planned "$(status_of "$low")"
	enroll pilote pilot nord --action "$low"
	expect 9 'H1' as pilote action edit "$low" --territory nord --status rejected --server
	equal planned "$(status_of "$low")"
}

@test "T2: an import neither rejects it nor takes the mark off" {
	import 'k1;Bâche commune;planned;yes'
	ref=$(ref_of anim action nord '.title == "Bâche commune"')
	expect 9 'neither deferred nor rejected.*\(H1\)' import 'k1;Bâche commune;rejected;yes'
	expect 9 'an import never.*\(H1\)' import 'k1;Bâche commune;planned;no'
	equal "planned true" "$(as anim action show "$ref" --territory nord --server --format json | jq -r '(.items[0]? // .) | "\(.status) \(.low_hanging)"')"
}

@test "H1: a low-hanging lead is deleted by no way in either, not even with a reason" {
	low=$(planned "Ne disparaît pas" --low-hanging yes)
	expect 9 'H1.*is not deleted: select it' as anim action delete "$low" --territory nord
	expect 9 'H1' as anim action delete "$low" --territory nord --reason "saisi deux fois"
	expect 9 'n.est pas supprimé' as anim action delete "$low" --territory nord --lang fr
	expect 9 'H1: a low-hanging action is not deleted' raw_push anim nord "because" "action $low delete"
	as anim sync --territory nord
	expect 0 'is not deleted.*\(H1\)' as anim action delete "$low" --territory nord --offline
	expect 3 'H1' as anim sync
	as anim outbox drop "$(as anim outbox list --format jsonl | jq -r .mid)" --territory nord
	equal planned "$(status_of "$low")"
	# taken back with its reason first, it may go
	edit "$low" --low-hanging no --reason "le site déménage"
	expect 0 '' as anim action delete "$low" --territory nord
}

@test "H1: an import neither deletes it, nor takes it back with its batch" {
	import 'k9;Quai commun;planned;yes'
	ref=$(ref_of anim action nord '.title == "Quai commun"')
	printf 'key = cle\ntitre = title\n[operation] quoi\nS = delete\n' >"$E2E/gone.map"
	printf 'cle;titre;quoi\nk9;Quai commun;S\n' >"$E2E/gone.csv"
	expect 9 'is not deleted' as cci import actions "$E2E/gone.csv" --mapping "$E2E/gone.map" --source cci --territory nord
	batch=$(as cci import list --territory nord --format json | jq -r '.items[1].batch')
	expect 3 'is not deleted' as cci import revert "$batch" --territory nord
	equal planned "$(status_of "$ref")"
}

@test "H1: the mark is taken off by a person with a reason, before selection" {
	low=$(planned "Plus si facile" --low-hanging yes)
	expect 9 'H1.*only with a reason' edit "$low" --low-hanging no
	expect 9 'H1: low-hanging is taken back only with a reason' raw_push anim nord "" "action $low low_hanging=no"
	expect 0 '' edit "$low" --low-hanging no --reason "le site déménage"
	expect 0 'le site déménage' as anim action history "$low" --territory nord --format csv
	edit "$low" --low-hanging yes
	edit "$low" --status selected
	expect 9 'H1.*stays so' edit "$low" --low-hanging no --reason "après coup"
}

@test "ideas become a lead, and leads become one; what they came from is kept" {
	as anim idea add "Une cour pour les palettes" --territory nord --meeting M-1 --mode collected
	as anim idea add "Broyer sur place" --territory nord --meeting M-1 --mode generated
	lead=$(as anim idea cluster I-1 I-2 --title "Cour à palettes" --territory nord)
	equal "clustered clustered" "$(as anim idea list --territory nord --server --format jsonl | jq -r .state | xargs)"
	equal 2 "$(as anim action show "$lead" --territory nord --server --format json | jq '(.items[0]? // .).source_ids | length')"
	other=$(planned "Reprise de palettes" --low-hanging yes)
	as anim position add --territory nord --actor A-1 --action "$other" --stance pilot
	as anim position add --territory nord --actor A-2 --action "$other" --stance contributor
	as anim position add --territory nord --actor A-2 --action "$lead" --stance contributor
	expect 0 '' as anim action merge "$other" --into "$lead" --territory nord
	equal merged "$(status_of "$other")"
	equal "true 3" "$(as anim action show "$lead" --territory nord --server --format json | jq -r '(.items[0]? // .) | "\(.low_hanging) \(.source_ids | length)"')"
	id=$(as anim action show "$lead" --territory nord --server --format json | jq -r '(.items[0]? // .).id')
	equal "contributor pilot" "$(as anim position list --territory nord --server --format jsonl | jq -r "select(.action_id == \"$id\" and .state == \"open\") | .stance" | sort | xargs)"
	expect 2 'itself' as anim action merge "$lead" --into "$lead" --territory nord
}

@test "minutes are added to a meeting, also from standard input" {
	as anim meeting minutes M-1 "La laiterie mesure en janvier" --decision --territory nord
	printf 'Tour de table\n' | as anim meeting minutes M-1 - --territory nord
	equal "decision information" "$(as anim minute list --territory nord --server --format jsonl | jq -r .minute_kind | sort | xargs)"
}

@test "an edit made offline against a hard rule is warned of at once, with the same code" {
	low=$(planned "Hors ligne" --low-hanging yes)
	as anim sync --territory nord
	expect 0 'neither deferred nor rejected.*\(H1\)' as anim action edit "$low" --territory nord --status rejected --offline
	expect 3 'H1' as anim sync
	as anim outbox drop "$(as anim outbox list --format jsonl | jq -r .mid)" --territory nord
	equal planned "$(status_of "$low")"
	# a move that is not allowed is said just as soon
	as anim action add "Deux fois hors ligne" --territory nord --status lead
	as anim sync
	as anim action edit P-12 --territory nord --status planned --offline
	expect 0 'STATE' as anim action edit P-12 --territory nord --status implemented --offline
}

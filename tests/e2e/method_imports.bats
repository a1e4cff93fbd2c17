# The hard rules through a partner's import, which no reason opens, and offline: each refused row says what is missing and what to do,
# and the row that has it passes.  H1 and H3 stand in method_selection.bats and method_extension.bats.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord,sud
	enroll terrain facilitator nord
	enroll cci importer nord --source cci
	for name in Laiterie Brasserie Fonderie Menuiserie; do
		as anim actor add "$name" --territory nord --category company
	done >/dev/null
}

teardown_file() {
	server_stop
}

# import ACCOUNT KIND TERRITORY HEADER ROW...: by the columns' own names
import() {
	local who=$1 kind=$2 territory=$3
	shift 3
	printf '%s\n' "$@" >"$E2E/rows.csv"
	tr ';' '\n' <<<"$1" | sed 's/^key$/key = key/; t; s/.*/& = &/' >"$E2E/rows.map"
	as "$who" import "$kind" "$E2E/rows.csv" --mapping "$E2E/rows.map" --source cci --territory "$territory"
}

shown() { # KIND REFERENCE JQ
	as anim "$1" show "$2" --territory nord --server --format json | jq -r "(.items[0]? // .) | $3"
}

id_of() { # KIND REFERENCE
	shown "$1" "$2" .id
}

offline() { # CODE COMMAND...: warned of at once with the same code, and refused at the sync
	local code=$1
	shift
	as terrain sync >/dev/null
	expect 0 "\\($code\\)" as terrain "$@" --territory nord --offline
	expect 3 'rejected' as terrain sync
	as terrain outbox drop "$(as terrain outbox list --format jsonl | jq -r .mid)" --territory nord
}

@test "H4: an imported action goes on only with two actors and one pilot" {
	import cci actions nord 'key;title;status' 'a1;Chaleur fatale;selected'
	ref=$(ref_of anim action nord '.title == "Chaleur fatale"')
	expect 9 '0 of 2 actors.*add 2 more.*\(H4\)' import cci actions nord 'key;title;status' 'a1;Chaleur fatale;in_progress'
	expect 9 '0 of 2 actors.*no pilot: position one actor.*\(H4\)' import cci actions nord 'key;title;status' 'a2;Toute neuve;in_progress'
	equal "" "$(ref_of anim action nord '.title == "Toute neuve"')"
	as anim position add --territory nord --actor A-1 --action "$ref" --stance pilot
	offline H4 action edit "$ref" --status in_progress
	expect 9 '1 of 2 actors.*add 1 more.*\(H4\)' import cci actions nord 'key;title;status' 'a1;Chaleur fatale;in_progress'
	as anim position add --territory nord --actor A-2 --action "$ref" --stance contributor
	equal selected "$(shown action "$ref" .status)"
	expect 0 '' import cci actions nord 'key;title;status' 'a1;Chaleur fatale;in_progress'
	equal in_progress "$(shown action "$ref" .status)"
}

@test "H7: an imported wave is not triggered before the dynamic has started" {
	as anim cohort add 'Trop tôt' --territory sud
	expect 9 '0 of 2 candidates.*H7: .*0 of 1 actions' import anim cohorts sud 'key;name;state' 'v0;Trop tôt aussi;triggered'
	equal "" "$(ref_of anim cohort sud '.name == "Trop tôt aussi"')"
	# here an action goes on, and no group has met
	import anim cohorts nord 'key;name' 'v1;Deuxième vague'
	ref=$(ref_of anim cohort nord '.name == "Deuxième vague"')
	offline H7 cohort edit "$ref" --state triggered
	expect 9 'H7: .*0 of 1 groups' import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered'
	as anim group add 'Groupe chaleur' --territory nord --action P-1
	as anim group edit G-1 --territory nord --state active
	meeting=$(as anim meeting add --territory nord --kind group --group G-1)
	as anim meeting hold "$meeting" --territory nord
	# what is missing now is another thing
	expect 9 '\(H2\)' import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered'
	! grep -q H7 <(import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered' 2>&1)
}

@test "H2: an imported wave is triggered by two candidates" {
	ref=$(ref_of anim cohort nord '.name == "Deuxième vague"')
	expect 9 '0 of 2 candidates.*2 more.*\(H2\)' import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered'
	for actor in A-3 A-4; do
		as anim actor edit "$actor" --territory nord --state approached
		as anim actor edit "$actor" --territory nord --state candidate
	done
	as anim cohort join "$ref" A-3 --territory nord
	offline H2 cohort edit "$ref" --state triggered
	expect 9 '1 of 2 candidates.*1 more.*\(H2\)' import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered'
	equal gathering "$(shown cohort "$ref" .state)"
	as anim cohort join "$ref" A-4 --territory nord
	expect 0 '' import anim cohorts nord 'key;name;state' 'v1;Deuxième vague;triggered'
	equal triggered "$(shown cohort "$ref" .state)"
}

@test "H5: an imported workshop 1 is closed once each lead has a treatment, and an imported decision is on a planned action" {
	lead=$(as anim action add "Palettes" --territory nord --status lead)
	import cci meetings nord 'key;kind;number;title;state' 'm1;workshop;1;Atelier 1;held'
	ref=$(ref_of anim meeting nord '.title == "Atelier 1"')
	offline H5 meeting edit "$ref" --state closed
	expect 9 "1 leads have no treatment \\($lead\\): say.*\\(H5\\)" \
		import cci meetings nord 'key;kind;number;title;state' 'm1;workshop;1;Atelier 1;closed'
	equal held "$(shown meeting "$ref" .state)"
	as anim action edit "$lead" --territory nord --treatment to_document
	expect 0 '' import cci meetings nord 'key;kind;number;title;state' 'm1;workshop;1;Atelier 1;closed'
	equal closed "$(shown meeting "$ref" .state)"
	# the second one decides
	second=$(as anim meeting add 'Atelier 2' --territory nord --kind workshop --number 2)
	row="d1;$(id_of meeting "$second");$(id_of action "$lead");deferred"
	expect 9 'this one is lead: plan it first.*\(H5\)' import anim decisions nord 'key;meeting_id;action_id;outcome' "$row"
	equal "" "$(as anim decision list --territory nord --server --format jsonl)"
	as anim action edit "$lead" --territory nord --status planned
	expect 0 '' import anim decisions nord 'key;meeting_id;action_id;outcome' "$row"
	equal deferred "$(as anim decision list --territory nord --server --format jsonl | jq -r .outcome)"
}

@test "H6: an imported mastery rises with a meeting, in the role, and before a validator" {
	as anim actor add 'Bureau extérieur' --territory nord --category other
	as anim contact add 'Personne d'\''Essai' --territory nord --actor A-1
	as anim contact add 'Experte d'\''Essai' --territory nord --actor "$(ref_of anim actor nord '.name == "Bureau extérieur"')"
	one=$(id_of contact C-1)
	expert=$(id_of contact C-2)
	header='key;contact_id;method;mastery;meeting_id;validator_id'
	without=$(as anim meeting add 'Sans rôle' --territory nord --kind training --state held --reason carnet)
	with=$(as anim meeting add 'Avec' --territory nord --kind training --state held --reason carnet \
		--facilitation "[{\"contact_id\":\"$one\",\"role\":\"observer\"}]")
	expect 9 'a meeting that was held.*\(H6\)' import anim knowhow nord "$header" "k1;$one;visit;observer;;"
	expect 9 'name the validator.*\(H6\)' import anim knowhow nord "$header" "k1;$one;visit;observer;$(id_of meeting "$with");"
	expect 9 'observer.*\(H6\)' import anim knowhow nord "$header" "k1;$one;visit;observer;$(id_of meeting "$without");$expert"
	equal "" "$(as anim knowhow list --territory nord --server --format jsonl)"
	expect 0 '' import anim knowhow nord "$header" "k1;$one;visit;observer;$(id_of meeting "$with");$expert"
	ref=$(ref_of anim knowhow nord '.method == "visit"')
	equal observer "$(shown knowhow "$ref" .mastery)"
	expect 9 'one step at a time.*\(H6\)' import anim knowhow nord "$header" "k1;$one;visit;autonomous;$(id_of meeting "$with");$expert"
	equal observer "$(shown knowhow "$ref" .mastery)"
	offline H6 knowhow edit "$ref" --mastery autonomous
}

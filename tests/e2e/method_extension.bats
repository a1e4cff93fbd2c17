# Waves of newcomers, groups that go on, know-how: H2, H3, H6, H7, S1, S2, S3, by the command line and by a raw push.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord,sud
	for name in Laiterie Brasserie Scierie; do
		as anim actor add "$name" --territory nord --category company --state member --reason "pionniers de 2024"
	done
	for name in Fonderie Menuiserie Traiteur; do
		as anim actor add "$name" --territory nord --category company --state candidate
	done
	as anim cohort add 'Deuxième vague' --territory nord
	as anim action add 'Chaleur fatale' --territory nord --status selected --horizon medium --scope large --reason "choisie en 2024"
	as anim group add 'Groupe chaleur' --territory nord --action P-1
}

teardown_file() {
	server_stop
}

state_of() { # KIND REFERENCE
	as anim "$1" show "$2" --territory nord --server --format json | jq -r '(.items[0]? // .) | .state // .status'
}

meeting() { # FLAG...: a meeting of the group
	as anim meeting add --territory nord --kind group --group G-1 "$@"
}

held() { # ROUND
	local ref
	ref=$(meeting --round "$1")
	as anim meeting hold "$ref" --territory nord
}

@test "H7: the extension opens only once the dynamic has started" {
	as anim territory edit nord --phase 6 --reason "reprise"
	expect 9 'H7.*0 of 1 actions' as anim territory phase close 6 --territory nord
	as anim cohort add 'Trop tôt' --territory sud
	expect 9 'H7' as anim cohort trigger W-1 --territory sud
	expect 9 'H7: the extension opens when' raw_push anim sud "because" "cohort W-1 state=triggered"
	expect 9 'H4' raw_push anim nord "because" "action P-1 status=in_progress"
	as anim position add --territory nord --actor A-1 --action P-1 --stance pilot
	expect 9 'H4: .*1 of 2' raw_push anim nord "because" "action P-1 status=in_progress"
	as anim position add --territory nord --actor A-2 --action P-1 --stance contributor
	as anim action edit P-1 --territory nord --status in_progress
	expect 9 'H7.*0 of 1 groups' as anim territory phase close 6 --territory nord
	as anim group edit G-1 --territory nord --state active
	held 1
	expect 2 'phase 6' as anim territory phase close 2 --territory nord
	expect 0 '' as anim territory phase close 6 --territory nord
}

@test "T3: one candidate does not trigger a wave, two do" {
	as anim cohort join W-1 A-4 --territory nord
	equal waiting "$(state_of actor A-4)"
	expect 9 'H2.*1 of 2 candidates' as anim cohort trigger W-1 --territory nord
	expect 9 '1 candidats sur 2' as anim cohort trigger W-1 --territory nord --lang fr
	expect 9 'H2: .*1 of 2' raw_push anim nord "because" "cohort W-1 state=triggered"
	as anim cohort join W-1 A-5 --territory nord
	expect 0 '' as anim cohort trigger W-1 --territory nord
	equal triggered "$(state_of cohort W-1)"
}

@test "T4: a newcomer is met before becoming a member; a reason overrides, and is kept" {
	expect 9 'H3.*0 of 1' as anim actor edit A-4 --territory nord --state member
	expect 9 'H3: ' raw_push anim nord "" "actor A-4 state=member"
	as anim interview add --territory nord --kind newcomer --actor A-4 --held 2026-11-20
	expect 9 'H3' as anim actor edit A-4 --territory nord --state member
	as anim interview edit V-1 --territory nord --state done
	expect 0 '' as anim actor edit A-4 --territory nord --state member
	# the interview stays, as long as the membership rests upon it alone
	expect 9 'H3.*A-4 became a member by this interview' as anim interview delete V-1 --territory nord
	expect 9 'H3: A-4 became a member' raw_push anim nord "" "interview V-1 delete"
	expect 0 '' as anim interview delete V-1 --territory nord --reason "saisi deux fois"
	as anim interview restore V-1 --territory nord
	expect 0 '' as anim actor edit A-5 --territory nord --state member --reason "connue depuis dix ans"
	expect 0 'connue depuis dix ans' as anim actor history A-5 --territory nord --format csv
}

@test "T4: an import makes nobody a member without the interview" {
	printf 'key = cle\nnom = name\netat = state\nnature = category\n' >"$E2E/actors.map"
	printf 'cle;nom;etat;nature\nz1;Transporteur;member;company\n' >"$E2E/actors.csv"
	enroll cci importer nord --source cci
	expect 9 '0 of 1.*\(H3\)' as cci import actors "$E2E/actors.csv" --mapping "$E2E/actors.map" --source cci --territory nord
	equal "" "$(ref_of anim actor nord '.name == "Transporteur"')"
}

@test "T5: two held meetings and a cancelled one do not conclude a group without a reason" {
	held 1
	ref=$(meeting --round 1)
	as anim meeting edit "$ref" --territory nord --state cancelled --cause "verglas"
	expect 9 'S1.*2 of at least 3' as anim group edit G-1 --territory nord --state concluded
	expect 9 'S1: ' raw_push anim nord "" "group G-1 state=concluded"
	held 1
	expect 0 '' as anim group edit G-1 --territory nord --state concluded
}

@test "S1: a meeting that the conclusion rests upon is deleted only with a reason" {
	equal concluded "$(state_of group G-1)"
	met=$(as anim meeting list --territory nord --server --format jsonl | jq -r 'select(.meeting_kind == "group" and .state == "held") | .ref' | head -n 1)
	expect 9 'S1.*left with 2 of at least 3' as anim meeting delete "$met" --territory nord
	expect 9 'S1: .*left with 2' raw_push anim nord "" "meeting $met delete"
	expect 0 'left with 2 of at least 3 held meetings in round 1 \(S1\)' as anim meeting delete "$met" --territory nord --reason "saisie deux fois"
	as anim meeting restore "$met" --territory nord
}

@test "T15: newcomers open a concluded group again: round 2, a budget of its own, round 1 in the history" {
	expect 9 'ROUND.*round 2' as anim group edit G-1 --territory nord --state active
	expect 9 'ROUND' raw_push anim nord "because" "group G-1 state=active"
	as anim meeting add 'Co-construction' --territory nord --kind co_construction --cohort W-1
	expect 0 '' as anim group reopen G-1 --cohort W-1 --territory nord
	as anim position add --territory nord --actor A-4 --group G-1 --stance contributor
	equal "active 2" "$(as anim group show G-1 --territory nord --server --format json | jq -r '(.items[0]? // .) | "\(.state) \(.round)"')"
	for _ in 1 2 3 4 5; do held 2; done
	expect 9 'S1.*meeting 6 of the group in round 2, of at most 5' meeting --round 2
	expect 9 'S1: this is meeting 6' raw_push anim nord "" "meeting new kind=group group_id=@G-1 round=2"
	expect 0 'meeting 6 of the group in round 2, of at most 5 \(S1\)' meeting --round 2 --reason "une visite de plus"
	expect 0 'round: .*-> 2' as anim group history G-1 --territory nord --format csv
	equal "3 6" "$(as anim meeting list --territory nord --server --format jsonl |
		jq -s -r '[.[] | select(.meeting_kind == "group" and .state != "cancelled")] | "\(map(select(.round == 1)) | length) \(map(select(.round == 2)) | length)"')"
}

@test "S2: a group on a short and small action asks for a reason" {
	as anim action add 'Prêter un transpalette' --territory nord --status lead --horizon short --scope small
	light=$(ref_of anim action nord '.title == "Prêter un transpalette"')
	expect 9 "S2.*short and small: $light" as anim group add 'Transpalettes' --territory nord --action "$light"
	expect 0 'S2' as anim group add 'Transpalettes' --territory nord --action "$light" --reason "trois sites d'un coup"
}

@test "T9: phase 2 closes once each member was visited; the message lists the others" {
	for name in Port Moulin; do
		as anim actor add "$name" --territory sud --category company --state member --reason "pionniers"
	done
	as anim territory edit sud --phase 2
	as anim interview add --territory sud --kind site_visit --actor A-1 --state done --held 2026-11-03 --reason "carnet"
	expect 9 'S3.*1 of 2 have not \(A-2\)' as anim territory phase close 2 --territory sud
	expect 0 '\(A-2\) \(S3\)' as anim territory phase close 2 --territory sud --reason "fermé pour l'hiver"
	equal 3 "$(as anim territory show sud --server --format json | jq -r '(.items[0]? // .).phase')"
}

@test "T16: step by step, each in a meeting and before a validator, somebody local masters the method" {
	as anim actor add 'Bureau extérieur' --territory nord --category other
	expert=$(ref_of anim actor nord '.name == "Bureau extérieur"')
	as anim contact add 'Personne d'\''Essai' --territory nord --actor A-1
	as anim contact add 'Experte d'\''Essai' --territory nord --actor "$expert"
	id=$(as anim contact show C-1 --territory nord --server --format json | jq -r '(.items[0]? // .).id')
	local -a sessions=()
	for role in observer co co lead; do
		sessions+=("$(as anim meeting add "Séance $role" --territory nord --kind training --state held --reason "carnet" \
			--facilitation "[{\"contact_id\":\"$id\",\"role\":\"$role\"}]")")
	done
	equal "" "$(as anim knowhow readiness --territory nord --format jsonl | jq -r 'select(.ready) | .ref')"
	for method in visit swot workshop selection group measurement; do
		ref=$(as anim knowhow add --territory nord --contact C-1 --method "$method" --mastery aware)
		if [[ $method == visit ]]; then
			expect 9 'H6.*a meeting that was held' as anim knowhow edit "$ref" --territory nord --mastery observer --validator C-2
			expect 9 'H6.*name the validator' as anim knowhow edit "$ref" --territory nord --mastery observer --meeting "${sessions[0]}"
			expect 9 'H6: ' raw_push anim nord "because" "knowhow $ref mastery=autonomous"
			expect 9 'H6.*one step at a time' as anim knowhow edit "$ref" --territory nord --mastery autonomous --meeting "${sessions[3]}" --validator C-2
		fi
		as anim knowhow edit "$ref" --territory nord --mastery observer --meeting "${sessions[0]}" --validator C-2
		[[ $method != visit ]] || expect 9 'H6.*co, lead' as anim knowhow edit "$ref" --territory nord --mastery co_facilitator --meeting "$(as anim meeting add 'Sans rôle' --territory nord --kind training --state held --reason carnet)"
		as anim knowhow edit "$ref" --territory nord --mastery co_facilitator --meeting "${sessions[1]}"
		as anim knowhow edit "$ref" --territory nord --mastery supported_lead --meeting "${sessions[2]}"
		as anim knowhow edit "$ref" --territory nord --mastery autonomous --meeting "${sessions[3]}"
	done
	equal "C-1 6 1 2 1" "$(as anim knowhow readiness --territory nord --format jsonl |
		jq -r 'select(.ready) | [.ref, .methods, .observed, .assisted, .led] | join(" ")')"
}

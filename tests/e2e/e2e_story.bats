# The main job: a partner imports real establishments, a facilitator works, two coordinators synchronise.
# The tests of this file are chapters: each goes on where the one before it ended.
load helper

setup_file() {
	server_start
	two_territories
	enroll partner importer nord,sud --source irep
	enroll facilitator facilitator nord,sud
	enroll coordinator-nord coordinator nord,sud
	enroll coordinator-sud coordinator nord,sud
}

teardown_file() {
	server_stop
}

import() { # TERRITORY [FLAG...]
	local territory=$1
	shift
	as partner import actors "$DATA/irep/$territory.csv" --mapping irep --source irep --territory "$territory" --format json "$@"
}

counts() { # of a JSON report: created updated unchanged attached rejected
	jq -r '[.created, .updated, .unchanged, .attached, .rejected] | map(. // 0) | join(" ")'
}

@test "the territories carry their real communes" {
	run as facilitator territory show nord --format json
	[ "$status" -eq 0 ]
	[[ $output == *59183* ]]
	[[ $output == *Dunkerque* ]]
}

@test "a dry run predicts the import and writes nothing" {
	predicted=$(import nord --dry-run | counts)
	equal 0 "$(as facilitator actor list --territory nord --server --format jsonl | wc -l)"
	equal "$predicted" "$(import nord | counts)"
	equal "$(import sud --dry-run | counts)" "$(import sud | counts)"
}

@test "two sites of one establishment become one actor with two keys" {
	equal 51 "$(as facilitator actor list --territory nord --server --limit 1000 --format jsonl | wc -l)"
	equal 36 "$(as facilitator actor list --territory sud --server --limit 1000 --format jsonl | wc -l)"
}

@test "a second import changes nothing" {
	equal "0 0 54 0 0" "$(import nord | counts)"
	equal "0 0 36 0 0" "$(import sud | counts)"
}

@test "the facilitator adds actions, a group and its meetings" {
	aluminium=$(ref_of facilitator actor nord '.name | test("Aluminium")')
	comilog=$(ref_of facilitator actor nord '.name | test("COMILOG")')
	as facilitator action add --territory nord --title "Chaleur fatale partagée" --status lead
	as facilitator action add --territory nord --title "Achat groupé de palettes" --status lead
	as facilitator action add --territory sud --title "Navette commune des salariés" --status lead
	action=$(ref_of facilitator action nord '.title | test("Chaleur")')
	as facilitator position add --territory nord --actor "$aluminium" --action "$action" --stance pilot
	as facilitator position add --territory nord --actor "$comilog" --action "$action" --stance contributor
	for status in planned selected in_progress; do
		as facilitator action edit "$action" --territory nord --status "$status"
	done
	as facilitator action edit "$action" --territory nord --pilot "$aluminium" --next-step "Mesurer les rejets" --due 2027-01-15
	as facilitator group add --territory nord --name "Groupe chaleur" --action "$action"
	group=$(ref_of facilitator group nord '.name | test("chaleur")')
	for month in 01 02 03; do
		as facilitator meeting add --territory nord --kind group --group "$group" --title "Réunion $month" --start "2027-$month-12T09:00:00Z"
	done
	equal 3 "$(as facilitator meeting list --territory nord --server --format jsonl | wc -l)"
}

@test "both coordinators carry both territories" {
	as coordinator-nord sync --territory nord --territory sud
	as coordinator-sud sync --territory nord --territory sud
	equal 87 "$(as coordinator-nord actor list --offline --limit 1000 --format jsonl | wc -l)"
}

@test "an edit made without a network reaches the other coordinator" {
	action=$(ref_of facilitator action nord '.title | test("palettes")')
	as coordinator-nord action edit "$action" --territory nord --next-step "Compter les palettes" --offline
	equal 1 "$(as coordinator-nord outbox list --format jsonl | wc -l)"
	as coordinator-nord sync
	equal 0 "$(as coordinator-nord outbox list --format jsonl | wc -l)"
	as coordinator-sud sync
	expect 0 "Compter les palettes" as coordinator-sud action show "$action" --territory nord --offline
}

@test "an action made without a network gets its reference at the next sync" {
	as coordinator-sud action add --territory sud --title "Compost commun" --offline
	expect 0 '~' as coordinator-sud action list --territory sud --offline
	as coordinator-sud sync
	expect 0 'P-2' as coordinator-sud action list --territory sud --offline
	as coordinator-nord sync
	expect 0 'Compost commun' as coordinator-nord action list --territory sud --offline
}

@test "the list of the server and the list of the replica agree" {
	for arguments in "action list --status in_progress" "action list" "actor list --limit 1000" "meeting list --territory nord"; do
		# shellcheck disable=SC2086
		equal "$(as coordinator-nord $arguments --server --format jsonl)" "$(as coordinator-nord $arguments --offline --format jsonl)" "$arguments"
	done
	equal 1 "$(as coordinator-nord action list --status in_progress --offline --format jsonl | wc -l)"
}

@test "the exports of two replicas in step are the same bytes" {
	as coordinator-nord export --output "$E2E/nord.jsonl"
	as coordinator-sud export --output "$E2E/sud.jsonl"
	[ -s "$E2E/nord.jsonl" ]
	cmp "$E2E/nord.jsonl" "$E2E/sud.jsonl"
}

@test "an action's history tells who changed what" {
	action=$(ref_of facilitator action nord '.title | test("palettes")')
	run as coordinator-sud action history "$action" --territory nord --format json
	[ "$status" -eq 0 ]
	[[ $output == *coordinator-nord* ]]
	[[ $output == *next_step* ]]
}

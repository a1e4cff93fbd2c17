#!/usr/bin/env bash
# demo_method.sh BUILD -- one territory through all phases of the method, with a refused and an allowed move for each hard rule.  The
# companies are real (Géorisques, IREP 2010: tests/data/SOURCES.md); their needs, hours, actions and sayings are INVENTED for this story
# and say nothing of them.  Leaves nothing running and nothing behind; ends with 1 as soon as a result is not what it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
SEVE_SOURCE=$PWD
SEVE_BUILD=$(readlink -f "${1:-build/release}")
# shellcheck source=tests/e2e/helper.bash
source tests/e2e/helper.bash
# shellcheck source=tests/story.bash
source tests/story.bash

# f COMMAND...: the facilitator, shown; its reference is then in $made.
f() {
	try facilitator "$@"
	made=$(head -n 1 "$E2E/out")
}

# quiet COMMAND...: the facilitator, not shown: what only fills the stage.
quiet() {
	made=$(as facilitator "$@" 2>/dev/null | head -n 1)
}

phase() { # N
	as facilitator territory progress dunkerque --format jsonl | jq -r --argjson n "$1" 'select(.phase == $n) | .complete'
}

run_folder
step "A server, a territory, its facilitator"
daemon_start
quietly as admin login --device demo - <"$E2E/server/invite"
mapfile -t communes < <(insee 245900428)
try admin territory create --slug dunkerque --name Dunkerque --region Hauts-de-France "${communes[@]}"
enroll facilitator facilitator dunkerque
enroll partner importer dunkerque --source irep
note "everything below is invented, but for the companies' names and places"

step "Phase 0, recruiting: real companies come from a partner's file, four of them say yes"
as partner import actors "$DATA/irep/nord.csv" --mapping irep --source irep --territory dunkerque >"$E2E/out" 2>&1
note "$(as facilitator actor list --format jsonl | wc -l) establishments imported"
mapfile -t pioneers < <(as facilitator actor list --format jsonl | jq -r .ref | sort -V | head -n 4)
mapfile -t newcomers < <(as facilitator actor list --format jsonl | jq -r .ref | sort -V | sed -n 5,6p)
for who in "${pioneers[@]}"; do
	for state in approached candidate member; do quiet actor edit "$who" --state "$state"; done
done
note "${pioneers[*]} approached, candidates, members"
refused facilitator 'approached' actor edit "${newcomers[0]}" --state member
check "phase 0" true "$(phase 0)"

step "Phase 1, the authorities"
f actor add 'Communauté urbaine de Dunkerque' --category local_authority
authority=$made
f interview add --kind public_authority --actor "$authority" --authority-level intercommunality --held 2026-09-02
f interview edit "$made" --state 'done'
check "phase 1" true "$(phase 1)"

step "Phase 2, visits: problems, needs, opportunities and capacities are light cards"
for who in "${pioneers[@]}"; do
	quiet interview add --kind site_visit --actor "$who" --held 2026-09-10
	visit=${visit:-$made}
	quiet interview edit "$made" --state 'done'
	quiet availability add --actor "$who" --from 2026-01-01 --hours-month 12
done
note "four visits done; each says that it has 12 hours a month"
f problem add --actor "${pioneers[0]}" --interview "$visit" --theme déchets --statement 'Les palettes cassées encombrent la cour' --severity 2
problem=$made
f resource add --stance need --actor "${pioneers[0]}" --interview "$visit" --problem "$problem" --family by_product_waste --label 'Enlèvement de palettes cassées' --waste-code '15 01 03'
need=$made
quiet resource edit "$need" --state open
f resource add --stance capacity --actor "${pioneers[1]}" --family by_product_waste --label 'Broyage de palettes bois' --waste-code 150103
offer=$made
quiet resource edit "$offer" --state open
try facilitator match
f match adopt "$need" "$offer" --title 'Broyer les palettes ensemble'
pallets=$made
check "phase 2" true "$(phase 2)"

step "Phase 3, strengths, weaknesses, opportunities, threats"
quiet swot_entry add --as-of 2026-09-30 --quadrant strength --weight 3 --text 'Un port, des quais, du rail'
quiet swot_entry add --as-of 2026-09-30 --quadrant weakness --weight 2 --text 'Peu de foncier'
quiet swot_entry add --as-of 2026-09-30 --quadrant opportunity --weight 2 --text 'De la chaleur disponible' --evidence "$need"
quiet swot_entry add --as-of 2026-09-30 --quadrant threat --weight 1 --text "Prix de l'énergie"
try facilitator swot show
check "phase 3" true "$(phase 3)"

step "Phase 4, workshop 1: ideas become leads, each with a treatment (H5)"
f meeting add --kind workshop --number 1 --title 'Atelier 1' --start 2026-10-01T08:00:00Z
workshop=$made
f idea add --meeting "$workshop" --mode co_constructed --text 'Et si on chauffait la serre ?'
idea=$made
f action add 'Chaleur pour la serre' --status lead --origin workshop --horizon medium --scope large --promise 5 --effort 3
heat=$made
quiet idea edit "$idea" --state clustered --action "$heat"
quiet action add 'Navette de livraison' --status lead --origin workshop --promise 3 --effort 4 --treatment to_document
shuttle=$made
quiet meeting edit "$workshop" --state held
quiet action edit "$pallets" --treatment to_implement
refused facilitator 'H5|treatment' meeting edit "$workshop" --state closed
f action edit "$heat" --treatment to_elaborate
f meeting edit "$workshop" --state closed
for action in "$heat" "$pallets" "$shuttle"; do quiet action edit "$action" --status planned; done
try facilitator plan show
check "phase 4" true "$(phase 4)"

step "Phase 5, workshop 2: what would the selection mean? low-hanging fruit is selected in any case (H1)"
quiet position add --actor "${pioneers[0]}" --action "$pallets" --stance contributor
quiet position add --actor "${pioneers[1]}" --action "$pallets" --stance pilot
quiet position add --actor "${pioneers[2]}" --action "$heat" --stance pilot
quiet position add --actor "${pioneers[3]}" --action "$heat" --stance contributor
f action edit "$pallets" --low-hanging yes --low-hanging-reason 'le broyeur est là'
try facilitator select simulate
try facilitator select rank
f meeting add --kind workshop --number 2 --title 'Atelier 2' --start 2026-10-15T08:00:00Z
workshop2=$made
quiet meeting edit "$workshop2" --state held
refused facilitator 'H1|low-hanging' decision add --meeting "$workshop2" --action "$pallets" --outcome rejected
refused facilitator 'H1|low-hanging' meeting edit "$workshop2" --state closed
for action in "$pallets" "$heat"; do
	quiet decision add --meeting "$workshop2" --action "$action" --outcome selected
	quiet action edit "$action" --status selected
done
quiet decision add --meeting "$workshop2" --action "$shuttle" --outcome deferred
quiet action edit "$shuttle" --status deferred
f meeting edit "$workshop2" --state closed
check "phase 5" true "$(phase 5)"

step "Phase 6, groups; an action in progress is one of several actors with one pilot (H4)"
quiet action add 'Action à un seul' --status lead --treatment to_implement
alone=$made
for state in planned selected; do quiet action edit "$alone" --status "$state"; done
refused facilitator 'H4' action edit "$alone" --status in_progress
f action edit "$alone" --status abandoned --cause no_partner
f action edit "$heat" --status in_progress
quiet action edit "$pallets" --status in_progress

step "... and the extension does not open before a group has met (H7)"
refused facilitator 'H7' territory edit dunkerque --phase 7
f group add 'Groupe chaleur' --action "$heat"
group=$made
quiet group edit "$group" --state active
for day in 03 10 17; do
	quiet meeting add --kind group --group "$group" --title "Réunion du $day novembre" --start "2026-11-${day}T08:00:00Z"
	quiet meeting edit "$made" --state held
done
f group edit "$group" --state concluded
check "phase 6" true "$(phase 6)"
f territory edit dunkerque --phase 7

step "Phase 7, extension: a wave of several (H2), each met on their own (H3)"
f cohort add 'Vague 1'
cohort=$made
for state in approached candidate; do quiet actor edit "${newcomers[0]}" --state "$state"; done
quiet actor edit "${newcomers[0]}" --cohort "$cohort" --wave 1
refused facilitator '1 of 2' cohort edit "$cohort" --state triggered
for state in approached candidate; do quiet actor edit "${newcomers[1]}" --state "$state"; done
quiet actor edit "${newcomers[1]}" --cohort "$cohort" --wave 1
f cohort edit "$cohort" --state triggered
refused facilitator 'H3|newcomer' actor edit "${newcomers[0]}" --state member
quiet interview add --kind newcomer --actor "${newcomers[0]}" --held 2026-11-20
quiet interview edit "$made" --state 'done'
f actor edit "${newcomers[0]}" --state member

step "Know-how: mastery rises with a meeting in which it was shown, and somebody who says so (H6)"
quiet contact add 'Personne inventée A' --actor "${pioneers[0]}"
successor=$made
quiet contact add 'Personne inventée B' --actor "$authority"
outsider=$made
refused facilitator 'H6' knowhow add --contact "$successor" --method group --mastery observer
quiet meeting add --kind group --group "$group" --title 'Réunion de suivi' --start 2026-11-21T08:00:00Z \
	--facilitation "[{\"contact_id\":\"$(as facilitator contact show "$successor" --format json | jq -r '(.items[0]? // .).id')\",\"role\":\"observer\"}]" --reason 'la personne apprend'
shown=$made
quiet meeting edit "$shown" --state held
f knowhow add --contact "$successor" --method group --mastery observer --meeting "$shown" --validator "$outsider"
try facilitator knowhow readiness
try facilitator report knowhow

step "What it brought, and its story from the sentence in a visit"
f benefit add --action "$pallets" --measure waste_t --value 38 --certainty measured --from 2026-11-01 --to 2026-11-30
try facilitator action trace "$pallets"
check "the story's first and last stage" "visit benefit" "$(as facilitator action trace "$pallets" --format jsonl | jq -r .stage | sed -n '1p;$p' | xargs)"
try facilitator report conversion
try facilitator report benefits
try facilitator territory progress dunkerque
try facilitator load
try facilitator stalled
try facilitator territory compare

step "Without a network the same views from this machine's replica"
try facilitator sync --territory dunkerque
check "the conversion offline, as from the server" "$(as facilitator report conversion --server --format csv | sha256sum)" \
	"$(as facilitator report conversion --offline --format csv 2>/dev/null | sha256sum)"
printf '\nEverything came out as it should.\n'

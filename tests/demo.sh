#!/usr/bin/env bash
# demo.sh BUILD -- the main job on real data, each step with its command and its result.  Leaves nothing running and nothing behind.
# Ends with 1 as soon as a step's result is not what it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
SEVE_SOURCE=$PWD
SEVE_BUILD=$(readlink -f "${1:-build/release}")
# shellcheck source=tests/e2e/helper.bash
source tests/e2e/helper.bash
# shellcheck source=tests/story.bash
source tests/story.bash

lines() { # ACCOUNT COMMAND...: how many records a list gives
	as "$@" --limit 100000 --format jsonl 2>/dev/null | wc -l
}

import() { # TERRITORY FLAGS...
	local territory=$1
	shift
	try partner import actors "$DATA/irep/$territory.csv" --mapping irep --source irep --territory "$territory" "$@"
}

run_folder
started=$(date +%s%N)

step "A server in an empty folder: its own PostgreSQL, its own certificates"
daemon_start
note "listens on port $(port), $((($(date +%s%N) - started) / 1000000)) ms after nothing was there"
quietly as admin login --device demo - <"$E2E/server/invite"
note "the admin enrolled with the single-use invite that the server wrote"

step "A region with two territories: real neighbours, with their communes' INSEE codes"
mapfile -t communes < <(insee 245900428)
try admin territory create --slug nord --name Dunkerque --region Hauts-de-France "${communes[@]}"
mapfile -t communes < <(insee 200040954 200069037 200040947)
try admin territory create --slug sud --name 'Flandre et Audomarois' --region Hauts-de-France "${communes[@]}"
try admin territory list

step "Accounts, by single-use invites: a partner, a facilitator, two coordinators"
enroll partner importer nord,sud --source irep
enroll facilitator facilitator nord,sud
enroll nord coordinator nord,sud
enroll sud coordinator nord,sud
note "partner (importer of the source irep), facilitator, nord and sud (coordinators), each on a machine of its own"

step "A partner's script imports real industrial establishments (Géorisques, IREP 2010): first a dry run"
import nord --dry-run
check "records after the dry run" 0 "$(lines facilitator actor list --territory nord --server)"

step "The import itself, then the same files again"
import nord
import sud
actors=$(lines facilitator actor list --server)
import nord
import sud
check "actors after the second import (90 rows; three establishments have two sites)" "$actors" "$(lines facilitator actor list --server)"

step "Another partner, another file: Sirene, as OpenDataSoft exports it, in a territory of its own"
mapfile -t communes < <(insee 200054807)
try admin territory create --slug marseille --name 'Aix-Marseille-Provence' --region "Provence-Alpes-Côte d'Azur" "${communes[@]}"
enroll insee importer marseille --source sirene
for expected in 60,0 0,60; do
	try insee import actors "$DATA/sirene/bouches-du-rhone.csv" --mapping sirene-ods --source sirene --territory marseille --format json
	check "created and unchanged" "$expected" "$(jq -r '"\(.created),\(.unchanged)"' "$E2E/out")"
done

step "The facilitator turns leads into actions"
try facilitator action add --territory nord --title 'Chaleur fatale partagée' --status lead
try facilitator action add --territory nord --title 'Achat groupé de palettes' --status lead
try facilitator action add --territory sud --title 'Navette commune des salariés' --status lead
heat=$(ref_of facilitator action nord '.title | test("Chaleur")')
pallets=$(ref_of facilitator action nord '.title | test("palettes")')
try facilitator action edit "$heat" --territory nord --status planned
try facilitator action edit "$heat" --territory nord --status selected

step "The method's rule H4: in progress only with two actors, one of them the pilot"
refused facilitator 'common one' action edit "$heat" --territory nord --status in_progress
aluminium=$(ref_of facilitator actor nord '.name | test("Aluminium")')
comilog=$(ref_of facilitator actor nord '.name | test("COMILOG")')
try facilitator position add --territory nord --actor "$aluminium" --action "$heat" --stance pilot --hours-month 8
try facilitator position add --territory nord --actor "$comilog" --action "$heat" --stance contributor --hours-month 4
try facilitator action edit "$heat" --territory nord --status in_progress --pilot "$aluminium" \
	--next-step 'Mesurer les rejets' --due 2027-01-15

step "A working group and its meetings"
try facilitator group add --territory nord --name 'Groupe chaleur' --action "$heat"
group=$(ref_of facilitator group nord '.name | test("chaleur")')
for day in 2027-01-12 2027-02-09 2027-03-09; do
	try facilitator meeting add --territory nord --kind group --group "$group" --title "Réunion du $day" --start "${day}T09:00:00Z"
done

step "Two coordinators carry both territories on their machines"
try nord sync --territory nord --territory sud
try sud sync --territory nord --territory sud

step "One edits without a network, then synchronises; the other sees it"
try nord action edit "$pallets" --territory nord --next-step 'Compter les palettes' --due 2027-02-01 --offline
try nord status
try nord sync
try sud sync
try sud action show "$pallets" --territory nord
check "the other coordinator reads" 'Compter les palettes' \
	"$(as sud action list --territory nord --offline --format jsonl 2>/dev/null | jq -r "select(.ref == \"$pallets\") | .next_step")"

step "Which actions are in progress, with whom, and what comes next?  Server and replica agree"
try sud action list --status in_progress --server
try sud action list --status in_progress --offline
check "the same records from both" "$(as sud action list --status in_progress --server --format jsonl 2>/dev/null)" \
	"$(as sud action list --status in_progress --offline --format jsonl 2>/dev/null)" >"$E2E/out"
note "checked: the same, field by field"

step "Both replicas export the same bytes"
as nord export --output "$E2E/nord.jsonl"
as sud export --output "$E2E/sud.jsonl"
check "SHA-256 of both exports" "$(sha256sum <"$E2E/nord.jsonl")" "$(sha256sum <"$E2E/sud.jsonl")"
note "$(wc -l <"$E2E/nord.jsonl") records, $(wc -c <"$E2E/nord.jsonl") bytes"

step "The server stops; nothing is left running"
daemon_end TERM
check "processes left" 0 "$(pgrep -c -f "$E2E/server" || true)"

printf '\nThe demonstration succeeded: %d steps in %d s.\n' "$number" "$((($(date +%s%N) - started) / 1000000000))"

# Roles that are bound to one record: a pilot's action, a partner's actor.  T14: no right reaches beyond it.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord,sud
	as anim actor add "Papeterie du Canal" --territory nord --category company
	as anim actor add "Scierie de l'Aa" --territory nord --category company
	as anim action add "Broyer les palettes" --territory nord --status lead
	as anim action add "Partager un quai" --territory nord --status lead
	as anim action add "Chaleur du four" --territory sud --status lead
	as anim contact add "Accueil de la papeterie" --territory nord --actor A-1
	as anim contact add "Accueil de la scierie" --territory nord --actor A-2
	enroll pilote pilot nord --action P-1
	enroll papeterie partner nord --actor A-1
	enroll scierie partner nord --actor A-2
}

teardown_file() {
	server_stop
}

names() { # ACCOUNT FLAG...
	local account=$1
	shift
	as "$account" contact list --territory nord --format json "$@" | jq -r '[.items[].name] | sort | join(", ")'
}

@test "T14: a pilot moves the own action, and writes its tasks" {
	as pilote action edit P-1 --territory nord --status planned --next-step "Compter les palettes" --server
	as pilote task add "Appeler la scierie" --territory nord --action P-1 --server
	equal planned "$(as anim action show P-1 --territory nord --format json --server | jq -r '(.items[0]? // .).status')"
	equal 1 "$(as anim task list --territory nord --format json --server | jq '.items | length')"
}

@test "T14: a pilot does not write the action's other fields" {
	expect 7 'status, cause, progress' as pilote action edit P-1 --territory nord --title "Autre titre" --server
	equal "Broyer les palettes" "$(as anim action show P-1 --territory nord --format json --server | jq -r '(.items[0]? // .).title')"
}

@test "a pilot decides about what was held back of the own edits, and nobody else's role reaches there" {
	local conflict
	as pilote sync --territory nord
	as anim action edit P-1 --territory nord --status deferred --server
	as pilote action edit P-1 --territory nord --status selected --offline
	expect 3 'conflict' as pilote sync --territory nord
	conflict=$(as pilote conflict list --territory nord --format jsonl | jq -r 'select(.record_ref == "P-1") | .ref')
	as papeterie sync --territory nord
	expect 7 'may not decide' as papeterie conflict resolve "$conflict" --territory nord --theirs
	as pilote conflict resolve "$conflict" --territory nord --theirs
	equal 0 "$(as anim conflict list --territory nord --format jsonl --server | grep -c "$conflict")"
	equal deferred "$(as anim action show P-1 --territory nord --format json --server | jq -r '(.items[0]? // .).status')"
}

@test "T14: a pilot neither makes, deletes nor touches another action" {
	expect 7 'own actor or action' as pilote action edit P-2 --territory nord --status planned --server
	expect 7 'neither makes nor deletes' as pilote action add "De trop" --territory nord --server
	expect 7 'neither makes nor deletes' as pilote action delete P-1 --territory nord --server
	expect 7 'own actor or action' as pilote task add "Tâche d'une autre" --territory nord --action P-2 --server
	expect 7 'may not write' as pilote actor edit A-1 --territory nord --name "Autre nom" --server
	equal lead "$(as anim action show P-2 --territory nord --format json --server | jq -r '(.items[0]? // .).status')"
}

@test "T14: nothing of another territory is in a pilot's reach" {
	local status=0
	as pilote action edit P-1 --territory sud --status planned --server || status=$?
	[ "$status" -ne 0 ]
	equal lead "$(as anim action show P-1 --territory sud --format json --server | jq -r '(.items[0]? // .).status')"
}

@test "a task cannot be moved out of, or into, a pilot's action" {
	as anim task add "Tâche du quai" --territory nord --action P-2 --server
	expect 7 'own actor or action' as pilote task edit T-1 --territory nord --action P-2 --server
	expect 7 'own actor or action' as pilote task edit T-2 --territory nord --action P-1 --server
}

@test "a partner reads the own contacts, and nobody else's: lists, gets, history, replica, export" {
	equal "Accueil de la papeterie" "$(names papeterie --server)"
	equal "Accueil de la scierie" "$(names scierie --server)"
	as papeterie contact show C-1 --territory nord --server
	expect 5 '' as papeterie contact show C-2 --territory nord --server
	as papeterie contact history C-1 --territory nord
	expect 5 '' as papeterie contact history C-2 --territory nord
	as papeterie sync --territory nord
	equal "Accueil de la papeterie" "$(names papeterie --offline)"
	[[ $(as papeterie export --territory nord) != *scierie,* ]]
	[[ $(as papeterie export --territory nord) != *"Accueil de la scierie"* ]]
}

@test "a partner writes what belongs to the own actor, and nothing else" {
	as papeterie position add --territory nord --actor A-1 --action P-2 --stance interested --server
	expect 7 'own actor or action' as papeterie position add --territory nord --actor A-2 --action P-2 --stance interested --server
	as papeterie contact add "Logistique" --territory nord --actor A-1 --server
	expect 7 'own actor or action' as papeterie contact edit C-3 --territory nord --actor A-2 --server
	expect 7 'may not write' as papeterie action edit P-1 --territory nord --status planned --server
	expect 7 'may not write' as papeterie actor edit A-1 --territory nord --name "Autre" --server
}

@test "what a partner loses leaves the replica: a deletion, and a contact that changes actor" {
	as papeterie sync --territory nord
	equal "Accueil de la papeterie, Logistique" "$(names papeterie --offline)"
	as anim contact delete C-3 --territory nord --server
	as anim contact edit C-1 --territory nord --actor A-2 --server
	as papeterie sync
	equal "" "$(names papeterie --offline)"
	as scierie sync --territory nord
	equal "Accueil de la papeterie, Accueil de la scierie" "$(names scierie --offline)"
	expect 5 '' as papeterie contact history C-1 --territory nord
}

@test "invites of bound roles name their record, and only theirs" {
	expect 9 'needs the reference' as admin invite create --account x --role pilot --territory nord
	expect 9 'needs the reference' as admin invite create --account x --role pilot --territory nord --action A-1
	expect 9 'one territory' as admin invite create --account x --role partner --territory nord,sud --actor A-1
	expect 9 'bound to no record' as admin invite create --account x --role observer --territory nord --actor A-1
	expect 5 'does not exist' as admin invite create --account x --role pilot --territory nord --action P-99
	expect 5 'another source or actor' as admin invite create --account papeterie --role partner --territory nord --actor A-2
	as admin invite create --account pilote --role pilot --territory nord --action P-2
	as pilote action edit P-2 --territory nord --next-step "Mesurer le quai" --server
}

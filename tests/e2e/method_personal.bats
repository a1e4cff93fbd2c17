# What is held on a person: told whole, and erased from every place that held it.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord
	enroll terrain facilitator nord
	enroll partner coordinator nord
	as anim actor add "Laiterie" --territory nord --category company >/dev/null
	as anim actor add "Brasserie" --territory nord --category company >/dev/null
	printf 'key = cle\nacteur = actor_id\nnom = name\ncourriel = email\ntel = phone\n' >"$E2E/contacts.map"
}

teardown_file() {
	server_stop
}

import() { # ROW...
	printf 'cle;acteur;nom;courriel;tel\n' >"$E2E/contacts.csv"
	printf '%s\n' "$@" >>"$E2E/contacts.csv"
	as anim import contacts "$E2E/contacts.csv" --mapping "$E2E/contacts.map" --source cci --territory nord
}

id_of() { # KIND REFERENCE
	as anim "$1" show "$2" --territory nord --server --format json | jq -r '(.items[0]? // .).id'
}

# Everything that PostgreSQL would give away, and what the logs say.
everything() {
	local socket
	socket=$(cat "$E2E/server/run.path" 2>/dev/null || echo "$E2E/server/run")
	pg_dump -h "$socket" -U "$(stat -c %U "$E2E/server/postgres")" -d seve | sed 's/\\\\x/\n/g' >"$E2E/dump"
	cat "$E2E/dump" "$E2E/seved.log"
}

# Names of places where one of the canaries stands, as it is or in hexadecimal (a bytea of the dump).
found() { # FILE...
	local canary
	for canary in Canarienne canari@exemple.fr 0699887766 Serinette; do
		grep -r -l -a -i -e "$canary" -e "$(printf %s "$canary" | od -An -v -tx1 | tr -d ' \n')" "$@" || true
	done | sort -u
}

@test "all that is held on a person is told: the record, what it was, who refers to it, what a partner said" {
	import "k1;$(id_of actor A-1);Jeanne Canarienne;canari@exemple.fr;"
	as anim contact edit C-1 --territory nord --phone 0699887766 --reason "Jeanne Canarienne a appelé"
	as anim contact edit C-1 --territory nord --role "Directrice Serinette"
	meeting=$(as anim meeting add "Atelier" --territory nord --kind workshop --number 1)
	as anim attendance add --territory nord --meeting "$meeting" --actor A-1 --contact C-1 --status present
	as anim contact export C-1 --territory nord --output "$E2E/person.json"
	equal 600 "$(stat -c %a "$E2E/person.json")"
	equal 'import mention record version' "$(jq -r '.items[].place' "$E2E/person.json" | sort -u | xargs)"
	equal '0699887766' "$(jq -r '.items[] | select(.place == "record") | .record.phone' "$E2E/person.json")"
	equal 'Jeanne Canarienne a appelé' "$(jq -r '.items[] | select(.reason) | .reason' "$E2E/person.json" | grep Jeanne)"
	equal 'attendance present' "$(jq -r '.items[] | select(.place == "mention") | .record | "\(.kind) \(.status)"' "$E2E/person.json")"
	equal 'cci k1 canari@exemple.fr' "$(jq -r '.items[] | select(.place == "import") | "\(.source) \(.key) \(.record.email)"' "$E2E/person.json")"
	expect 7 'facilitators' as partner contact export "$(id_of contact C-1)" --territory nord
	expect 5 '' as anim contact export C-99 --territory nord
}

@test "an erasure leaves nothing of the person: not in the database, the log, the history, a conflict, a replica" {
	# edits that clash: the conflict holds both sides
	as terrain sync >/dev/null
	as anim contact edit C-1 --territory nord --email canari@exemple.fr --mandate "Mandat Serinette"
	as terrain contact edit C-1 --territory nord --mandate "Mandat de Canarienne" --offline
	as terrain sync || true
	equal 1 "$(sql "SELECT count(*) FROM conflict WHERE record_kind = 'contact'")"
	# one that was taken, one that waits
	as terrain contact edit C-1 --territory nord --phone 0699887766 --role "Serinette en chef" --offline
	as terrain sync >/dev/null || true
	as terrain contact edit C-1 --territory nord --name "Jeanne Canarienne-Dupont" --offline
	everything >"$E2E/all"
	equal "$E2E/all" "$(found "$E2E/all")" "the canaries are looked for in vain"
	[[ -n $(found "$E2E/terrain/data") ]]
	expect 7 'facilitators' as partner contact erase "$(id_of contact C-1)" --confirm "$(id_of contact C-1)" --territory nord
	expect 2 'cannot be undone' as anim contact erase C-1 --territory nord
	expect 0 '' as anim contact erase C-1 --confirm C-1 --territory nord
	everything >"$E2E/all"
	equal '' "$(found "$E2E/all")"
	equal 'C-1 ' "$(as anim contact show C-1 --territory nord --server --format json | jq -r '(.items[0]? // .) | "\(.name) \(.email // "")"')"
	equal '' "$(as anim contact history C-1 --territory nord --format jsonl | grep -i canari)"
	as anim contact export C-1 --territory nord --output "$E2E/after.json"
	equal '' "$(found "$E2E/after.json")"
	equal resolved "$(sql "SELECT state FROM conflict WHERE record_kind = 'contact'")"
	# the machine that wrote most of it carries no replica
	equal '' "$(found "$E2E/anim/data")"
	# who refers to it goes on doing so
	equal "$(id_of contact C-1)" "$(as anim attendance list --territory nord --server --format jsonl | jq -r .contact_id)"
	# what waited is refused, and kept without what it said; what was kept goes
	expect 3 'ERASED|erased' as terrain sync
	expect 0 '' as terrain sync
	equal rejected "$(as terrain outbox list --format jsonl | jq -r .state)"
	equal '' "$(found "$E2E/terrain/data")"
	equal 'C-1' "$(as terrain contact show C-1 --territory nord --offline --format json | jq -r '(.items[0]? // .).name')"
	# again: nothing is left to do
	expect 0 '' as anim contact erase C-1 --confirm C-1 --territory nord
}

@test "nobody brings the person back: no edit, no deletion, no import" {
	expect 9 'ERASED|erased' as anim contact edit C-1 --territory nord --phone 0600000000
	expect 9 'erased' as anim contact delete C-1 --territory nord
	expect 9 'ERASED' raw_push anim nord "because" "contact C-1 name=Jeanne"
	expect 0 'erased here' import "k1;$(id_of actor A-1);Jeanne Canarienne;canari@exemple.fr;"
	equal 1 "$(sql "SELECT count(*) FROM contact")"
	everything >"$E2E/all"
	equal '' "$(found "$E2E/all")"
	# and nobody writes that it was, without its being so
	as anim contact add "Autre Personne" --territory nord --actor A-2
	expect 9 'contact erase' raw_push anim nord "because" "contact C-2 erased_at=2026-01-01T00:00:00Z"
}

@test "a person whose row was deleted before is erased too, and the row comes back without them" {
	ref=$(as anim contact add "Paul Canarienne" --territory nord --actor A-2)
	id=$(id_of contact "$ref")
	as anim contact delete "$ref" --territory nord
	everything >"$E2E/all"
	equal "$E2E/all" "$(found "$E2E/all")"
	expect 0 '' as anim contact erase "$id" --confirm "$id" --territory nord
	everything >"$E2E/all"
	equal '' "$(found "$E2E/all")"
	equal "$ref" "$(sql "SELECT name FROM contact WHERE id = '$id'")"
}

@test "what is no contact holds no person" {
	action=$(as anim action add "Chaleur" --territory nord --status lead)
	id=$(id_of action "$action")
	expect 9 'no personal data' as anim contact erase "$id" --confirm "$id" --territory nord
}

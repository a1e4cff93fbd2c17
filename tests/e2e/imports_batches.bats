# Imports are kept: listed, told, taken back; whole sources; all or nothing.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord,sud
	enroll cci importer nord --source cci
	enroll irep importer nord --source irep
	dir=$E2E/files
	mkdir -p "$dir"
	printf 'key,name,category,tags\nk1,Papeterie du Canal,company,\nk2,Scierie des Rives,company,bois\nk3,Ferme des Prés,farm,\n' >"$dir/a.csv"
}

teardown_file() {
	server_stop
}

file() {
	printf '%s' "$E2E/files/$1"
}

# bring FILE [FLAG...]: what the import printed, as JSON.
bring() {
	local name=$1
	shift
	as cci import actors "$(file "$name")" --mapping plain --source cci --territory nord --format json "$@"
}

batch_of() { # the newest batch
	as cci import list --territory nord --format json | jq -r '.items[0].batch'
}

count() { # JQ-PATH of the newest batch
	as cci import list --territory nord --format json | jq -r ".items[0].$1"
}

# What the territory holds, without revisions, times and ids of conflict.
state() {
	as anim export --territory nord --server 2>/dev/null | jq -cS 'del(.rev, .updated_at, .updated_by)' | sort
}

names() {
	as anim actor list --territory nord --server --format json | jq -r '[.items[].name] | sort | join(", ")'
}

@test "an import is listed with its file, its account and its counts" {
	bring a.csv
	equal "a.csv cci 3 0 0" "$(as cci import list --territory nord --format json | jq -r '.items[0] | [.label, .account, .created, .updated, .rejected] | join(" ")')"
	bring a.csv
	equal "0 0 3" "$(as cci import list --territory nord --format json | jq -r '.items[0] | [.created, .updated, .unchanged] | join(" ")')"
	as cci import list --territory nord
	bring a.csv --dry-run
	equal 2 "$(as cci import list --territory nord --format json | jq '.items | length')"
}

@test "an importer is told of its own source only, an observer of none" {
	equal 0 "$(as irep import list --territory nord --format json | jq '.items | length')"
	expect 5 'no import' as irep import report "$(batch_of)" --territory nord
	enroll voit observer nord
	expect 7 'may write' as voit import list --territory nord
}

@test "what an import made is taken back, and the same file makes it again" {
	state >"$E2E/before"
	printf 'key,name,category,tags\nk4,Garage du Pont,company,\nk2,Scierie des Rives,company,bois|palettes\n' >"$(file b.csv)"
	bring b.csv
	equal "1 1" "$(count 'created') $(count 'updated')"
	[[ $(names) == *Garage* ]]
	as cci import revert "$(batch_of)" --territory nord
	[[ $(names) != *Garage* ]]
	state >"$E2E/after"
	diff "$E2E/before" "$E2E/after"
	expect 9 'taken back already' as cci import revert "$(batch_of)" --territory nord
	bring b.csv
	equal "1 1" "$(count 'created') $(count 'updated')"
	[[ $(names) == *Garage* ]]
	as cci import revert "$(batch_of)" --territory nord
}

@test "what was edited since stays, and is told; a later import's rows stay too" {
	printf 'key,name,category\nk5,Atelier un,company\nk6,Atelier deux,company\nk7,Atelier trois,company\n' >"$(file c.csv)"
	bring c.csv
	local first
	first=$(batch_of)
	as anim actor edit "$(ref_of anim actor nord '.name == "Atelier deux"')" --territory nord --commune Lille --server
	printf 'key,name,category\nk7,Atelier trois bis,company\n' >"$(file d.csv)"
	bring d.csv
	expect 3 'edited since' as cci import revert "~${first: -6}" --territory nord
	[[ $(names) != *"Atelier un"* && $(names) == *"Atelier deux"* && $(names) == *"Atelier trois bis"* ]]
	# The later one goes, then nothing keeps k7 but the earlier one, which is taken back already.
	as cci import revert "$(batch_of)" --territory nord
	[[ $(names) == *"Atelier trois,"* || $(names) == *"Atelier trois" ]]
}

@test "deletions and revivals are taken back" {
	as cci import actors "$(file a.csv)" --mapping plain --source cci --territory nord
	local ferme
	ferme=$(ref_of anim actor nord '.name == "Ferme des Prés"')
	as anim actor delete "$ferme" --territory nord --server
	bring a.csv --revive
	[[ $(names) == *"Ferme des Prés"* ]]
	as cci import revert "$(batch_of)" --territory nord
	[[ $(names) != *"Ferme des Prés"* ]]
	bring a.csv --revive
	[[ $(names) == *"Ferme des Prés"* ]]
}

@test "two keys of one record are taken back together" {
	printf 'key,name,category,siret\nd1,Double enseigne,company,73282932000074\nd2,Double enseigne,company,73282932000074\n' >"$(file f.csv)"
	state >"$E2E/before"
	bring f.csv
	equal "1 1" "$(count created) $(count attached)"
	as cci import revert "$(batch_of)" --territory nord
	state >"$E2E/after"
	diff "$E2E/before" "$E2E/after"
}

@test "rows with remarks are told later, line by line" {
	printf 'key,name,category\nr1,Bonne ligne,company\nr2,Mauvaise ligne,company\nr2,Deux fois,company\n' >"$(file g.csv)"
	bring g.csv || true
	as cci import report "$(batch_of)" --territory nord --format json | jq -e '.items | length == 1 and (.[0].line | tostring) == "4" and .[0].code == "DUPLICATE"'
}

@test "--full deletes what the file does not bring, unless too much would go" {
	printf 'key,name,category\n' >"$(file h.csv)"
	for n in $(seq 1 30); do printf 'h%d,Membre %d,association\n' "$n" "$n"; done >>"$(file h.csv)"
	as irep import actors "$(file h.csv)" --mapping plain --source irep --territory nord
	sed '$d' "$(file h.csv)" >"$(file i.csv)"
	as irep import actors "$(file i.csv)" --mapping plain --source irep --territory nord --full --dry-run
	[[ $(names) == *"Membre 30"* ]]
	as irep import actors "$(file i.csv)" --mapping plain --source irep --territory nord --full
	[[ $(names) != *"Membre 30"* && $(names) == *"Membre 29"* && $(names) == *Papeterie* ]]
	head -n 3 "$(file h.csv)" >"$(file j.csv)"
	expect 9 'would|more than' as irep import actors "$(file j.csv)" --mapping plain --source irep --territory nord --full
	[[ $(names) == *"Membre 29"* ]]
	as irep import actors "$(file j.csv)" --mapping plain --source irep --territory nord --full --force
	[[ $(names) != *"Membre 29"* && $(names) == *"Membre 2"* ]]
	as irep import revert "$(as irep import list --territory nord --format json | jq -r '.items[0].batch')" --territory nord
	[[ $(names) == *"Membre 29"* ]]
}

@test "--full deletes nothing after a file with mistakes" {
	printf 'key,name,category\nh1,Membre 1,association\nh2,Membre 2,inconnue\n' >"$(file k.csv)"
	expect 3 'nothing is deleted' as irep import actors "$(file k.csv)" --mapping plain --source irep --territory nord --full
	[[ $(names) == *"Membre 29"* ]]
}

@test "--all-or-nothing keeps nothing of a file with a bad row, from a file and from a pipe" {
	printf 'key,name,category\nw1,Premier,company\nw2,Second,inconnue\n' >"$(file l.csv)"
	state >"$E2E/before"
	expect 9 "nothing was kept" as cci import actors "$(file l.csv)" --mapping plain --source cci --territory nord --all-or-nothing
	expect 9 'nothing was kept' as cci import actors - --mapping plain --source cci --territory nord --all-or-nothing <"$(file l.csv)"
	state >"$E2E/after"
	diff "$E2E/before" "$E2E/after"
	sed -i 's/inconnue/company/' "$(file l.csv)"
	as cci import actors - --mapping plain --source cci --territory nord --all-or-nothing <"$(file l.csv)"
	[[ $(names) == *Premier* && $(names) == *Second* ]]
}

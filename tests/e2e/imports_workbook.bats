# A network's own spreadsheet; mappings proposed; templates.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord,sud
	enroll partner importer nord --source cci
}

teardown_file() {
	server_stop
}

counts() { # REPORT: kind created updated unchanged rejected, one file a line
	jq -r '.files[] | [.kind, .created, .updated, .unchanged, .rejected] | join(" ")' "$1"
}

workbook() { # FLAG...
	as facilitator import workbook "$DATA/workbook" --source old --territory nord --report "$E2E/report.json" "$@"
}

@test "a workbook goes in by one command: records, then links, then states" {
	run workbook --rejects "$E2E/rejects"
	equal 3 "$status"
	equal "actor 4 0 0 0
action 3 0 0 1
group 1 0 0 0
position 4 0 0 1
meeting 2 0 0 0" "$(counts "$E2E/report.json")"
	# what needs others is there, in its own state
	equal "in_progress 2025-03-15" "$(as facilitator action list --territory nord --server --format jsonl | jq -r 'select(.title == "Chaleur fatale partagée") | "\(.status) \(.start_on)"')"
	equal implemented "$(as facilitator action list --territory nord --server --format jsonl | jq -r 'select(.title == "Sérum en méthanisation") | .status')"
	equal member "$(as facilitator actor list --territory nord --server --format jsonl | jq -r 'select(.name == "Laiterie de démonstration") | .state')"
	# a rule is a rule: an action in progress needs two actors; it is there as an idea, and told
	equal "H4" "$(jq -r '.files[] | select(.kind == "action") | .remarks[] | select(.verdict == "rejected") | .code' "$E2E/report.json")"
	expect 0 'INCONNU.*' cat "$E2E/rejects/positions.csv"
	expect 0 'seve_reason' cat "$E2E/rejects/positions.csv"
}

@test "the same workbook again writes nothing" {
	before=$(sql "SELECT sum(rev) FROM territory_head")
	run workbook
	equal 3 "$status"
	equal "actor 0 0 4 0
action 0 0 3 1
group 0 0 1 0
position 0 0 4 1
meeting 0 0 2 0" "$(counts "$E2E/report.json")"
	equal "$before" "$(sql "SELECT sum(rev) FROM territory_head")"
}

@test "a dry run of a workbook tells what the run would come to, and writes nothing" {
	run as facilitator import workbook "$DATA/workbook" --source old --territory sud --dry-run --report "$E2E/dry.json"
	equal 3 "$status"
	equal "actor 4 position 4 meeting 2" "$(jq -r '[.files[] | select(.kind == "actor" or .kind == "position" or .kind == "meeting") | "\(.kind) \(.created)"] | join(" ")' "$E2E/dry.json")"
	equal 0 "$(as facilitator actor list --territory sud --server --format jsonl | wc -l)"
}

@test "a file of no known kind, or an empty folder, is refused before anything is sent" {
	mkdir -p "$E2E/odd" "$E2E/empty"
	cp "$DATA/workbook/acteurs.csv" "$E2E/odd"
	echo 'a;b' >"$E2E/odd/divers.csv"
	expect 9 'divers' as facilitator import workbook "$E2E/odd" --source odd --territory sud
	expect 9 'no CSV' as facilitator import workbook "$E2E/empty" --source odd --territory sud
	equal 0 "$(as facilitator actor list --territory sud --server --format jsonl | wc -l)"
}

@test "a proposed mapping can be imported with" {
	printf 'Identifiant;Raison sociale;N° SIRET;Code APE;Adresse 1;Adresse 2;CP;Ville;Téléphone\nX1;Menuiserie d'"'"'essai;732 829 320 00074;2014Z;3 rue;BP 4;1400;Bourg;\n' >"$E2E/sites.csv"
	as facilitator import guess "$E2E/sites.csv" >"$E2E/sites.map"
	expect 0 'key = Identifiant' cat "$E2E/sites.map"
	expect 0 'siret : strip_spaces' cat "$E2E/sites.map"
	expect 0 'ignore = Téléphone' cat "$E2E/sites.map"
	as facilitator import actors "$E2E/sites.csv" --mapping "$E2E/sites.map" --source sites --territory sud
	equal "73282932000074 20.14Z 01400 3 rue, BP 4" "$(as facilitator actor list --territory sud --server --format jsonl | jq -r 'select(.commune == "Bourg") | "\(.siret) \(.naf_code) \(.postal_code) \(.address)"')"
}

@test "a template has the columns that an import takes" {
	as facilitator import template actors >"$E2E/actors.csv"
	printf 'k1,Atelier,farm\r\n' >"$E2E/line"
	expect 0 '^key,name,category' cat "$E2E/actors.csv"
	printf 'k1,Atelier,farm%s\r\n' "$(head -n 1 "$E2E/actors.csv" | tr -d '\r' | sed 's/^key,name,category//; s/[^,]//g')" >>"$E2E/actors.csv"
	as facilitator import actors "$E2E/actors.csv" --source template --territory sud
	expect 0 'Atelier' as facilitator actor list --territory sud --server --format csv
	as facilitator import template meeting --format map >"$E2E/meeting.map"
	expect 0 'start_at = start_at' cat "$E2E/meeting.map"
}

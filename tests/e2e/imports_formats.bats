# Files of registers and platforms, through the mappings that come with the program: what goes in, what the same again does, and
# that a dry run tells it before.
load helper

setup_file() {
	server_start
	as admin territory create --slug bretagne --name Bretagne --region Bretagne
	as admin territory create --slug essais --name Essais --region Bretagne
	enroll facilitator facilitator bretagne,essais
}

teardown_file() {
	server_stop
}

# goes TERRITORY SOURCE KIND FILE MAPPING COUNTS [FLAG...]: created updated unchanged skipped deleted rejected ignored; the dry run
# before says the same; the second run writes nothing.
goes() {
	local territory=$1 source=$2 kind=$3 file=$4 mapping=$5 wanted=$6 status=0
	shift 6
	local keys='[.created, .updated, .unchanged, .skipped, .deleted, .rejected, .ignored] | join(" ")'
	local -a run=(as facilitator import "$kind" "$file" --mapping "$mapping" --source "$source" --territory "$territory" --report "$E2E/r.json" --quiet "$@")
	"${run[@]}" --dry-run >/dev/null 2>&1 || status=$?
	equal "$wanted" "$(jq -r "$keys" "$E2E/r.json")" "dry run of $file"
	"${run[@]}" >/dev/null 2>&1 || status=$?
	equal "$wanted" "$(jq -r "$keys" "$E2E/r.json")" "$file"
	"${run[@]}" >/dev/null 2>&1 || status=$?
	equal "0 0" "$(jq -r '[.created, .updated] | join(" ")' "$E2E/r.json")" "$file again"
}

@test "two days of Sirene's daily update: created, changed, closed" {
	goes bretagne sirene actors "$DATA/sirene/l2_2017097.csv" sirene-l2 "22 0 0 8 0 0 6"
	goes bretagne sirene actors "$DATA/sirene/l2_2017100.csv" sirene-l2 "22 0 0 8 0 0 6"
	# closed on a third day
	key=$(as facilitator actor list --territory bretagne --server --format jsonl | jq -r '.refs[0].key' | head -n 1)
	printf 'SIREN;NIC;ENSEIGNE;NOMEN_LONG;L1_NORMALISEE;L3_NORMALISEE;L4_NORMALISEE;L5_NORMALISEE;CODPOS;LIBCOM;DEPET;COMET;APET700;TEFET;RNA;NJ;VMAJ;DIFFCOM\n%s;%s;;;;;;;;;;;;;;;E;O\n' "${key:0:9}" "${key:9}" >"$E2E/closed.csv"
	as facilitator import actors "$E2E/closed.csv" --mapping sirene-l2 --source sirene --territory bretagne --report "$E2E/r.json" --quiet >/dev/null
	equal 1 "$(jq .deleted "$E2E/r.json")"
}

@test "Sirene's stock with a unit that has ceased, associations in two layouts, third places" {
	goes essais stock actors "$DATA/sirene/StockEtablissement_geo_v3_sample.csv" sirene-stock-etablissement "0 0 0 3 0 0 0"
	goes essais rna actors "$DATA/associations/rna_sample_waldec.csv" rna-waldec "2 0 0 0 0 0 0"
	goes essais rna2 actors "$DATA/associations/rna_sample_import.csv" rna-import "3 0 0 0 0 0 0"
	goes essais tl actors "$DATA/associations/03_tiers_lieux.csv" tiers-lieux "46 0 0 0 0 1 0"
}

@test "calendars: of public bodies, holidays; cancelled, all-day" {
	goes essais gl meetings "$DATA/calendars/det_great_lakes_water_authority.ics" ics "7 0 0 0 0 0 0" --set kind=steering
	goes essais jf meetings "$DATA/calendars/jours_feries_metropole.ics" ics "121 0 0 0 0 0 0"
	equal 7 "$(as facilitator meeting list --territory essais --server --format jsonl | jq -r 'select(.meeting_kind == "steering") | .id' | wc -l)"
}

@test "JSON, JSON Lines, GeoJSON and CSV of the same actors are the same actors" {
	printf 'key,name,category,lat,lon\nF1,Atelier,farm,48.1,-1.6\nF2,Bureau,company,,\n' >"$E2E/f.csv"
	printf '{"meta":{"n":2},"items":[{"key":"F1","name":"Atelier","category":"farm","lat":48.1,"lon":-1.6},\n{"key":"F2","name":"Bureau","category":"company","lat":null,"lon":null}]}' >"$E2E/f.json"
	printf '{"key":"F1","name":"Atelier","category":"farm","lat":48.1,"lon":-1.6}\n{"key":"F2","name":"Bureau","category":"company","lat":"","lon":""}\n' >"$E2E/f.jsonl"
	printf '{"type":"FeatureCollection","features":[{"type":"Feature","id":"F1","geometry":{"type":"Point","coordinates":[-1.6,48.1]},"properties":{"name":"Atelier","category":"farm"}},{"type":"Feature","id":"F2","geometry":null,"properties":{"name":"Bureau","category":"company"}}]}' >"$E2E/f.geojson"
	as facilitator import actors "$E2E/f.csv" --source f --territory essais --quiet
	for file in f.json f.jsonl f.geojson; do
		as facilitator import actors "$E2E/$file" --source f --territory essais --report "$E2E/r.json" --quiet
		equal "0 0 2" "$(jq -r '[.created, .updated, .unchanged] | join(" ")' "$E2E/r.json")" "$file"
	done
	as facilitator import actors - --source f --territory essais --report "$E2E/r.json" --quiet <"$E2E/f.json"
	equal 2 "$(jq .unchanged "$E2E/r.json")"
}

@test "statuses: clean 0, partial 3, refused 9; --max-errors stops; a lost zero is named" {
	printf 'key,name,category,siren\nG1,Un,farm,73282932\nG2,Deux,farm,732829320\nG3,Trois,farm,732829320.0\nG4,Quatre,farm,\n' >"$E2E/g.csv"
	expect 3 'drop a zero' as facilitator import actors "$E2E/g.csv" --source g --territory essais
	expect 3 'made it of a code' as facilitator import actors "$E2E/g.csv" --source g --territory essais
	printf 'key,name,category\nH1,Un,farm\nH2,Deux\nH3,Trois\nH4,Quatre\n' >"$E2E/h.csv"
	expect 3 'Stopped' as facilitator import actors "$E2E/h.csv" --source h --territory essais --max-errors 2
	head -n 2 "$E2E/g.csv" >"$E2E/g1.csv"
	expect 9 'drop a zero' as facilitator import actors "$E2E/g1.csv" --source g --territory essais
	expect 0 '' as facilitator import actors "$E2E/g.csv" --source g2 --territory essais --set siren=
	expect 9 'ends in the middle' as facilitator import actors - --source g --territory essais <<<'[{"a":1}'
	expect 5 'No such file' as facilitator import actors "$E2E/none.csv" --source g --territory essais
}

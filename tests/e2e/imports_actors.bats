# Partners' files, good and bad.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord,sud
	enroll partner importer nord,sud --source cci
	as admin territory create --slug marseille --name "Aix-Marseille-Provence" --region "Provence-Alpes-Côte d'Azur"
	enroll insee importer marseille --source sirene
	enroll reader facilitator marseille
	cat >"$E2E/cci.map" <<-'END'
		key = cle
		nom = name
		categorie = category
		siret = siret
	END
}

teardown_file() {
	server_stop
}

import() { # FILE [FLAG...]
	local file=$1
	shift
	as partner import actors "$file" --mapping "$E2E/cci.map" --source cci --territory nord "$@"
}

rows() { # writes $E2E/NAME.csv: a header and lines from stdin
	{ echo 'cle;nom;categorie;siret'; cat; } >"$E2E/$1.csv"
}

actors() {
	as facilitator actor list --territory nord --server --limit 100000 --format jsonl
}

report() { # KEY: of the JSON report on stdin
	jq -r ".$1 // 0"
}

@test "the Sirene export of OpenDataSoft goes in whole, twice without a change" {
	run as insee import actors "$DATA/sirene/bouches-du-rhone.csv" --mapping sirene-ods --source sirene --territory marseille --format json
	[ "$status" -eq 0 ]
	equal 60 "$(report created <<<"$output")"
	run as insee import actors "$DATA/sirene/bouches-du-rhone.csv" --mapping sirene-ods --source sirene --territory marseille --format json
	equal "0 0 60" "$(jq -r '[.created, .updated, .unchanged] | join(" ")' <<<"$output")"
	# the three others are head offices (70.10Z) and a restaurant (56.10A): the establishment's own activity
	equal 57 "$(as reader actor list --territory marseille --server --limit 1000 --format jsonl | jq -r 'select(.naf_code == "56.30Z") | .ref' | wc -l)"
}

# counts COMMAND...: created updated unchanged
counts() {
	"$@" --format json | jq -r '[.created, .updated, .unchanged] | join(" ")'
}

@test "T10: a file twice writes nothing, one changed cell is one update, and a dry run says each beforehand" {
	rows change <<-'END'
		k1;Menuiserie;craft_retail;
		k2;Fonderie;company;
	END
	equal "2 0 0" "$(counts import "$E2E/change.csv" --dry-run)"
	equal "2 0 0" "$(counts import "$E2E/change.csv")"
	equal "0 0 2" "$(counts import "$E2E/change.csv" --dry-run)"
	equal "0 0 2" "$(counts import "$E2E/change.csv")"
	sed -i 's/Fonderie/Fonderie du Nord/' "$E2E/change.csv"
	equal "0 1 1" "$(counts import "$E2E/change.csv" --dry-run)"
	equal "0 1 1" "$(counts import "$E2E/change.csv")"
}

@test "a field edited here since the last import is kept, and said so" {
	rows kept <<<'k9;Chantier;company;'
	import "$E2E/kept.csv"
	ref=$(ref_of facilitator actor nord '.name == "Chantier"')
	as facilitator actor edit "$ref" --territory nord --name "Chantier naval"
	sed -i 's/Chantier/CHANTIER SA/' "$E2E/kept.csv"
	run import "$E2E/kept.csv"
	[ "$status" -eq 0 ]
	expect 0 'Chantier naval' as facilitator actor show "$ref" --territory nord --server
}

@test "an unknown column is an error that names it; nothing is written" {
	before=$(actors | wc -l)
	printf 'cle;nom;couleur\nx1;Rouge;rouge\n' >"$E2E/column.csv"
	expect 9 'couleur' import "$E2E/column.csv"
	equal "$before" "$(actors | wc -l)"
}

@test "Latin-1 is found out, converted and said so; a damaged UTF-8 file is refused with line and remedy" {
	rows latin <<<$'l1;Caf\xe9 de la gare;company;'
	expect 0 'windows-1252' import "$E2E/latin.csv"
	expect 0 'Café de la gare' as facilitator actor list --territory nord --server --limit 1000 --format csv
	expect 0 '' import "$E2E/latin.csv" --encoding latin1
	rows damaged <<<$'l2;Café;company;\nl3;Abîmé \xff;company;'
	expect 9 'line 3' import "$E2E/damaged.csv"
	expect 9 'encoding' import "$E2E/damaged.csv"
}

@test "rows without key, of wrong width, with a wrong word or number are rejected; the good ones go on" {
	rows mixed <<-'END'
		m1;Bonne;company;
		;Sans clé;company;
		m3;Trop;company;;en plus
		m4;Étrange;vaisseau_spatial;
		m5;Faux;company;123
		m6;Bonne aussi;company;
	END
	run import "$E2E/mixed.csv" --format json --rejects "$E2E/rejected.csv"
	[ "$status" -eq 3 ]
	json=$(grep -m 1 '^{' <<<"$output" || true)
	[ -n "$json" ] || json=$output
	equal "2 4" "$(jq -r '[.created, .rejected] | join(" ")' <<<"$json")"
	for line in 3 4 5 6; do
		expect 0 ";$line;" cat "$E2E/rejected.csv"
	done
	# mended and imported again, with the columns that tell why
	sed -i 's/vaisseau_spatial/company/; s/;123;/;;/' "$E2E/rejected.csv"
	run import "$E2E/rejected.csv" --format json
	equal "3 1" "$(jq -r '[.created, .rejected] | join(" ")' <<<"$(grep -m 1 '^{' <<<"$output")")"
	expect 0 'Bonne aussi' as facilitator actor list --territory nord --server --limit 1000 --format csv
}

@test "a dry run finds the same and writes nothing" {
	before=$(actors | wc -l)
	sed 's/^m/n/' "$E2E/mixed.csv" >"$E2E/dry.csv"
	run import "$E2E/dry.csv" --format json --dry-run
	equal 3 "$status"
	equal "$before" "$(actors | wc -l)"
}

@test "the same key twice in a file is one record" {
	rows twice <<-'END'
		t1;Première;company;
		t1;Seconde;company;
	END
	equal 1 "$(import "$E2E/twice.csv" --format json | report created)"
	equal 0 "$(import "$E2E/twice.csv" --format json | report created)"
}

@test "T11: a row deleted here is not born again, unless that is asked for" {
	rows gone <<<'g1;Passagère;company;'
	import "$E2E/gone.csv"
	as facilitator actor delete "$(ref_of facilitator actor nord '.name == "Passagère"')" --territory nord --reason "doublon"
	equal "0 1" "$(import "$E2E/gone.csv" --format json | jq -r '[.created, .skipped] | join(" ")')"
	equal "" "$(ref_of facilitator actor nord '.name == "Passagère"')"
	import "$E2E/gone.csv" --revive
	[[ -n $(ref_of facilitator actor nord '.name == "Passagère"') ]]
}

@test "an importer writes its own source only, and only where it may" {
	rows own <<<'o1;Propre;company;'
	expect 7 'source' as partner import actors "$E2E/own.csv" --mapping "$E2E/cci.map" --source autre --territory nord
	expect 5 'marseille' as partner import actors "$E2E/own.csv" --mapping "$E2E/cci.map" --source cci --territory marseille
}

@test "a client killed in the middle, and run again, ends where an undisturbed one does" {
	awk 'BEGIN { print "cle;nom;categorie;siret"; for (i = 1; i <= 6000; i++) printf "z%d;Atelier %d;company;\n", i, i }' >"$E2E/large.csv"
	as partner import actors "$E2E/large.csv" --mapping "$E2E/cci.map" --source cci --territory sud >"$E2E/large.log" 2>&1 &
	client=$!
	for ((tries = 0; tries < 600; tries++)); do
		done=$(sql "SELECT count(*) FROM record WHERE kind = 11 AND territory_id = (SELECT territory_id FROM territory_head WHERE slug = 'sud')")
		((done > 0)) && break
		sleep 0.05
	done
	pkill -9 -P "$client" 2>/dev/null || true
	kill -9 "$client" 2>/dev/null || true
	wait "$client" || true
	((done > 0))
	run as partner import actors "$E2E/large.csv" --mapping "$E2E/cci.map" --source cci --territory sud --format json
	[ "$status" -eq 0 ]
	equal 6000 "$(jq '.created + .unchanged' <<<"$output")"
	equal 6000 "$(sql "SELECT count(*) FROM record WHERE kind = 11 AND NOT deleted AND territory_id = (SELECT territory_id FROM territory_head WHERE slug = 'sud')")"
	equal "0 6000" "$(as partner import actors "$E2E/large.csv" --mapping "$E2E/cci.map" --source cci --territory sud --format json | jq -r '[.created, .unchanged] | join(" ")')"
}

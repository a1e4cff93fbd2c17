# What goes out comes in again: exports, imported, exported.
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

export_to() { # FILE FLAG...
	local file=$1
	shift
	as facilitator export --territory nord --server --output "$file" "$@"
}

# round_trip NAME KIND FLAG...: the export, its import (nothing new), and the export again.
round_trip() {
	local name=$1 kind=$2
	shift 2
	export_to "$E2E/$name.1" --kind "$kind" "$@"
	[[ -s $E2E/$name.1 ]]
	as facilitator import "$kind" "$E2E/$name.1" --territory nord --report "$E2E/$name.json" >/dev/null
	equal "0 0 0" "$(jq -r '[.created, .updated, .rejected] | join(" ")' "$E2E/$name.json")" "$name"
	jq -e '.unchanged > 0' "$E2E/$name.json" >/dev/null
	export_to "$E2E/$name.2" --kind "$kind" "$@"
	cmp "$E2E/$name.1" "$E2E/$name.2"
}

@test "a network with nasty texts is entered" {
	as facilitator actor add $'=HYPERLINK("x")' --territory nord --category company --address $' ligne 1\nligne 2 ; "x" ' --lat 51.0344 --lon -2.3768 --tags 'a|b\|c'
	as facilitator actor add "'=déjà" --territory nord --category farm
	as facilitator actor add --name=-12,5 --territory nord --category association
	as facilitator actor add '@x +y' --territory nord --category association
	a=$(ref_of facilitator actor nord '.name == "@x +y"')
	b=$(ref_of facilitator actor nord '.name == "-12,5"')
	as facilitator action add 'Chaleur; vapeur, "fatale"' --territory nord --status lead --kind exchange --objectives '{"people":2,"environment":-1}' --description $'un\n\n- deux\t|trois'
	as facilitator position add --territory nord --actor "$a" --action P-1 --stance pilot --hours-month 7.5
	as facilitator position add --territory nord --actor "$b" --action P-1 --stance contributor
	as facilitator contact add --territory nord --actor "$a" --name "Personne d'essai" --email essai@example.org
	as facilitator group add 'Groupe chaleur' --territory nord --action P-1
	as facilitator meeting add --territory nord --kind group --group G-1 --title $'Réunion, n°1; "début"' --place 'Salle 2, mairie' --start 2027-01-12T09:00:00Z --end 2027-01-12T11:30:00Z --agenda $'1. accueil;\n2. suite, fin\\n'
	as facilitator attendance add --territory nord --meeting M-1 --actor "$a" --status present
	as facilitator minute add --territory nord --meeting M-1 --kind decision --text $'A décide,\nB suit'
	as facilitator task add 'Demander la carte' --territory nord --action P-1 --assignee "$a" --due 2027-01-31
}

@test "export, import, export gives the same bytes: every kind in JSON Lines, JSON and CSV" {
	for kind in actor contact action position group meeting attendance minute task; do
		round_trip "$kind.jsonl" "$kind"
		round_trip "$kind.json" "$kind" --format json
		round_trip "$kind.csv" "$kind" --format csv
	done
}

@test "the French dialect: semicolons, a byte order mark, decimal commas, no formulas; and back again" {
	for kind in actor action position meeting; do
		round_trip "$kind.fr.csv" "$kind" --format csv --dialect fr
	done
	equal "efbbbf" "$(head -c 3 "$E2E/actor.fr.csv.1" | od -An -tx1 | tr -d ' \n')"
	expect 0 "51,0344;-2,3768" cat "$E2E/actor.fr.csv.1"
	expect 0 "\"'=HYPERLINK" cat "$E2E/actor.fr.csv.1"
	expect 0 "''=déjà" cat "$E2E/actor.fr.csv.1"
	expect 0 "'@x \+y" cat "$E2E/actor.fr.csv.1"
	expect 0 ";-12,5;" cat "$E2E/actor.fr.csv.1"
	# none of its cells would be reckoned
	equal 0 "$(jq -Rrs 'split("\r\n")[1:][] | split(";")[] | select(test("^\"?[=+@-]") and (test("^-?[0-9,.]+$") | not))' "$E2E/actor.fr.csv.1" | grep -c . || true)"
}

@test "a map and a calendar go out and in too" {
	round_trip actor.geojson actor --format geojson
	round_trip meeting.ics meeting --format ics
	expect 0 'X-SEVE-ID' cat "$E2E/meeting.ics.1"
	expect 0 'URL:seve:nord/M-1' cat "$E2E/meeting.ics.1"
	equal '[-2.3768,51.0344]' "$(jq -c '[.features[].geometry | select(.)][0].coordinates' "$E2E/actor.geojson.1")"
	# no line is longer than 75 bytes
	equal 0 "$(LC_ALL=C grep -c '^.\{77,\}$' "$E2E/meeting.ics.1" || true)"
}

@test "one edited cell of an export is one update; what was edited here since is kept" {
	export_to "$E2E/edit.csv" --kind actor --format csv
	sed -i "s/'=déjà/Ferme neuve/; s/@x +y/Atelier/" "$E2E/edit.csv"
	ref=$(ref_of facilitator actor nord '.name == "@x +y"')
	as facilitator actor edit "$ref" --territory nord --name "Atelier du port"
	as facilitator import actors "$E2E/edit.csv" --territory nord --report "$E2E/edit.json" >/dev/null
	equal "1 KEPT" "$(jq -r '"\(.updated) \(.reasons[0].code)"' "$E2E/edit.json")"
	expect 0 'Atelier du port' as facilitator actor show "$ref" --territory nord --server
	expect 0 'Ferme neuve' as facilitator actor list --territory nord --server --format csv
}

@test "into an empty territory: the same records under the same ids" {
	for kind in actor action position; do
		export_to "$E2E/move.jsonl" --kind "$kind"
		as facilitator import "$kind" "$E2E/move.jsonl" --territory sud --from nord >/dev/null
		plain='del(.territory, .rev, .ref, .refs, .created_at, .created_by, .updated_at, .updated_by)'
		as facilitator export --territory sud --server --kind "$kind" --output "$E2E/moved.jsonl"
		equal "$(jq -c "$plain" "$E2E/move.jsonl")" "$(jq -c "$plain" "$E2E/moved.jsonl")" "$kind"
	done
}

@test "a partner's account does not import our own exports" {
	export_to "$E2E/own.csv" --kind actor --format csv
	expect 7 'facilitator' as partner import actors "$E2E/own.csv" --territory nord
}

@test "a workbook holds a sheet a kind, text as text" {
	expect 2 'output' as facilitator export --territory nord --server --format xlsx
	export_to "$E2E/network.xlsx" --format xlsx
	equal "504b" "$(head -c 2 "$E2E/network.xlsx" | od -An -tx1 | tr -d ' \n')"
	export_to "$E2E/again.xlsx" --format xlsx
	cmp "$E2E/network.xlsx" "$E2E/again.xlsx"
	expect 2 'one kind' export_to "$E2E/all.csv" --format csv
	export_to "$E2E/folder/" --format csv
	expect 0 'actor.csv' ls "$E2E/folder"
}

# member FILE NAME: one file of a zip, its CRC checked.
member() {
	perl -MIO::Uncompress::Unzip=:all -e 'my ($file, $name) = @ARGV; unzip $file => "-", Name => $name or die "$name: $UnzipError"' "$1" "$2"
}

@test "another reader finds in the workbook what the CSV says, cell by cell" {
	export_to "$E2E/read.xlsx" --format xlsx
	export_to "$E2E/read.csv" --kind actor --format csv
	for name in '[Content_Types].xml' xl/workbook.xml xl/worksheets/sheet1.xml xl/sharedStrings.xml xl/styles.xml _rels/.rels; do
		member "$E2E/read.xlsx" "$name" >"$E2E/member.xml"
		# a parser of others, PostgreSQL's: it refuses what is not well-formed
		sql "SELECT xml_is_well_formed_document(\$\$$(cat "$E2E/member.xml")\$\$)" | grep -qx t
	done
	sheet=$(sql "SELECT 1 + ord - 1 FROM unnest(xpath('//m:sheet/@name', \$\$$(member "$E2E/read.xlsx" xl/workbook.xml)\$\$::xml, ARRAY[ARRAY['m', 'http://schemas.openxmlformats.org/spreadsheetml/2006/main']])::text[]) WITH ORDINALITY t (name, ord) WHERE name = 'actor'")
	member "$E2E/read.xlsx" "xl/worksheets/sheet$sheet.xml" >"$E2E/sheet.xml"
	equal 0 "$(grep -c '<f>' "$E2E/sheet.xml" || true)" "formulas"
	strings=$(member "$E2E/read.xlsx" xl/sharedStrings.xml)
	sql "WITH s AS (SELECT ord - 1 AS n, (xpath('string(//t)', regexp_replace(x::text, ' xmlns=\"[^\"]*\"', '', 'g')::xml))[1]::text AS t
			FROM unnest(xpath('//m:si', \$\$$strings\$\$::xml, ARRAY[ARRAY['m', 'http://schemas.openxmlformats.org/spreadsheetml/2006/main']])) WITH ORDINALITY u (x, ord)),
		c AS (SELECT (xpath('string(//c/@t)', y))[1]::text AS kind, (xpath('string(//v)', y))[1]::text AS v
			FROM unnest(xpath('//m:c', \$\$$(cat "$E2E/sheet.xml")\$\$::xml, ARRAY[ARRAY['m', 'http://schemas.openxmlformats.org/spreadsheetml/2006/main']])) x,
				LATERAL (SELECT regexp_replace(x::text, ' xmlns=\"[^\"]*\"', '', 'g')::xml) z (y))
		SELECT encode(convert_to(CASE kind WHEN 's' THEN s.t ELSE v END, 'UTF8'), 'hex') FROM c LEFT JOIN s ON kind = 's' AND s.n::text = v WHERE v <> ''" | sort >"$E2E/cells.xlsx"
	perl -0777 -ne 's/\r\n/\n/g; while (/\G(?:"((?:[^"]|"")*)"|([^,\n]*))(?:,|\n)/g) { my $c = defined $1 ? $1 : $2; $c =~ s/""/"/g; print unpack("H*", $c), "\n" if length $c; last if pos() == length }' "$E2E/read.csv" | sort >"$E2E/cells.csv"
	[[ $(wc -l <"$E2E/cells.csv") -gt 50 ]]
	diff "$E2E/cells.csv" "$E2E/cells.xlsx"
}

@test "a feed keeps UID and link; SEQUENCE grows when the meeting is moved, and only its own" {
	local before after
	as facilitator meeting add --territory nord --kind steering --title 'Comité' --start 2027-02-01T09:00:00Z
	export_to "$E2E/feed.1" --kind meeting --format ics
	export_to "$E2E/feed.2" --kind meeting --format ics
	cmp "$E2E/feed.1" "$E2E/feed.2"
	as facilitator meeting edit M-1 --territory nord --start 2027-01-13T09:00:00Z --end 2027-01-13T11:30:00Z --reason 'salle prise' --server
	export_to "$E2E/feed.2" --kind meeting --format ics
	for name in UID URL; do
		equal "$(grep "^$name" "$E2E/feed.1")" "$(grep "^$name" "$E2E/feed.2")" "$name"
	done
	mapfile -t before < <(sed -n 's/^SEQUENCE:\([0-9]*\).*/\1/p' "$E2E/feed.1")
	mapfile -t after < <(sed -n 's/^SEQUENCE:\([0-9]*\).*/\1/p' "$E2E/feed.2")
	equal 2 "${#before[@]}"
	((after[0] > before[0]))
	equal "${before[1]}" "${after[1]}"
	expect 0 'DTSTART:20270113T090000Z' cat "$E2E/feed.2"
}

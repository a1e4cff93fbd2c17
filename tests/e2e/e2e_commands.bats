# The command line itself: words, formats, languages, exit statuses.
load helper

setup_file() {
	server_start
	two_territories
	enroll facilitator facilitator nord,sud
	for name in Laiterie Brasserie Scierie; do
		as facilitator actor add "$name" --territory nord --category company
	done
	as facilitator actor add "Verrerie" --territory sud --category company
}

teardown_file() {
	server_stop
}

@test "a mistyped or French word is answered by the right one, status 2" {
	expect 2 'action' as facilitator acttion list
	expect 2 'list' as facilitator actor lst
	expect 2 'seve actor list?' as facilitator acteur liste
	expect 2 'status' as facilitator action list --statut lead
	expect 0 'Usage' as facilitator
}

@test "help says what there is, in English and in French" {
	expect 0 'Usage' as facilitator help
	expect 0 'not authenticated' as facilitator help exit-codes
	english=$(as facilitator help)
	french=$(as facilitator --lang fr help)
	[ "$english" != "$french" ]
	[[ $french == *[éèà]* ]]
	equal "$french" "$(env LANGUAGE=fr LC_ALL=C.UTF-8 XDG_CONFIG_HOME="$E2E/facilitator/config" XDG_DATA_HOME="$E2E/facilitator/data" "$SEVE" help)"
}

@test "the same records in every format" {
	equal 3 "$(as facilitator actor list --territory nord --format jsonl | wc -l)"
	equal 3 "$(as facilitator actor list --territory nord --format json | jq '.items | length')"
	equal 4 "$(as facilitator actor list --territory nord --format csv | wc -l)"
	equal 3 "$(as facilitator actor list --territory nord --format csv --no-headers | wc -l)"
	expect 0 'Brasserie' as facilitator actor list --territory nord --format table
	equal $'name,state\r\nBrasserie,prospect\r' "$(as facilitator actor list --territory nord --format csv --columns name,state --limit 1)"
	expect 2 'jsonl' as facilitator actor list --format yaml
}

@test "filters and limits" {
	equal 4 "$(as facilitator actor list --format jsonl | wc -l)"
	equal 2 "$(as facilitator actor list --limit 2 --format jsonl | wc -l)"
	equal 1 "$(as facilitator actor list --territory sud --format jsonl | wc -l)"
	as facilitator actor edit A-1 --territory nord --state approached
	equal Laiterie "$(as facilitator actor list --state approached --format jsonl | jq -r .name)"
	expect 9 'approached' as facilitator actor list --state parti
	equal 0 "$(as facilitator actor list --stale 30d --format jsonl | wc -l)"
}

@test "a record is found by reference, by lower-case reference and by id" {
	id=$(as facilitator actor show A-2 --territory nord --format json | jq -r '(.items[0]? // .) | .id')
	for name in A-2 a-2 "$id"; do
		expect 0 'Brasserie' as facilitator actor show "$name" --territory nord
	done
	expect 5 'A-99' as facilitator actor show A-99 --territory nord
	expect 5 'nulle-part' as facilitator actor list --territory nulle-part
}

@test "errors are JSON where JSON was asked for" {
	run as facilitator actor show A-99 --territory nord --json
	[ "$status" -eq 5 ]
	equal NOT_FOUND "$(jq -r .error.code <<<"$output")"
}

@test "no question without a terminal; without a profile the remedy is told" {
	expect 4 'login' as nobody action list
	run timeout 10 env XDG_CONFIG_HOME="$E2E/nobody/config" XDG_DATA_HOME="$E2E/nobody/data" "$SEVE" login </dev/null
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
}

@test "a closed pipe ends a list in silence" {
	run bash -c "XDG_CONFIG_HOME='$E2E/facilitator/config' XDG_DATA_HOME='$E2E/facilitator/data' '$SEVE' actor list --format jsonl 2>'$E2E/pipe.err' | head -n 0"
	equal "" "$(cat "$E2E/pipe.err")"
}

@test "token and replica files are for their owner only" {
	equal 600 "$(stat -c %a "$(find "$E2E/facilitator/config" -name token)")"
	equal 600 "$(stat -c %a "$(find "$E2E/facilitator/data" -name '*.db')")"
	token=$(find "$E2E/facilitator/config" -name token)
	chmod 644 "$token"
	run as facilitator actor list --server
	chmod 600 "$token"
	[ "$status" -ne 0 ]
	[[ $output == *token* ]]
}

@test "what the library and the server refuse is said in French, and names the territory" {
	expect 5 'il n.y a pas de A-99 dans le territoire nord' as facilitator --lang fr actor show A-99 --territory nord --server
	expect 9 'ceci n.est pas : une adresse électronique' as facilitator --lang fr contact add --territory nord --actor A-1 --name N --email NOWHERE
	expect 5 'pas de modification 99 du territoire nord' as facilitator --lang fr outbox drop --territory nord 99
	as admin invite create --account again --role observer --territory nord | grep -o 'seve-invite:[^ ]*' >"$E2E/used"
	expect 0 'again' as again login --invite-file "$E2E/used"
	expect 4 'cette invitation a déjà servi' as other --lang fr login --invite-file "$E2E/used"
}

@test "an admin is told that records are not the admin's, and one role once" {
	expect 5 'role admin reads and writes no records' as admin territory edit nord --name Elsewhere
	equal "$(as admin territory list --format jsonl | jq -r .role | sort -u)" admin
}

@test "a narrow terminal shows each column at a readable width, and no empty one" {
	as facilitator action add 'A title of some length that a narrow terminal cuts' --territory nord --status lead
	on_terminal() {
		script -qec "stty cols 60; XDG_CONFIG_HOME='$E2E/facilitator/config' XDG_DATA_HOME='$E2E/facilitator/data' '$SEVE' action list --territory nord" /dev/null 3>&- 4>&- | tr -d '\r'
	}
	shown=$(on_terminal)
	[[ $shown == *'A title of some length'*'…'* && $shown != *Pilot* ]]
	(($(wc -L <<<"$shown") <= 60))
	expect 0 'A title of some length that a narrow terminal cuts' as facilitator action list --territory nord
	expect 0 'Pilot' as facilitator action list --territory nord
}

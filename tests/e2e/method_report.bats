# The page that is handed out: what stands on it, in both languages, and what does not.
load helper

setup_file() {
	server_start
	two_territories
	enroll anim facilitator nord
	enroll coord coordinator nord
	enroll mairie observer nord
	a 'Laiterie <script>alert(1)</script> & "fils"' --state member --wave 0
	a Brasserie --state member
	a Scierie --state candidate
	n interview --kind site_visit --actor A-1 --state 'done' --held 2026-09-10
	n availability --actor A-1 --from 2026-01-01 --hours-month 4
	n swot_entry 'Un port & des quais' --as-of 2026-09-30 --quadrant strength --weight 3
	n swot_entry 'Ancienne menace' --as-of 2025-01-01 --quadrant threat
	n action "Presse d'<b>emballages</b>" --status selected --low-hanging yes --next-step 'Signer la convention' --next-step-due 2026-01-15
	n action 'Chaleur fatale' --status lead
	n action 'Secret des voisins' --status lead --level team
	n position --actor A-1 --action P-1 --stance pilot
	n position --actor A-2 --action P-1 --stance contributor
	as anim action edit P-1 --territory nord --status in_progress
	n benefit --action P-1 --measure eur_saved --value 18450.5 --certainty measured
	n group 'Groupe presse' --action P-1
	n meeting 'Réunion de la presse' --kind group --group G-1 --start 2026-11-03T13:00:00Z
	as anim meeting hold M-1 --territory nord --present A-1,A-2
	n contact 'Personne Discrète' --actor A-1
	n interview_note 'Confidence à ne pas répéter' --interview V-1
	as anim action edit P-2 --territory nord --level public
}

teardown_file() {
	server_stop
}

n() { # KIND FLAG...: in nord; a network's past has its reason
	local kind=$1
	shift
	as anim "$kind" add --territory nord --reason "carnet" "$@" >/dev/null 2>&1
}

a() { # NAME FLAG...: an actor
	n actor "$1" --category company "${@:2}"
}

# page ACCOUNT FLAG...: the page in $file.
page() {
	local account=$1
	shift
	file=$BATS_TEST_TMPDIR/page.html
	as "$account" report nord --output "$file" "$@" 2>"$BATS_TEST_TMPDIR/said"
}

has() { # TEXT...: each stands on the page
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$file" || { echo "not on the page: $text" >&2; return 1; }
	done
}

lacks() { # TEXT...: none does
	local text
	for text in "$@"; do
		! grep -qF -- "$text" "$file" || { echo "on the page: $text" >&2; return 1; }
	done
}

count_of() { # PATTERN
	grep -oE -- "$1" "$file" | wc -l
}

@test "the page tells phases, actors, matrix, plan, groups, load, benefits, and what is late" {
	page anim --server
	has '<html lang="en">' '<h1><bdi>Dunkerque</bdi></h1>' 'Phase 0: ' '1 of 2 members visited'
	has '<bdi>Un port &amp; des quais</bdi>' 'weight 3 of 3' '<time datetime="2026-09-30">30'
	has 'in progress' 'low-hanging fruit' 'Signer la convention' '>late<' '<time datetime="2026-01-15">'
	has '<bdi>Groupe presse</bdi>' '1 of 3 to 5' '<bdi>Réunion de la presse</bdi>'
	has 'too much' '<data value="18450.5">18,450.5</data>' '>Company<'
	# a matrix is the latest one
	lacks 'Ancienne menace'
}

@test "in French too, with the words of the method and French numbers" {
	page anim --lang fr
	has '<html lang="fr">' 'Plan d&#39;action' 'fruit à portée de main' 'Forces' 'en cours' 'en retard' 'Il manque :' $'18\u202f450,5' $'15\u00a0janv.\u00a02026'
	lacks 'in_progress' 'in progress' 'low-hanging' 'Company'
	[[ $(as anim --lang fr report nord) == *'<html lang="fr">'* ]]
	[[ $(LC_ALL=fr_FR.UTF-8 as anim report nord) == *'<html lang="fr">'* ]]
}

@test "one file, without scripts and without anything from elsewhere; names are escaped" {
	page anim
	has 'Laiterie &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;fils&quot;' 'Presse d&#39;&lt;b&gt;emballages&lt;/b&gt;' 'default-src &#39;none&#39;'
	lacks '<script' '<b>' 'http:' 'https:' 'url(' '@import' ' src=' ' style="' ' onclick'
	equal 1 "$(count_of '<style>')"
	equal "$(count_of '<section ')" "$(count_of '</section>')"
	equal "$(count_of '<table>')" "$(count_of '</table>')"
	equal "$(count_of '<th[ >]')" "$(count_of '<th scope="(col|row|rowgroup)"')"
	for tag in header nav main footer; do equal 1 "$(count_of "<$tag[ >]")"; done
	# the policy names the digest of the very style
	digest=$(sed -z 's/.*<style>//; s/<\/style>.*//' "$file" | openssl dgst -sha256 -binary | base64)
	has "sha256-$digest"
}

@test "what the account may not read is not there, and is counted" {
	page anim --level team
	has 'Secret des voisins' 'No record is withheld from the author of this page.'
	lacks 'left out'
	page coord --server
	lacks 'Secret des voisins' 'Personne Discrète' 'Confidence'
	has 'Chaleur fatale' '3 records are withheld'
	page mairie --server
	lacks 'Laiterie' 'Presse' 'Secret des voisins'
	has 'Chaleur fatale' 'records are withheld' '<bdi>Dunkerque</bdi>'
	withheld=$(grep -oE '[0-9]+ records are withheld' "$file" | cut -d' ' -f1)
	equal "$(sql "SELECT count(*) FROM record WHERE NOT deleted AND level > 1 AND territory_id = (SELECT territory_id FROM territory_head WHERE slug = 'nord')")" "$withheld"
	# the same from a replica, whose synchronisation has counted
	as mairie sync --territory nord
	page mairie --offline
	has "$withheld records are withheld"
	grep -q "$withheld records are withheld" "$BATS_TEST_TMPDIR/said"
}

@test "what is above the level of the page is left out even where its author may read it" {
	page anim
	lacks 'Secret des voisins' 'Personne Discrète' 'Confidence'
	has '3 records that the author may read were left out'
	page anim --level public
	lacks 'Presse' 'Laiterie'
	has 'Chaleur fatale'
	expect 2 'public, network, team' as anim report nord --level secret
}

@test "a path that cannot be written is said, and leaves nothing behind" {
	expect 1 '/nowhere/page.html' as anim report nord --output /nowhere/page.html
	echo before >"$BATS_TEST_TMPDIR/kept.html"
	chmod 0555 "$BATS_TEST_TMPDIR"
	[[ $(id -u) -eq 0 ]] || expect 1 'kept.html' as anim report nord --output "$BATS_TEST_TMPDIR/kept.html"
	chmod 0755 "$BATS_TEST_TMPDIR"
	equal before "$(cat "$BATS_TEST_TMPDIR/kept.html")"
	local status=0
	as anim report nord >/dev/full 2>"$BATS_TEST_TMPDIR/full" || status=$?
	equal 1 "$status"
	grep -q 'standard output' "$BATS_TEST_TMPDIR/full"
}

@test "a territory that is not the account's is refused, and no page is made" {
	expect 5 'no territory "sud"' as anim report sud --output "$BATS_TEST_TMPDIR/sud.html"
	[[ ! -e $BATS_TEST_TMPDIR/sud.html ]]
	expect 2 'named twice' as anim report nord --territory sud
	# the figures keep their own commands
	expect 0 'Stage' as anim report conversion --territory nord
}

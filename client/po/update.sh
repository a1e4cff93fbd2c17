#!/usr/bin/env bash
# update.sh [FOLDER] -- takes the texts that people read into every catalogue (in FOLDER, else here).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here}
cd "$here/../.."

# What the command line says itself, and what rules and checks say of a record, on either side of the wire.
xgettext --language=C --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=PHRASE --keyword=problem_add:5 --keyword=bad:5 --keyword=stage_refuse:4 \
	--no-location --sort-output --package-name=seve --output="$folder/seve.pot" \
	client/cli/*.c client/cli/import/*.c client/cli/export/*.c client/cli/report/*.c client/cli/verbs/*.c client/cli/*.def client/cli/report/*.def common/field_check.c common/rules/*.c common/sync/*.c
# What the library and the doors of the server say most often: their errors are formats too, and single words are names.
xgettext --language=C --from-code=UTF-8 --keyword=err_set:3 --keyword=err_remedy:2 --no-location --output="$folder/said.pot" \
	client/lib/transport.c client/lib/read.c client/lib/queue.c client/lib/invite.c common/text_time.c common/field_text.c server/auth.c
sed -i 's/charset=CHARSET/charset=UTF-8/' "$folder/said.pot"
msggrep --msgid -e '[^ ] [^ ]' -o "$folder/said.pot" "$folder/said.pot"
msgcat --use-first --sort-output -o "$folder/seve.pot" "$folder/seve.pot" "$folder/said.pot"
rm -f "$folder/said.pot"
# the time of the extraction says nothing, and makes every run a change
sed -i '/^"POT-Creation-Date:/d' "$folder/seve.pot"
for po in "$folder"/*.po; do
	msgmerge --quiet --update --backup=none --no-fuzzy-matching --sort-output "$po" "$folder/seve.pot"
	msgattrib --no-obsolete --sort-output -o "$po" "$po"
done
rm -f "$folder/seve.pot"

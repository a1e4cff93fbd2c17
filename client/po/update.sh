#!/usr/bin/env bash
# update.sh [FOLDER] -- takes the marked texts of the command line into every catalogue (in FOLDER, else here).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here}
cd "$here/../cli"

xgettext --language=C --from-code=UTF-8 --keyword=_ --keyword=N_ --no-location --sort-output --package-name=seve \
	--output="$folder/seve.pot" ./*.c import/*.c ./*.def
# the time of the extraction says nothing, and makes every run a change
sed -i '/^"POT-Creation-Date:/d' "$folder/seve.pot"
for po in "$folder"/*.po; do
	msgmerge --quiet --update --backup=none --no-fuzzy-matching --sort-output "$po" "$folder/seve.pot"
done
rm -f "$folder/seve.pot"

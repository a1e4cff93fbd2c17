#!/usr/bin/env bash
# po.sh -- every text that the command line says stands in French, and its placeholders fit.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find client/cli \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -print | sort |
	xgettext --language=C --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --keyword=P_:1,2 \
		--files-from=- --output="$work/seve.pot"
msgfmt --check --statistics --output-file="$work/fr.mo" client/po/fr.po
msgcmp client/po/fr.po "$work/seve.pot"
echo "$(grep -c '^msgid' "$work/seve.pot") texts, all of them in French"

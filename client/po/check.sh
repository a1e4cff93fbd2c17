#!/usr/bin/env bash
# check.sh -- every marked text stands in every catalogue, translated; formats fit; nothing is left over.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cp "$here"/*.po "$copy"
"$here/update.sh" "$copy"
failures=0
for po in "$copy"/*.po; do
	language=$(basename "$po" .po)
	statistics=$(msgfmt --check --statistics -o /dev/null "$po" 2>&1)
	printf '%s: %s\n' "$language" "$statistics"
	if [[ $statistics == *untranslated* || $statistics == *fuzzy* ]] || grep -q '^#~' "$po"; then
		printf '%s.po: texts are missing or left over; client/po/update.sh takes them in\n' "$language" >&2
		failures=1
	fi
done
exit "$failures"

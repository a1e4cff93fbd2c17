#!/usr/bin/env bash
# migrations.sh [FOLDER] -- each migration has a number of its own, 1, 2, 3 … without a gap: two branches that each add the next one
# do not both stay.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=${1:-migrations}
failures=0

complain() {
	printf '%s\n' "$1" >&2
	failures=$((failures + 1))
}

wanted=1 before=
for file in "$folder"/*; do
	name=${file##*/}
	if [[ ! $name =~ ^([0-9]{4})_[a-z0-9_]+\.sql$ ]]; then
		complain "$file is no name of a migration: NNNN_what.sql"
		continue
	fi
	number=$((10#${BASH_REMATCH[1]}))
	if [[ -n $before && $number -eq $((wanted - 1)) ]]; then
		complain "$before and $name have the same number: give the later one number $(printf %04d $wanted)"
		continue
	fi
	((number == wanted)) || complain "$name follows ${before:-nothing}: its number should be $(printf %04d $wanted)"
	wanted=$((number + 1))
	before=$name
done
if ((failures)); then
	exit 1
fi
echo "$((wanted - 1)) migrations, numbered in order"

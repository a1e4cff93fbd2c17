#!/usr/bin/env bash
# import_table.sh FOLDER -- imports every file of the folder that concerns actors, actions or meetings, each into a territory of its
# own: a dry run, the run, the same again; prints one row a file.  Fails where a dry run and its run differ, or where a second run
# writes anything.  SEVE_BUILD says which build (build/dev).
set -euo pipefail
(($# == 1)) || { echo "usage: $0 FOLDER" >&2; exit 2; }
folder=$(readlink -f "$1")
# shellcheck source=tests/e2e/helper.bash
. "$(dirname "$(readlink -f "$0")")/e2e/helper.bash"

# PATTERN KIND MAPPING [FLAG...]: the first that fits a path; MAPPING "-": none.
rules() {
	cat <<-'END'
		sirc-*.csv              actors   sirene-l2
		sirene_*_ods.csv        actors   sirene-ods
		bouches-du-rhone.csv    actors   sirene-ods
		StockEtablissement_*.csv actors  sirene-stock-etablissement
		StockUniteLegale_*.csv  actors   sirene-stock-unite-legale
		api_recherche_*.json    actors   recherche-entreprises
		api_sirene_v3_*.json    actors   sirene-api-v3
		irep_*.csv              actors   irep
		nord.csv                actors   irep
		sud.csv                 actors   irep
		isdnd_*.csv             actors   isdnd
		02_cate_x_naf.csv       actors   ess-categories
		03_tiers_lieux.csv      actors   tiers-lieux
		x_consolidated_*.csv    actors   ess-consolidated
		rna_*_import.csv        actors   rna-import
		rna_*_waldec.csv        actors   rna-waldec
		decidim_*_meetings.csv  meetings decidim-meetings
		decidim_*_action_plans.csv actions decidim-actions
		decidim_results_*.csv   actions  decidim-results
		paris_budget_*.csv      actions  paris-budget
		*.ics                   meetings ics
	END
}

rule_of() { # FILE: the rule's kind, mapping and flags
	local pattern rest
	while read -r pattern rest; do
		# shellcheck disable=SC2254
		case ${1##*/} in
		$pattern)
			printf '%s\n' "$rest"
			return
			;;
		esac
	done < <(rules)
}

counts() { # REPORT
	jq -r '[.rows, .created, .updated, .unchanged, .attached, .skipped, .deleted, .rejected, .ignored] | join(" | ")' "$1"
}

# The texts, with what differs from row to row taken out; what the report kept no text of by its code.
reasons() { # REPORT
	jq -r '([.remarks[] | select(.verdict == "rejected")
			| (if .field then .field + ": " else "" end) + .message | gsub("\"[^\"]*\""; "\"…\"") | gsub("[0-9][0-9]+"; "N")]
			| group_by(.) | map("\(.[0]) ×\(length)")) as $told
		| if ($told | length) > 0 then $told | join("; ")
			else [.reasons[] | select(.verdict == "rejected") | "\(.code)\(if .field then " " + .field else "" end) ×\(.rows)"] | join("; ") end | gsub("\\|"; "/")' "$1"
}

once() { # NAME REPORT FILE KIND MAPPING FLAG...
	local name=$1 report=$2 file=$3 kind=$4 mapping=$5 status=0
	shift 5
	rm -f "$report"
	as importer import "$kind" "$file" --mapping "$mapping" --source "$name" --territory "$name" --since 1990-01-01 --until 2036-01-01 \
		--report "$report" --quiet "$@" >"$E2E/out" 2>"$E2E/err" || status=$?
	case $status in
	0 | 3 | 9) ;;
	*)
		cat "$E2E/err" >&2
		echo "$file: status $status" >&2
		failures=$((failures + 1))
		;;
	esac
	return 0
}

one_file() { # FILE KIND MAPPING
	local name=t$((++files)) shown=${1#"$folder"/}
	once "$name" "$E2E/dry.json" "$@" --dry-run
	if [[ ! -s $E2E/dry.json ]]; then
		printf '| %s | refused: %s |\n' "$shown" "$(head -n 1 "$E2E/err" | sed "s|$folder/||; s/|/\\\\|/g")"
		refused=$((refused + 1))
		return
	fi
	once "$name" "$E2E/run.json" "$@"
	once "$name" "$E2E/again.json" "$@"
	local same=yes again
	[[ $(counts "$E2E/dry.json") == "$(counts "$E2E/run.json")" ]] || same=NO
	again=$(jq -r '"\(.created)/\(.updated)/\(.deleted)/\(.unchanged)"' "$E2E/again.json")
	[[ $again == 0/0/* ]] || failures=$((failures + 1))
	[[ $same == yes ]] || failures=$((failures + 1))
	printf '| %s | %s | %s | %s | %s |\n' "$shown" "$(counts "$E2E/run.json")" "$again" "$same" "$(reasons "$E2E/run.json")"
}

failures=0 files=0 refused=0 territories=
# shellcheck disable=SC2119
server_start
trap 'server_stop' EXIT
list=()
while IFS= read -r -d '' file; do
	[[ -n $(rule_of "$file") ]] || continue
	list+=("$file")
	quietly as admin territory create --slug "t${#list[@]}" --name "${file##*/}" --region essais
	territories+=,t${#list[@]}
done < <(find "$folder" -type f -print0 | sort -z)
((${#list[@]})) || { echo "no file of $folder concerns actors, actions or meetings" >&2; exit 1; }
enroll importer facilitator "${territories#,}"

echo '| file | rows | created | updated | unchanged | attached | skipped | deleted | rejected | ignored | again: created/updated/deleted/unchanged | dry run equal | rejected, by reason |'
echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
for file in "${list[@]}"; do
	read -r kind mapping _ <<<"$(rule_of "$file")"
	one_file "$file" "$kind" "$mapping"
done
printf '\n%d files, %d refused as a whole, %d disagreements\n' "$files" "$refused" "$failures"
((failures == 0))

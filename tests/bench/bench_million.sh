#!/usr/bin/env bash
# bench_million.sh -- a CSV file of BENCH_MILLION (1,000,000) rows, imported by the real command into a fresh server, and once more
# (all unchanged); beside it the same stored rows written again by plain unnest inserts, into one table and into the same tables.
# One round, one JSON line.
set -euo pipefail
cd "$(dirname "$0")/../.."
SEVE_SOURCE=$PWD
SEVE_BUILD=$(readlink -f "${BENCH_BUILD:-build/release}")
# shellcheck source=tests/e2e/helper.bash
source tests/e2e/helper.bash

rows=${BENCH_MILLION:-1000000}
limit=$SEVE_BUILD/tests/bench/bench_limit

clean_up() {
	local status=$?
	trap - EXIT
	if [[ -n ${E2E:-} && -e $E2E/pid ]]; then
		daemon_end TERM || kill -9 "$(daemon_pid)" || true
	fi
	[[ -z ${E2E:-} ]] || rm -rf "$E2E"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() {
	printf 'bench: %s\n' "$*" >&2
}

# The establishments of a real register, each with a number: in the key, the name and a SIRET that its check digits fit.
numbered() {
	awk -F, -v n="$rows" '
	function luhn(digits, i, d, sum) {
		for (i = length(digits); i > 0; i--) {
			d = substr(digits, i, 1) * ((length(digits) - i) % 2 == 0 ? 2 : 1)
			sum += d > 9 ? d - 9 : d
		}
		return digits (10 - sum % 10) % 10
	}
	NR == 1 { print; next }
	/"/ || NF != 14 { next } # cells with commas or of several lines
	{ line[++lines] = $0 }
	END {
		for (i = 1; i <= n; i++) {
			split(line[1 + i % lines], cell, ",")
			at = index(line[1 + i % lines], "," cell[4] ",") # the columns behind the SIRET stay as they are
			printf "%s.%d,%s %d,%s%s\n", cell[1], i, cell[2], i, luhn(luhn(sprintf("%08d", 30000000 + i)) "0001"), substr(line[1 + i % lines], at)
		}
	}' "$DATA/irep/nord.csv"
}

# bring NAME: the import; its time and memory go to NAME.client, the server's memory to NAME.server, its counts to NAME.json.
bring() {
	echo 5 >"/proc/$(daemon_pid)/clear_refs"
	env XDG_CONFIG_HOME="$E2E/irep/config" XDG_DATA_HOME="$E2E/irep/data" "$SEVE_BUILD/tests/bench/bench_peak" "$SEVE" import actors \
		"$E2E/million.csv" --mapping irep --source irep --territory large --format json --report "$E2E/$1.json" >/dev/null 2>"$E2E/$1.err" || {
		cat "$E2E/$1.err" >&2
		jq -c .reasons "$E2E/$1.json" >&2
		return 1
	}
	tail -n 1 "$E2E/$1.err" >"$E2E/$1.client"
	awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$(daemon_pid)/status" >"$E2E/$1.server"
}

if [[ ! -x $SEVE || ! -x $limit ]]; then
	echo "bench: $SEVE_BUILD is not built: build the preset release first (./dev bench does)" >&2
	exit 2
fi
# shellcheck disable=SC2119 # no setting but the usual ones
server_start
as admin territory create --slug large --name Grand --region Banc >/dev/null
enroll irep importer large --source irep
numbered >"$E2E/million.csv"
super="host='$(cat "$E2E/server/run.path" 2>/dev/null || echo "$E2E/server/run")' port=5432 user=postgres dbname=seve"
territory=$(sql "SELECT territory_id FROM territory_head WHERE slug = 'large'")

say "import of $rows rows, $(stat -c %s "$E2E/million.csv") bytes"
"$limit" quiet "$super"
bring first
say "the same again"
"$limit" quiet "$super"
bring second
say "the limits"
"$limit" quiet "$super"
"$limit" unnest "$super" "$territory" record "$rows" >"$E2E/one"
"$limit" quiet "$super"
"$limit" unnest "$super" "$territory" record,actor,import_ref "$rows" >"$E2E/same"

jq -nc --argjson rows "$rows" --slurpfile first "$E2E/first.json" --slurpfile second "$E2E/second.json" --slurpfile c1 "$E2E/first.client" \
	--slurpfile c2 "$E2E/second.client" --slurpfile s1 "$E2E/first.server" --slurpfile s2 "$E2E/second.server" \
	--slurpfile one "$E2E/one" --slurpfile same "$E2E/same" '
	def round3: . * 1000 | round / 1000;
	($rows / $c1[0].seconds) as $value
	| {figure: "import_million", value: ($value | round), unit: "rows/s", limit: $one[0].value, ratio: ($value / $one[0].value | round3),
	   runs: 1, limit_name: "unnest of the same rows into one table, 500 a transaction",
	   same_tables_limit: $same[0].value, same_tables_ratio: ($value / $same[0].value | round3), rows: $rows,
	   created: $first[0].created, second_rows_per_s: ($rows / $c2[0].seconds | round), second_unchanged: $second[0].unchanged,
	   client_peak: $c1[0].peak, server_peak: $s1[0], second_client_peak: $c2[0].peak, second_server_peak: $s2[0]}'
equal "$rows $rows" "$(jq -r .created "$E2E/first.json") $(jq -r .unchanged "$E2E/second.json")" "created, and unchanged the second time"

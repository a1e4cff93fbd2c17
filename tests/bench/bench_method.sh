#!/usr/bin/env bash
# bench_method.sh -- the views of the method over a large territory, each beside the plain scan, by psql, of the rows that it reads:
# one JSON line each, medians of BENCH_ROUNDS (5) interleaved rounds, whole commands from their start to their end.
# BENCH_ACTORS=2000 BENCH_ACTIONS=1000 BENCH_POSITIONS=10000 BENCH_CARDS=4000 BENCH_TERRITORIES=50 change the sizes.
set -euo pipefail
cd "$(dirname "$0")/../.."
SEVE_SOURCE=$PWD
SEVE_BUILD=$(readlink -f "${BENCH_BUILD:-build/release}")
# shellcheck source=tests/e2e/helper.bash
source tests/e2e/helper.bash

rounds=${BENCH_ROUNDS:-5}
actors=${BENCH_ACTORS:-2000}
actions=${BENCH_ACTIONS:-1000}
positions=${BENCH_POSITIONS:-10000}
cards=${BENCH_CARDS:-4000}
territories=${BENCH_TERRITORIES:-50}

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

milliseconds() { # COMMAND...: how long it takes
	local from
	from=$(date +%s%N)
	"$@" >"$E2E/figure" 2>/dev/null
	echo $((($(date +%s%N) - from) / 1000000))
}

median() {
	sort -n | sed -n "$((rounds / 2 + 1))p"
}

# scan STATEMENT: the rows as psql gets them.
scan() {
	sql "COPY ($1) TO STDOUT"
}

# figure NAME AIM-MS STATEMENT COMMAND...
figure() {
	local name=$1 aim=$2 statement=$3 i
	shift 3
	: >"$E2E/service"
	: >"$E2E/limit"
	for ((i = 0; i < rounds; i++)); do
		milliseconds scan "$statement" >>"$E2E/limit"
		milliseconds as facilitator "$@" >>"$E2E/service"
	done
	printf '{"figure":"%s","ms":%s,"aim_ms":%s,"sql_scan_ms":%s,"lines":%s}\n' "$name" "$(median <"$E2E/service")" "$aim" \
		"$(median <"$E2E/limit")" "$(wc -l <"$E2E/figure")"
}

# shellcheck disable=SC2119 # no setting but the usual ones
server_start
as admin territory create --slug large --name Grand --region Banc >/dev/null
enroll facilitator facilitator large
profile=$E2E/facilitator/config/seve/profiles
profile=$(dirname "$(find "$profile" -name token | head -n 1)")
"$SEVE_BUILD/tests/bench/fill_method" "127.0.0.1:$(port)" "$profile/ca.pem" "$profile/token" large "$actors" "$actions" "$positions" "$cards"

# The other territories hold what matching across territories reads: written at once.
sql "
INSERT INTO territory_head (slug) SELECT 'autre-' || i FROM generate_series(2, $territories) i;
INSERT INTO territory (territory_id, id, slug, name, region) SELECT territory_id, gen_random_uuid(), slug, slug, 'Banc' FROM territory_head WHERE slug LIKE 'autre-%';
INSERT INTO actor (territory_id, id, name, lat, lon)
	SELECT territory_id, gen_random_uuid(), 'Acteur ' || i, 50.5 + (i * 7919 % 1000) / 1500.0, 2.0 + (i * 104729 % 1000) / 1200.0
	FROM territory_head, generate_series(1, $actors) i WHERE slug LIKE 'autre-%';
INSERT INTO resource (territory_id, id, actor_id, stance, family, label, unit, state)
	SELECT a.territory_id, gen_random_uuid(), a.id, CASE WHEN i % 2 = 0 THEN 'need' ELSE 'capacity' END,
		(ARRAY['materials', 'energy', 'water', 'equipment', 'transport', 'service', 'by_product_waste'])[1 + (i + a.n) % 7], 'lot ' || a.n,
		CASE WHEN i % 3 = 0 THEN 'm3' ELSE 't' END, 'open'
	FROM (SELECT territory_id, id, row_number() OVER (PARTITION BY territory_id) AS n FROM actor WHERE territory_id <> 1) a,
		generate_series(1, $cards / $actors) i;
INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs, body)
	SELECT territory_id, id, 26, row_number() OVER (PARTITION BY territory_id), 2, 0, '', '' FROM resource WHERE territory_id <> 1;
ANALYZE" >/dev/null

rows="SELECT id, kind, rev, body FROM record WHERE territory_id = 1"
for where in --server --offline; do
	[[ $where == --server ]] || as facilitator sync --territory large >/dev/null
	figure "load --over $where" 1000 "$rows AND kind IN (10, 11, 14, 21)" load --over --territory large "$where"
	figure "select simulate $where" 1000 "$rows AND kind IN (10, 11, 13, 14, 21)" select simulate --territory large "$where"
	figure "match $where" 1000 "$rows AND kind IN (10, 11, 26, 27)" match --territory large "$where"
done
figure "match --cross over $territories territories" 10000 \
	"SELECT c.id, c.family, c.unit, c.stance, a.lat, a.lon, r.level FROM resource c JOIN record r USING (territory_id, id) JOIN actor a ON a.territory_id = c.territory_id AND a.id = c.actor_id" \
	match --cross --territory large

#!/usr/bin/env bash
# bench.sh [FIGURE...] -- the service's figures, each beside its limit, which a plain program reaches on the same machine in the
# same minutes: one JSON line each, medians of interleaved rounds (limit, service, limit, service, ...).
#
# figures: snapshot push point_query idle_connection import cold_start watch delta (all when none is named)
# BENCH_BUILD=build/release names the build that is measured; BENCH_ROUNDS=3 BENCH_SECONDS=3 BENCH_RECORDS=200000
# BENCH_IMPORT_ROWS=50000 BENCH_CONNECTIONS=5000 change the sizes.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BENCH_BUILD:-build/release}
export LC_ALL=C.UTF-8

rounds=${BENCH_ROUNDS:-3}
seconds=${BENCH_SECONDS:-3}
records=${BENCH_RECORDS:-200000}
import_rows=${BENCH_IMPORT_ROWS:-50000}
connections=${BENCH_CONNECTIONS:-5000}
csv=$PWD/tests/data/irep/nord.csv
seved=$build/server/seved
service=$build/tests/bench/bench_service
limit=$build/tests/bench/bench_limit

dir=$(mktemp -d /tmp/seve-bench.XXXXXX)
chmod 0755 "$dir" # PostgreSQL's unprivileged account passes through
pid=

# ---- the server -----------------------------------------------------------------------------------------

start_server() {
	local port tries
	port=$(cat "$dir/port" 2>/dev/null || echo 0)
	rm -f "$dir/port"
	"$seved" --embedded "$dir/server" --listen-port "$port" --port-file "$dir/port" >>"$dir/seved.log" 2>&1 </dev/null &
	pid=$!
	for ((tries = 0; tries < 1200; tries++)); do
		[[ -s $dir/port ]] && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	tail -n 20 "$dir/seved.log" >&2
	echo "bench: seved did not start" >&2
	return 1
}

stop_server() {
	[[ -n $pid ]] || return 0
	kill "$pid" 2>/dev/null || true
	wait "$pid" || true
	pid=
}

clean_up() {
	local status=$?
	trap - EXIT
	stop_server
	rm -rf "$dir"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() {
	printf 'bench: %s\n' "$*" >&2
}

run_folder() { # of PostgreSQL's socket
	cat "$dir/server/run.path" 2>/dev/null || echo "$dir/server/run"
}

superuser() {
	echo "host='$(run_folder)' port=5432 user=postgres dbname=seve"
}

territory_of() {
	cut -d' ' -f2 "$dir/places/$1"
}

# ---- what is measured on --------------------------------------------------------------------------------

# Half actors, half actions, in the territory "main"; its first rows tell how an import into an empty database goes.
fill() {
	local half=$((records / 2)) first=2000
	say "filling a territory with $records records"
	until [[ -s $dir/server/invite ]]; do
		sleep 0.05
	done
	"$service" enrol "$dir"
	"$service" open "$dir" main-in importer bench -
	"$service" open "$dir" main facilitator - main-in
	"$service" import "$dir" main-in actor 1 "$first" "$csv" "$pid" >"$dir/first"
	"$limit" settle "$(superuser)"
	"$service" import "$dir" main-in actor $((first + 1)) $((half - first)) "$csv" "$pid" >/dev/null
	"$service" import "$dir" main-in action 1 "$half" "$csv" "$pid" >/dev/null
	"$limit" settle "$(superuser)"
}

# add FILE COMMAND...: one measurement, on a quiet disk.
add() {
	local file=$1
	shift
	"$limit" quiet "$(superuser)"
	"$@" >>"$dir/$file"
}

# result FIGURE UNIT LIMIT-NAME [OTHER-KEYS]: medians of what lies in "service" and "limit"; the ratio is the median of the rounds'.
result() {
	local figure=$1 unit=$2 name=$3 more=${4:-{\}}
	jq -nc --slurpfile s "$dir/service" --slurpfile l "$dir/limit" --arg figure "$figure" --arg unit "$unit" \
		--arg name "$name" --argjson more "$more" '
		def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
		def round3: . * 1000 | round / 1000;
		def medians($rows): $rows[0] | keys | map({(.): ([$rows[][.]] | median | round3)}) | add;
		def other($rows; $prefix): medians($rows) | del(.value) | with_entries(.key |= $prefix + .);
		{figure: $figure, value: medians($s).value, unit: $unit, limit: medians($l).value,
		 ratio: ([range($s | length)] | map($s[.].value / $l[.].value) | median | round3), runs: ($s | length),
		 limit_name: $name}
		+ other($s; "") + other($l; "limit_") + $more
		+ {rounds: [range($s | length)] | map([$s[.].value, $l[.].value])}'
	rm -f "$dir/service" "$dir/limit"
}

# ---- the figures ----------------------------------------------------------------------------------------

figure_snapshot() {
	local round
	for ((round = 0; round < rounds; round++)); do
		add limit "$limit" copy "$(superuser)" "$(territory_of main)" 3
		add service "$service" snapshot "$dir" main 3 "$pid"
	done
	result snapshot records/s "COPY of the same bodies, binary"
}

figure_push() {
	local round
	"$service" open "$dir" push facilitator - -
	for ((round = 0; round < rounds; round++)); do
		add limit "$limit" insert "$(superuser)" "$(territory_of main)" 64 "$seconds"
		add service "$service" push "$dir" push 64 "$seconds" "$csv" "$pid"
	done
	result push pushes/s "one single-row INSERT per commit, 64 libpq connections"
}

figure_point_query() {
	local round
	for ((round = 0; round < rounds; round++)); do
		add limit "$limit" select "$(superuser)" "$(territory_of main)" 32 "$seconds" $((records / 2))
		add service "$service" point "$dir" main 32 "$seconds" $((records / 2)) "$pid"
	done
	result point_query requests/s "prepared SELECT of the same action, 32 libpq connections"
}

# Memory is given back late or never, so each round has a server of its own.
figure_idle_connection() {
	local round
	for ((round = 0; round < rounds; round++)); do
		stop_server
		start_server
		add service "$service" idle "$dir" main "$connections" "$pid"
		echo '{"value":20000}' >>"$dir/limit"
	done
	result idle_connection bytes "the most that is allowed"
}

figure_import() {
	local round name rows more
	"$service" open "$dir" import-source importer bench -
	"$service" import "$dir" import-source actor 1 "$import_rows" "$csv" "$pid" >/dev/null
	rows=$(territory_of import-source)
	for ((round = 0; round < rounds; round++)); do
		name=import-$round
		"$service" open "$dir" "$name" importer bench -
		add limit "$limit" unnest "$(superuser)" "$rows" record "$import_rows"
		add same "$limit" unnest "$(superuser)" "$rows" record,actor,import_ref "$import_rows"
		add service "$service" import "$dir" "$name" actor 1 "$import_rows" "$csv" "$pid"
	done
	more=$(jq -nc --slurpfile s "$dir/service" --slurpfile same "$dir/same" --slurpfile first "$dir/first" '
		def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
		{same_tables_limit: ($same | map(.value) | median),
		 same_tables_ratio: ([range($s | length)] | map($s[.].value / $same[.].value) | median | . * 1000 | round / 1000),
		 empty_database: $first[0].value}')
	result import rows/s "unnest of the same rows into one table, 500 a transaction" "$more"
}

figure_cold_start() {
	local round run super owner listen port tls=$dir/server/tls
	run=$(run_folder)
	super=$(superuser)
	owner="host='$run' port=5432 user=seve dbname=seve"
	mkdir -p "$dir/second"
	ln -sfn ../server "$dir/second/server"
	ln -sfn ../places "$dir/second/places"
	listen=(--tls-cert "$tls/server.pem" --tls-key "$tls/server.key" --tls-ca "$tls/ca.pem")
	# the port must be known before: any port that is free now
	"$seved" --database "$owner" --listen-port 0 --port-file "$dir/second/port" "${listen[@]}" >>"$dir/second.log" 2>&1 </dev/null &
	port=$!
	for ((round = 0; round < 200; round++)); do
		[[ -s $dir/second/port ]] && break
		sleep 0.05
	done
	kill "$port"
	wait "$port" || true
	for ((round = 0; round < rounds; round++)); do
		"$service" start "$dir/second" main P-1 "$seved" --database "$owner" --listen-port "$(cat "$dir/second/port")" \
			"${listen[@]}" >>"$dir/database" 2>>"$dir/second.log"
	done
	for ((round = 0; round < rounds; round++)); do
		stop_server
		"$limit" start "$dir/server/postgres" "$run" "$super" >>"$dir/limit" 2>>"$dir/second.log"
		"$service" start "$dir" main P-1 "$seved" --embedded "$dir/server" --listen-port "$(cat "$dir/port")" \
			>>"$dir/service" 2>>"$dir/seved.log"
		start_server
	done
	result cold_start ms "pg_ctl start of the same cluster until a query is answered" \
		"$(jq -sc '{running_database_ms: (map(.value) | sort | .[(length - 1) / 2 | floor])}' "$dir/database")"
}

figure_watch() {
	local round watchers=${BENCH_WATCHERS:-100} stalled=${BENCH_STALLED:-200}
	for ((round = 0; round < rounds; round++)); do
		"$service" open "$dir" "watch-$round" facilitator - main-in
		add limit "$limit" notify "$(superuser)" 300
		add service "$service" watch "$dir" "watch-$round" "$watchers" "$stalled" 300 "$csv" "$pid"
	done
	result watch us "insert, NOTIFY and commit by libpq, until one listener hears" \
		"{\"watchers\": $watchers, \"stalled\": $stalled}"
}

figure_delta() {
	local round
	"$service" open "$dir" delta-in importer bench -
	"$service" import "$dir" delta-in actor 1 100000 "$csv" "$pid" >/dev/null
	"$limit" settle "$(superuser)"
	for ((round = 0; round < rounds; round++)); do
		"$service" open "$dir" "delta-$round" facilitator - delta-in
		add both "$service" delta "$dir" "delta-$round" 100 20 "$csv"
	done
	jq -c '{value, p99_us, bytes}' "$dir/both" >"$dir/service"
	jq -c '{value: .snapshot_ms, records: .snapshot_records, bytes: .snapshot_bytes}' "$dir/both" >"$dir/limit"
	rm "$dir/both"
	result delta ms "the whole territory, 100,000 records, pulled the same way"
}

figures=(snapshot push point_query idle_connection import cold_start watch delta)
chosen=("${@:-${figures[@]}}")
for figure in "${chosen[@]}"; do
	if [[ " ${figures[*]} " != *" $figure "* ]]; then
		echo "bench: there is no figure $figure; there are: ${figures[*]}" >&2
		exit 2
	fi
done
for program in "$seved" "$service" "$limit"; do
	if [[ ! -x $program ]]; then
		echo "bench: $program is not there: build the preset release first (./dev bench does)" >&2
		exit 2
	fi
done
ulimit -n "$(ulimit -Hn)"
start_server
fill
for figure in "${chosen[@]}"; do
	say "$figure"
	"figure_$figure"
done

# Two importers at once: of the same file, and of two sources that tell of the same establishments.
load helper

COPIES=15

setup_file() {
	local n
	server_start
	for n in same apart again; do
		quietly as admin territory create --slug "$n" --name "$n" --region Essais
	done
	enroll one importer same,apart,again --source irep
	enroll two importer same,again --source irep
	enroll dreal importer apart --source dreal
	enroll reader facilitator same,apart,again
	{
		head -n 1 "$DATA/irep/nord.csv" | tr -d '\r'
		for ((n = 1; n <= COPIES; n++)); do
			tail -n +2 "$DATA/irep/nord.csv" | sed -E "s/^([0-9]{3}\.[0-9]{5}),/\1-$n,/; s/,[0-9]{3}([0-9]{11}),/,$((100 + n))\1,/"
		done
	} >"$E2E/irep.csv"
	# the same establishments under another register's keys
	sed -E 's/^([0-9]{3}\.[0-9]{5}-)/D\1/' "$E2E/irep.csv" >"$E2E/dreal.csv"
}

teardown_file() {
	server_stop
}

# start ACCOUNT TERRITORY FILE SOURCE: in the background; PIDS gets its process.
start() {
	XDG_CONFIG_HOME="$E2E/$1/config" XDG_DATA_HOME="$E2E/$1/data" "$SEVE" import actors "$3" --mapping irep --source "$4" \
		--territory "$2" --report "$E2E/$1.json" --quiet >"$E2E/$1.log" 2>&1 3>&- 4>&- &
	PIDS+=($!)
}

# both must end well
finish() {
	local pid status=0
	for pid in "${PIDS[@]}"; do
		wait "$pid" || status=$?
	done
	PIDS=()
	((status == 0)) || cat "$E2E"/*.log >&2
	return "$status"
}

sum() { # FIELD REPORT...
	local field=$1
	shift
	(cd "$E2E" && jq -s "map(.$field) | add" "$@")
}

live() { # TERRITORY
	as reader actor list --territory "$1" --server --limit 1000000 --format jsonl
}

# What must hold of a territory: every key once, every SIRET once.
nothing_twice() { # TERRITORY
	equal "" "$(live "$1" | jq -r '.refs[] | "\(.source) \(.key)"' | sort | uniq -d | head -n 3)" "keys that stand twice"
	equal "" "$(live "$1" | jq -r '.siret // empty' | sort | uniq -d | head -n 3)" "SIRET that stand twice"
	equal 0 "$(sql "SELECT count(*) FROM (SELECT source, kind, key FROM import_ref WHERE territory_id = (SELECT territory_id FROM territory_head WHERE slug = '$1') GROUP BY 1, 2, 3 HAVING count(*) > 1) t")"
}

@test "two importers of the same file at once: no duplicates, and the counts add up" {
	rows=$(jq .rows <<<"$(as one import actors "$E2E/irep.csv" --mapping irep --source irep --territory same --dry-run --format json)")
	created=$(as one import actors "$E2E/irep.csv" --mapping irep --source irep --territory same --dry-run --format json | jq .created)
	PIDS=()
	start one same "$E2E/irep.csv" irep
	start two same "$E2E/irep.csv" irep
	finish
	equal "$((2 * rows))" "$(sum 'created + .updated + .unchanged + .attached + .skipped + .rejected' one.json two.json)" "rows told of"
	equal "$created 0 0" "$(sum created one.json two.json) $(sum updated one.json two.json) $(sum rejected one.json two.json)"
	equal "$created" "$(live same | wc -l)"
	nothing_twice same
	# and what an import alone would have left
	as one import actors "$E2E/irep.csv" --mapping irep --source irep --territory again --quiet
	plain='del(.id, .ref, .rev, .territory, .created_at, .created_by, .updated_at, .updated_by, .refs)'
	equal "$(live again | jq -cS "$plain" | sort | sha256sum)" "$(live same | jq -cS "$plain" | sort | sha256sum)"
	head=$(jq .head_rev "$E2E/one.json")
	as one import actors "$E2E/irep.csv" --mapping irep --source irep --territory same --report "$E2E/last.json" --quiet
	equal "0 0 0" "$(jq -r '"\(.created) \(.updated) \(.attached)"' "$E2E/last.json")"
	[ "$(jq .head_rev "$E2E/last.json")" -ge "$head" ]
}

@test "two sources of the same establishments at once: one creates, the other attaches" {
	PIDS=()
	start one apart "$E2E/irep.csv" irep
	start dreal apart "$E2E/dreal.csv" dreal
	finish
	rows=$(jq .rows "$E2E/one.json")
	equal "$((2 * rows))" "$(sum 'created + .updated + .unchanged + .attached + .skipped + .rejected' one.json dreal.json)" "rows told of"
	equal 0 "$(sum rejected one.json dreal.json)"
	nothing_twice apart
	# each actor with a SIRET carries both references
	equal 0 "$(live apart | jq -r 'select(.siret and ([.refs[].source] | unique != ["dreal", "irep"])) | .ref' | wc -l)" "actors that one source alone tells of"
	equal "$(live apart | wc -l)" "$(sum created one.json dreal.json)"
	for who in one:irep dreal:dreal; do
		as "${who%:*}" import actors "$E2E/${who#*:}.csv" --mapping irep --source "${who#*:}" --territory apart --report "$E2E/last.json" --quiet
		equal "0 0 0" "$(jq -r '"\(.created) \(.updated) \(.attached)"' "$E2E/last.json")" "$who again"
	done
}

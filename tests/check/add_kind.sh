#!/usr/bin/env bash
# add_kind.sh -- a kind more takes three places: a message, a migration, a row of kinds.def.
# Does so with a throw-away kind in a copy of the tree, builds it, and uses the kind: add, list, synchronise, CSV.
set -euo pipefail
cd "$(dirname "$0")/../.."
SEVE_SOURCE=$PWD
tree=$(mktemp -d /tmp/seve-kind.XXXXXX)

clean_up() {
	local status=$?
	trap - EXIT
	if [[ -n ${E2E:-} ]]; then
		((status == 0)) || tail -n 20 "$E2E/seved.log" >&2 || true
		daemon_end TERM || true
		rm -rf "$E2E"
	fi
	rm -rf "$tree"
	exit "$status"
}
trap clean_up EXIT

copy_tree() {
	tar -c --exclude=./.git --exclude=./build . | tar -x -C "$tree"
}

patch_proto() { # NUMBER
	local message='message Tool {
  enum Condition {
    CONDITION_UNSPECIFIED = 0;
    CONDITION_NEW = 1;
    CONDITION_WORN_OUT = 2;
  }
  optional string name = 1;
  optional Condition condition = 2;
  optional double weight_kg = 3;
  optional sint32 bought_on = 4;
  optional bytes actor_id = 5;
  repeated string tags = 6;
}
'
	awk -v message="$message" -v number="$1" '
		/^message Body / { print message; body = 1 }
		/oneof kind/ && body { print; print "    Tool tool = " number ";"; next }
		{ print }' proto/records.proto >"$tree/proto/records.proto"
}

patch_migration() { # VERSION
	cat >"$tree/migrations/$1_tool.sql" <<-'END'
		CREATE TABLE tool (
			territory_id int NOT NULL, id uuid NOT NULL,
			name text, condition text, weight_kg float8, bought_on date, actor_id uuid, tags text[],
			PRIMARY KEY (territory_id, id)
		);
		ALTER TABLE tool ENABLE ROW LEVEL SECURITY;
		ALTER TABLE tool FORCE ROW LEVEL SECURITY;
		CREATE POLICY territory ON tool
			USING (territory_id = ANY ((SELECT nullif(current_setting('seve.territories', true), ''))::int[]))
			WITH CHECK (territory_id = ANY ((SELECT nullif(current_setting('seve.territories', true), ''))::int[]));
		GRANT SELECT, INSERT, UPDATE, DELETE ON tool TO seve_app;
	END
}

add_the_kind() {
	local number version
	number=$(sed -n 's/^KIND([a-z_]*, *\([0-9]*\),.*/\1/p' common/kinds.def | sort -n | tail -n 1)
	version=$(find migrations -name '[0-9]*.sql' -printf '%f\n' | sort | tail -n 1)
	number=$((number + 1))
	version=$(printf '%04d' $((10#${version%%_*} + 1)))
	patch_proto "$number"
	patch_migration "$version"
	printf "KIND(tool, %d, 'Z', name, NETWORK, F | I, IMPORT)\n" "$number" >>"$tree/common/kinds.def"
	diff -rq . "$tree" -x .git -x build | sed 's/^/changed: /' || true
}

build_it() {
	cmake -S "$tree" -B "$tree/b" -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0 -DSEVE_TESTS=OFF >"$tree/log"
	cmake --build "$tree/b" --target seved seve >>"$tree/log" || {
		tail -n 40 "$tree/log" >&2
		return 1
	}
}

copy_tree
add_the_kind
build_it

SEVE_BUILD=$tree/b
# shellcheck source=tests/e2e/helper.bash
source tests/e2e/helper.bash
# shellcheck disable=SC2119
server_start
two_territories
enroll facilitator facilitator nord
enroll partner importer nord --source cci

as facilitator actor add --territory nord --name Atelier --category company
as facilitator tool add --territory nord --name 'Presse à balles' --condition worn_out --weight-kg 812.5 \
	--bought 2019-03-02 --actor A-1 --tag levage --tag presse
expect 0 'Z-1' as facilitator tool list --territory nord --server
expect 9 'worn_out' as facilitator tool edit Z-1 --territory nord --condition rusty
as facilitator tool edit Z-1 --territory nord --condition new
expect 0 'Presse à balles.*812.5|812.5.*Presse à balles' as facilitator tool list --territory nord --server --format csv \
	--columns name,weight_kg,condition,tags
echo "add, edit, list: ok"

as facilitator sync --territory nord
as facilitator tool add --territory nord --name Broyeur --offline
as facilitator sync
equal "$(as facilitator tool list --territory nord --server --format jsonl)" \
	"$(as facilitator tool list --territory nord --offline --format jsonl)" "server and replica"
equal 2 "$(as facilitator tool list --territory nord --offline --format jsonl | wc -l)"
expect 0 'Broyeur' as facilitator export --territory nord
echo "offline, synchronise, export: ok"

printf 'key = cle\nnom = name\netat = condition\n' >"$E2E/tools.map"
printf 'cle,nom,etat\n1,Nacelle,new\n2,Grue,worn_out\n' >"$E2E/tools.csv"
for expected in '2 0' '0 2'; do
	equal "$expected" "$(as partner import tools "$E2E/tools.csv" --mapping "$E2E/tools.map" --source cci --territory nord --format json |
		jq -r '[.created, .unchanged] | join(" ")')" "import"
done
equal 4 "$(as facilitator tool list --territory nord --server --format csv | tail -n +2 | wc -l)" "rows of CSV"
equal 4 "$(sql "SELECT count(*) FROM tool WHERE name IS NOT NULL")" "rows of the kind's own table"
echo "CSV in, CSV out, typed table: ok"

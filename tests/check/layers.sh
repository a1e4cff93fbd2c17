#!/usr/bin/env bash
# layers.sh -- each include stays inside its layer or goes down: proto -> common -> { server, client/lib } -> { client/cli }.
# The include paths of the build say the same; this also catches paths with "..", and libraries in the wrong layer.
set -euo pipefail
cd "$(dirname "$0")/../.."

failures=0

complain() {
	printf '%s\n' "$1" >&2
	failures=$((failures + 1))
}

# resolves FILE INCLUDE ROOT...: does the include name a file beside FILE (inside its layer) or under one of the roots?
resolves() {
	local file=$1 include=$2 root
	shift 2
	case $include in
	*..*) return 1 ;;
	*.pb-c.h) [[ -f proto/${include%.pb-c.h}.proto ]] && return 0 ;;
	esac
	[[ -f $(dirname "$file")/$include ]] && return 0
	for root in "$@"; do
		[[ -f $root/$include ]] && return 0
	done
	return 1
}

# layer FOLDER FORBIDDEN ROOT...: FORBIDDEN is a pattern of system headers that the layer does not know.
layer() {
	local folder=$1 forbidden=$2 file line include
	shift 2
	while IFS= read -r -d '' file; do
		while IFS= read -r line; do
			include=${line#*[\"<]}
			include=${include%[\">]*}
			if [[ $line == *'<'* ]]; then
				if [[ $include =~ $forbidden ]]; then
					complain "$file: <$include> does not belong in $folder"
				fi
			elif ! resolves "$file" "$include" "$@"; then
				complain "$file: \"$include\" is neither in $folder nor below it"
			fi
		done < <(grep -E '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' "$file" || true)
	done < <(find "$folder" -name '*.[ch]' -print0)
}

common=(common common/sync common/rules common/method)
layer common '^(uv|libpq-fe|sqlite3|popt|libsmartcols/.*)\.h$' "${common[@]}"
layer server '^(sqlite3|libsmartcols/.*)\.h$' server "${common[@]}"
layer client/include '^(uv|libpq-fe|sqlite3|protobuf-c/.*|openssl/.*)\.h$' client/include
layer client/lib '^(uv|libpq-fe|popt|libsmartcols/.*)\.h$' client/include client/lib "${common[@]}"
layer client/cli '^(uv|libpq-fe|sqlite3)\.h$' client/include client/cli "${common[@]}"
if [[ -d client/examples ]]; then
	layer client/examples '^(uv|libpq-fe|sqlite3)\.h$' client/include
fi

if ((failures)); then
	printf '%d includes against the layers\n' "$failures" >&2
	exit 1
fi
echo "every include stays in its layer"

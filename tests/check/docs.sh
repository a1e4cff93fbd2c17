#!/usr/bin/env bash
# docs.sh -- the pages agree with the tables they tell of, and their links lead somewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."

failures=0

complain() {
	printf '%s\n' "$1" >&2
	failures=$((failures + 1))
}

# told PAGE WHAT WORDS: each of the words, one a line, must stand in the page.
told() {
	local word
	while IFS= read -r word; do
		grep -Eq -- "(^|[^A-Za-z_])$word([^A-Za-z_-]|\$)" "$1" || complain "$1 does not tell of the $2 \"$word\""
	done <<<"$3"
}

links() { # PAGE
	local target
	while IFS= read -r target; do
		case $target in
		http*://* | \#* | '') continue ;;
		esac
		[[ -e $(dirname "$1")/${target%%#*} ]] || complain "$1 links to $target, which is not there"
	done < <(grep -oE '\]\([^)]+\)' "$1" | sed 's/^](//; s/)$//')
}

told docs/protocol.md error "$(sed -n 's/^ERR(\([A-Z_]*\),.*/\1/p' common/err.def)"
told docs/protocol.md frame "$(sed -n '/^enum frame_type/,/^}/s/^\tFRAME_\([A-Z]*\) =.*/\1/p' common/frame.h)"
told docs/operations.md setting "$(sed -n 's/^CONFIG([A-Z_]*, "\([a-z-]*\)".*/\1/p' server/config.def)"
told docs/protocol.md method "$(sed -n 's/^METHOD(\([a-z_]*\),.*/\1/p' server/methods.def)"
told docs/man/libseve.3 function "$(grep -oE '\bseve_[a-z_]+ ?\(' client/include/seve.h | tr -d ' (' | sort -u)"
told docs/performance.md "figure of the method" "$(sed -n 's/^[[:space:]]*figure "\([a-z]*\).*/\1/p' tests/bench/bench_method.sh | sort -u)"
for page in README.md CONTRIBUTING.md docs/*.md proto/*.md tests/data/*.md; do
	links "$page"
done

if ((failures)); then
	printf '%d places where the pages and the tree disagree\n' "$failures" >&2
	exit 1
fi
echo "the pages agree with the tables"

#!/usr/bin/env bash
# scripts.sh -- the shell scripts parse, and are clean for shellcheck where it is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -t scripts < <(find dev .ci tests client/po -type f \( -name '*.sh' -o -name '*.bash' -o -name dev -o -name run \) -print)
for script in "${scripts[@]}"; do
	bash -n "$script"
done
echo "${#scripts[@]} scripts parse"
if command -v shellcheck >/dev/null; then
	shellcheck -x "${scripts[@]}"
	echo "shellcheck: clean"
else
	echo "shellcheck is not installed: only the syntax was checked"
fi

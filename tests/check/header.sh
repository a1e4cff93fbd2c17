#!/usr/bin/env bash
# header.sh CC CXX -- the public header alone, as C99, C11 and C++17, without a warning; with clang too where it is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

cc=${1:-cc}
cxx=${2:-c++}
warnings=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only)

compile() { # COMPILER LANGUAGE STANDARD
	printf '#include <seve.h>\n' | "$1" -x "$2" -std="$3" "${warnings[@]}" -Iclient/include -
	printf '%s -std=%s: clean\n' "$(basename "$1")" "$3"
}

for compiler in "$cc" $(command -v clang || true); do
	compile "$compiler" c c99
	compile "$compiler" c c11
done
for compiler in "$cxx" $(command -v clang++ || true); do
	compile "$compiler" c++ c++17
done

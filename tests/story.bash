# story.bash -- what the demonstrations share: steps with their command and their result, checks, and an end that leaves nothing behind.
# For scripts that have sourced tests/e2e/helper.bash.
# shellcheck shell=bash

STEP_SECONDS=120 # no command of the story takes so long; one that hangs is ended

clean_up() {
	local status=$?
	trap - EXIT
	if [[ -n ${E2E:-} && -e $E2E/pid ]]; then
		daemon_end TERM || kill -9 "$(daemon_pid)" || true
	fi
	if [[ -n ${E2E:-} ]]; then
		((status == 0)) || tail -n 20 "$E2E/seved.log" >&2 || true
		rm -rf "$E2E"
	fi
	((status == 0)) || printf '\nThe demonstration FAILED (status %d).\n' "$status" >&2
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

number=0

step() {
	number=$((number + 1))
	printf '\n== %d. %s\n' "$number" "$*"
}

note() {
	printf '   %s\n' "$*"
}

shown() { # what a person would type: a long list of options is cut
	local word line=''
	for word in "$@"; do
		[[ $word == --insee-code=* && $line == *--insee-code=*' …' ]] && continue
		case $word in
		*\'*) word="\"$word\"" ;;
		*' '* | '') word="'$word'" ;;
		esac
		line+=" ${word/$SEVE_SOURCE\//}"
		[[ $word == --insee-code=* ]] && line+=' …'
	done
	printf '%s' "${line# }"
}

# try ACCOUNT COMMAND...: shows and runs it on that account's machine; it must succeed.
try() {
	local account=$1 status=0
	shift
	printf '   %s$ seve %s\n' "$account" "$(shown "$@")"
	timeout "$STEP_SECONDS" env XDG_CONFIG_HOME="$E2E/$account/config" XDG_DATA_HOME="$E2E/$account/data" \
		"$SEVE" "$@" >"$E2E/out" 2>"$E2E/err" </dev/null || status=$?
	sed 's/^/     /' "$E2E/out" "$E2E/err"
	if ((status)); then
		note "status $status"
		return 1
	fi
}

# refused ACCOUNT PATTERN COMMAND...: the command must fail and say why.
refused() {
	local account=$1 pattern=$2
	shift 2
	if try "$account" "$@"; then
		echo "   this should have been refused" >&2
		return 1
	fi
	grep -Eq "$pattern" "$E2E/err" "$E2E/out"
}

check() { # WHAT WANTED GOT
	if [[ $2 != "$3" ]]; then
		printf '   CHECK FAILED: %s: wanted %s, got %s\n' "$1" "$2" "$3" >&2
		return 1
	fi
	printf '   checked: %s: %s\n' "$1" "$3"
}

# helper.bash -- a real daemon with its private PostgreSQL, and accounts that each have a machine of their own.
# For bats files (server_start in setup_file, server_stop in teardown_file) and for plain scripts.
#
# E2E is the folder of the run: E2E/server the daemon's data, E2E/NAME the machine of account NAME.

SEVE_SOURCE=${SEVE_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
SEVE_BUILD=${SEVE_BUILD:-$SEVE_SOURCE/build/dev}
SEVED=$SEVE_BUILD/server/seved
SEVE=$SEVE_BUILD/client/seve
DATA=$SEVE_SOURCE/tests/data
export LC_ALL=C.UTF-8 NO_COLOR=1

# ---- the daemon -----------------------------------------------------------------------------------------

# A folder that PostgreSQL's unprivileged account can reach too (bats' own folders are closed to it).
run_folder() {
	E2E=$(mktemp -d /tmp/seve-e2e.XXXXXX)
	chmod 0755 "$E2E"
	export E2E
}

# daemon_start [FLAG...]: starts seved on the port it had before, or any; returns once it listens.
daemon_start() {
	local port tries
	port=$(cat "$E2E/port" 2>/dev/null || echo 0)
	rm -f "$E2E/port"
	"$SEVED" --embedded "$E2E/server" --listen-port "$port" --port-file "$E2E/port" "$@" \
		>>"$E2E/seved.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$E2E/pid"
	for ((tries = 0; tries < 1200; tries++)); do
		[[ -s $E2E/port ]] && return 0
		kill -0 "$(cat "$E2E/pid")" 2>/dev/null || break
		sleep 0.05
	done
	tail -n 20 "$E2E/seved.log" >&2
	echo "seved did not start" >&2
	return 1
}

daemon_pid() {
	cat "$E2E/pid"
}

# daemon_end SIGNAL: sends it and waits until the process is gone.
daemon_end() {
	local pid tries
	pid=$(daemon_pid)
	kill -"$1" "$pid" 2>/dev/null || return 0
	for ((tries = 0; tries < 1200; tries++)); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "seved (process $pid) does not end" >&2
	return 1
}

# server_start [FLAG...]: a fresh daemon, and the account "admin" logged in.
server_start() {
	run_folder
	daemon_start "$@" || return 1
	quietly as admin login --device e2e - <"$E2E/server/invite"
}

# A sanitizer's complaint about the daemon is a failure of the file.
server_stop() {
	daemon_end TERM || kill -9 "$(daemon_pid)"
	if grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$E2E/seved.log"; then
		tail -n 60 "$E2E/seved.log" >&2
		return 1
	fi
	rm -rf "$E2E"
}

port() {
	cat "$E2E/port"
}

# sql STATEMENT: asks the daemon's PostgreSQL, as its owner.
sql() {
	local socket
	socket=$(cat "$E2E/server/run.path" 2>/dev/null || echo "$E2E/server/run")
	psql -X -q -A -t -h "$socket" -U "$(stat -c %U "$E2E/server/postgres")" -d seve -v ON_ERROR_STOP=1 -c "$1"
}

# quietly COMMAND...: what it says is shown only if it fails.
quietly() {
	local out
	out=$("$@" 2>&1) || {
		printf '%s\n' "$out" >&2
		return 1
	}
}

# ---- accounts -------------------------------------------------------------------------------------------

# as ACCOUNT COMMAND...: seve on that account's machine.
as() {
	local account=$1
	shift
	env XDG_CONFIG_HOME="$E2E/$account/config" XDG_DATA_HOME="$E2E/$account/data" "$SEVE" "$@" 3>&- 4>&-
}

# enroll ACCOUNT ROLE TERRITORY[,TERRITORY...] [FLAG...]: invites the account and logs it in.
enroll() {
	local account=$1 role=$2 territories=$3 line
	shift 3
	line=$(as admin invite create --account "$account" --role "$role" --territory "$territories" "$@" | grep -o 'seve-invite:[^ ]*')
	quietly as "$account" login --device e2e - <<<"$line"
}

# rivals TERRITORY ACTIONS EDITS SEED: two new accounts edit the same actions apart (tests/e2e/rivals.c); says the sums.
rivals() {
	local folder account lines=()
	folder=$(mktemp -d "$E2E/rivals.XXXXXX")
	for account in "rival-$4-a" "rival-$4-b"; do
		lines+=("$(as admin invite create --account "$account" --role facilitator --territory "$1" | grep -o 'seve-invite:[^ ]*')")
	done
	"$SEVE_BUILD/tests/rivals" "$folder" "$1" "$2" "$3" "$4" "${lines[@]}" | tee "${BATS_TEST_TMPDIR:-$folder}/sums" >&3
	return "${PIPESTATUS[0]}"
}

# insee EPCI-CODE...: the communes of real intercommunalities, as options of territory create.
insee() {
	local code
	for code in "$@"; do
		jq -r --arg code "$code" '.[] | select(.code == $code) | .membres[].code' "$DATA/territories/epci.json"
	done | sort | sed 's/^/--insee-code=/'
}

# two_territories: "nord" and "sud", real neighbours.
two_territories() {
	local -a nord sud
	mapfile -t nord < <(insee 245900428)
	mapfile -t sud < <(insee 200040954 200069037 200040947)
	as admin territory create --slug nord --name "Dunkerque" --region "Hauts-de-France" "${nord[@]}" >/dev/null
	as admin territory create --slug sud --name "Flandre et Audomarois" --region "Hauts-de-France" "${sud[@]}" >/dev/null
}

# ref_of ACCOUNT KIND TERRITORY JQ-CONDITION: the reference of the first record that fits.
ref_of() {
	as "$1" "$2" list --territory "$3" --server --format jsonl | jq -r "select($4) | .ref" | head -n 1
}

# raw_push ACCOUNT TERRITORY REASON CHANGE...: a mutation through the library, past the command line (raw_push.c).
raw_push() {
	local account=$1 territory=$2 reason=$3
	shift 3
	"$SEVE_BUILD/tests/e2e_raw_push" "localhost:$(port)" "$E2E/server/tls/ca.pem" "$(find "$E2E/$account/config" -name token)" \
		"$territory" "$reason" "$@" 2>&1 3>&- 4>&-
}

# ---- checks ---------------------------------------------------------------------------------------------

# expect STATUS PATTERN COMMAND...: the command ends with STATUS and says PATTERN (an extended regular expression).
expect() {
	local status=$1 pattern=$2 rc=0 out
	shift 2
	out=$("$@" 2>&1) || rc=$?
	if [[ $rc -ne $status ]] || ! grep -Eq -- "$pattern" <<<"$out"; then
		printf 'command:  %s\nexpected: status %s, /%s/\ngot:      status %s\n%s\n' "$*" "$status" "$pattern" "$rc" "$out" >&2
		return 1
	fi
}

# equal WANTED GOT [WHAT]
equal() {
	if [[ $1 != "$2" ]]; then
		printf '%s\nwanted: %s\ngot:    %s\n' "${3:-}" "$1" "$2" >&2
		return 1
	fi
}

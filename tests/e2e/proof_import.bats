# An import is killed at twenty random moments, the client at ten and the daemon at ten, and run again: the same state as undisturbed.
# SEED=N replays the moments of a run.
load helper
load killed

KILLS=${PROOF_KILLS:-10}

setup_file() {
	killed_setup 90
}

teardown_file() {
	server_stop
}

@test "the client is killed with -9 on its way: run again, the import ends as an undisturbed one" {
	killed_all 1 client
}

@test "the daemon is killed with -9 on its way: the import goes on by itself or is run again, and ends as an undisturbed one" {
	killed_all $((KILLS + 1)) server
}

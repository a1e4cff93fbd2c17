# An import that is killed on its way and run again; proof_import.bats does it more often.
load helper
load killed

KILLS=2

setup_file() {
	killed_setup 45
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

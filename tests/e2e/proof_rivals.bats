# The full counts of e2e_rivals.bats.
load helper

setup_file() {
	server_start
	two_territories
}

teardown_file() {
	server_stop
}

@test "1,000 random edits each on the same 200 actions: each is in effect, in a conflict or refused with a reason" {
	rivals nord 200 1000 1
}

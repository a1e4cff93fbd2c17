# Two replicas edited apart: nothing is lost, and the counts add up.  The full counts: proof_rivals.bats.
load helper

setup_file() {
	server_start
	two_territories
}

teardown_file() {
	server_stop
}

@test "200 random edits each on the same 40 actions: each is in effect, in a conflict or refused with a reason" {
	rivals nord 40 200 7
}

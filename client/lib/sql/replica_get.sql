SELECT epoch, view, rev, complete, synced_at, generation, sweep, start, verify_epoch, verify_view, verify_head, verify_after,
	fork, fork_open
FROM replica WHERE territory = ?1

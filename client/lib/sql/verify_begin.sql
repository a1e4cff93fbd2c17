-- A comparison with the manifest begins: rows stay readable, those that it does not confirm go when it is complete.
UPDATE replica SET epoch = 0, view = 0, rev = 0, start = 0, generation = generation + 1, sweep = 1,
	verify_epoch = ?2, verify_view = ?3, verify_head = 0, verify_after = NULL, fork = ?4, fork_open = ?5
WHERE territory = ?1

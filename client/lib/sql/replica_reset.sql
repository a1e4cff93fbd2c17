UPDATE replica SET epoch = 0, view = 0, rev = 0, start = 0, generation = generation + 1, sweep = 1, verify_epoch = 0 WHERE territory = ?1

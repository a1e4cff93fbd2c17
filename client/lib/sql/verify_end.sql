-- The cursor of the manifest: a pull from here brings what moved while it was read.
UPDATE replica SET epoch = verify_epoch, view = verify_view, rev = verify_head, verify_epoch = 0, verify_after = NULL, fork = -1, fork_open = 0
WHERE territory = ?1

SELECT kind, rev, ref_no, deleted, body FROM record WHERE territory = ?1 AND id = ?2

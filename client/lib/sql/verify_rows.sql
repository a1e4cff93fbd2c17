SELECT id, rev, deleted, generation, body FROM record WHERE territory = ?1 AND id > ?2 AND id <= ?3 ORDER BY id

DELETE FROM touch WHERE territory = ?1 AND id = ?2 AND mid = ?3

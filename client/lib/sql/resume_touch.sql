DELETE FROM touch WHERE territory = ?1 AND mid > ?2

SELECT max(mid) FROM touch WHERE territory = ?1 AND id = ?2

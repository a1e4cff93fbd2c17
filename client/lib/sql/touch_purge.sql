DELETE FROM touch WHERE territory = ?1

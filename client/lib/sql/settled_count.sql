SELECT count(*) FROM settled WHERE territory = ?1

DELETE FROM settled WHERE territory = ?1

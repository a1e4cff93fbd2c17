SELECT verdict FROM settled WHERE territory = ?1 AND mid = ?2

DELETE FROM settled WHERE territory = ?1 AND (at < ?2 OR mid <= ?3)

UPDATE outbox SET state = 1 WHERE territory = ?1 AND mid BETWEEN ?2 AND ?3 AND state = 0

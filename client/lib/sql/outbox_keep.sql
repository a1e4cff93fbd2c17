UPDATE outbox SET state = ?3, verdict = ?4, code = ?5 WHERE territory = ?1 AND mid = ?2

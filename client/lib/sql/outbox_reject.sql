UPDATE outbox SET state = 3, code = ?2 WHERE territory = ?1 AND state <= 1

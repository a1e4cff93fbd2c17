SELECT mid, mutation FROM outbox WHERE territory = ?1 AND state <= 1 AND mid > ?2 ORDER BY mid

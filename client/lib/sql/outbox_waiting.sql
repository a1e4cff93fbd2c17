SELECT mid, mutation FROM outbox WHERE territory = ?1 AND state <= 1 ORDER BY mid

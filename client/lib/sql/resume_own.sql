SELECT mutation FROM outbox WHERE territory = ?1 AND mid = ?2
UNION ALL
SELECT mutation FROM settled WHERE territory = ?1 AND mid = ?2
LIMIT 1

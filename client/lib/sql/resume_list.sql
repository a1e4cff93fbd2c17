-- What may have to be offered again, in the order of the numbers: what waits, and what was acknowledged.
SELECT mid, 1, 0, at, mutation FROM outbox WHERE territory = ?1 AND state <= 1
UNION ALL
SELECT mid, 0, epoch, made_at, mutation FROM settled WHERE territory = ?1
ORDER BY mid

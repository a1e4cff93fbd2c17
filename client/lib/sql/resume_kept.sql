-- What was refused keeps out of the way of the numbers to come.
UPDATE outbox SET mid = mid - ?2 + (SELECT max(?3, max(mid)) FROM outbox WHERE territory = ?1)
WHERE territory = ?1 AND state > 1 AND mid > ?2 AND mid <= ?3

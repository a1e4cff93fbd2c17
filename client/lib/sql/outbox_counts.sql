SELECT count(*) FILTER (WHERE state <= 1), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3)
FROM outbox WHERE territory = ?1

-- A page of what the reader may see, in the order of ids, and the head of the same snapshot.  $1 territory, $2 the id before,
-- $3 the most rows, $4 to $6 the reader (pull_window.sql).  The check is manifest.c's.
SELECT h.rev, r.id, substr(sha256(int8send(r.rev) || r.body), 1, 8)
FROM territory_head h
LEFT JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = h.territory_id AND x.id > $2 AND NOT x.deleted
	AND (x.level <= $4 OR (x.owner_actor = $5 AND x.kind = ANY ($6)))
	ORDER BY x.id LIMIT $3) r ON true
WHERE h.territory_id = $1
ORDER BY r.id

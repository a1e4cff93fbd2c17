-- Former versions of the erased record $2, and of the conflicts about it, say what the record says now: that they were, and when.
UPDATE record_version v SET body = r.body, reason = NULL
FROM record r
WHERE v.territory_id = $1 AND r.territory_id = $1 AND r.id = v.id AND (v.body IS DISTINCT FROM r.body OR v.reason IS NOT NULL)
	AND (v.id = $2 OR (v.kind = 20 AND v.id IN (SELECT from_id FROM link WHERE territory_id = $1 AND to_id = $2)))

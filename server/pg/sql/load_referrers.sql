-- Who points at a record.  A conflict (kind 20) tells of it, and does not hold it.
SELECT u.t, u.i, x.from_id, x.tag
FROM unnest($1::int[], $2::uuid[]) u(t, i)
CROSS JOIN LATERAL (SELECT l.from_id, l.tag FROM link l
	JOIN record r ON r.territory_id = l.territory_id AND r.id = l.from_id AND NOT r.deleted AND r.kind <> 20
	WHERE l.territory_id = u.t AND l.to_id = u.i LIMIT 100) x

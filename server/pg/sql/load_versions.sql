SELECT u.t, u.i, x.body
FROM unnest($1::int[], $2::uuid[]) u(t, i)
CROSS JOIN LATERAL (SELECT v.body FROM record_version v
	WHERE v.territory_id = u.t AND v.id = u.i AND v.body IS NOT NULL ORDER BY v.rev DESC LIMIT 1) x

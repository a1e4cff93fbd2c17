-- The scope of row-level security is set on the way ($1): see get_by_ref.sql.
SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body, r.level, r.owner_actor
FROM (SELECT set_config('seve.territories', $1::text, true) AS territories OFFSET 0) said
CROSS JOIN (SELECT unnest($2::int[]), unnest($3::int[]), unnest($4::uuid[])) u(n, t, i)
CROSS JOIN LATERAL (SELECT * FROM record x
	WHERE said.territories IS NOT NULL AND x.territory_id = u.t AND x.id = u.i OFFSET 0) r

-- The scope of row-level security is set on the way ($1), which spares a statement: `said` comes before any row is looked at.
SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body, r.level, r.owner_actor
FROM (SELECT set_config('seve.territories', $1::text, true) AS territories OFFSET 0) said
CROSS JOIN (SELECT unnest($2::int[]), unnest($3::int[]), unnest($4::smallint[]), unnest($5::int[])) u(n, t, k, f)
CROSS JOIN LATERAL (SELECT * FROM record x
	WHERE said.territories IS NOT NULL AND x.territory_id = u.t AND x.kind = u.k AND x.ref_no = u.f OFFSET 0) r

SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body, r.level, r.owner_actor
FROM unnest($1::int[], $2::int[], $3::uuid[]) u(n, t, i)
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.id = u.i OFFSET 0) r

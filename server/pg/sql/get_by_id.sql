SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body
FROM unnest($1::int[], $2::int[], $3::uuid[], $4::smallint[]) u(n, t, i, l)
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.id = u.i OFFSET 0) r
WHERE r.level <= u.l

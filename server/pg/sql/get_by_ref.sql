SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body, r.level, r.owner_actor
FROM unnest($1::int[], $2::int[], $3::smallint[], $4::int[]) u(n, t, k, f)
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.kind = u.k AND x.ref_no = u.f OFFSET 0) r

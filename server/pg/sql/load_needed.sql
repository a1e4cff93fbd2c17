SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::smallint[]) u(t, i, g, k)
CROSS JOIN LATERAL (SELECT l.from_id FROM link l WHERE l.territory_id = u.t AND l.to_id = u.i AND l.tag = u.g OFFSET 0) l
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.id = l.from_id OFFSET 0) r
WHERE r.kind = u.k AND NOT r.deleted

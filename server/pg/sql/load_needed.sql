-- Live records of a kind whose field points at the origin: a record (h = 0), or what its field h names.
SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::int[], $5::smallint[]) u(t, i, h, g, k)
CROSS JOIN LATERAL (SELECT u.i AS id WHERE u.h = 0 UNION ALL SELECT x.to_id FROM link x WHERE u.h <> 0 AND x.territory_id = u.t AND x.from_id = u.i AND x.tag = u.h OFFSET 0) o
CROSS JOIN LATERAL (SELECT l.from_id FROM link l WHERE l.territory_id = u.t AND l.to_id = o.id AND l.tag = u.g OFFSET 0) l
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.id = l.from_id OFFSET 0) r
WHERE r.kind = u.k AND NOT r.deleted

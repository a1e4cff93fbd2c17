SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true
FROM unnest($1::int[], $2::uuid[], $3::int[], $4::smallint[]) u(t, i, g, k)
JOIN link l ON l.territory_id = u.t AND l.to_id = u.i AND l.tag = u.g
JOIN record r ON r.territory_id = l.territory_id AND r.id = l.from_id
WHERE r.kind = u.k AND NOT r.deleted

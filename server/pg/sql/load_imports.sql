SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true,
       u.n, x.id, x.hash, x.last_values
FROM unnest($1::int[], $2::text[], $3::smallint[], $4::text[], $5::int[]) u(t, s, k, e, n)
JOIN import_ref x ON x.territory_id = u.t AND x.source = u.s AND x.kind = u.k AND x.key = u.e
LEFT JOIN record r ON r.territory_id = x.territory_id AND r.id = x.id

SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev,
       CASE WHEN u.f THEN r.field_revs END, CASE WHEN u.f THEN r.body END, u.f
FROM unnest($1::int[], $2::uuid[], $3::bool[]) u(t, i, f)
JOIN record r ON r.territory_id = u.t AND r.id = u.i

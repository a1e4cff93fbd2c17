SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body
FROM unnest($1::int[], $2::int[], $3::smallint[], $4::int[], $5::smallint[]) u(n, t, k, f, l)
JOIN record r ON r.territory_id = u.t AND r.kind = u.k AND r.ref_no = u.f
WHERE r.level <= u.l

SELECT u.n, r.id, r.kind, r.rev, r.deleted, r.body
FROM unnest($1::int[], $2::int[], $3::uuid[], $4::smallint[]) u(n, t, i, l)
JOIN record r ON r.territory_id = u.t AND r.id = u.i
WHERE r.level <= u.l

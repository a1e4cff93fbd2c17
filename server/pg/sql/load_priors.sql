SELECT u.t, u.c, u.m, m.hash, m.code, m.verdict,
       coalesce((SELECT max(x.mid) FROM mutation x WHERE x.territory_id = u.t AND x.client_id = u.c), 0)
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) u(t, c, m)
LEFT JOIN mutation m ON m.territory_id = u.t AND m.client_id = u.c AND m.mid = u.m

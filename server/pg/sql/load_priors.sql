-- The client's greatest mid, and the verdict of this mutation, which is looked for only when it can be there: one walk down the
-- primary key each (OFFSET 0: see load_records.sql).
SELECT u.t, u.c, u.m, m.hash, m.code, m.verdict, coalesce(g.mid, 0)
FROM (SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bigint[])) u(t, c, m)
LEFT JOIN LATERAL (SELECT x.mid FROM mutation x WHERE x.territory_id = u.t AND x.client_id = u.c
	ORDER BY x.territory_id DESC, x.client_id DESC, x.mid DESC LIMIT 1) g ON true
LEFT JOIN LATERAL (SELECT * FROM mutation x
	WHERE u.m <= g.mid AND x.territory_id = u.t AND x.client_id = u.c AND x.mid = u.m OFFSET 0) m ON true

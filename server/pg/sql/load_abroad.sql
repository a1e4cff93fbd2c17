-- Hours that an actor's establishment gives in other territories: from the committed state, unlocked, and hours only.
SELECT u.t, o.id, hours_abroad(u.t, o.id)
FROM unnest($1::int[], $2::uuid[], $3::int[]) u(t, i, h)
CROSS JOIN LATERAL (SELECT u.i AS id WHERE u.h = 0 UNION ALL SELECT x.to_id FROM link x WHERE u.h <> 0 AND x.territory_id = u.t AND x.from_id = u.i AND x.tag = u.h OFFSET 0) o

UPDATE territory_head h SET rev = u.r, counters = u.c::int[]
FROM unnest($1::int[], $2::bigint[], $3::text[]) u(t, r, c) WHERE h.territory_id = u.t

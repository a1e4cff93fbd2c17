DELETE FROM link l USING unnest($1::int[], $2::uuid[]) u(t, i) WHERE l.territory_id = u.t AND l.from_id = u.i

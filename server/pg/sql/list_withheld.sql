SELECT count(*) FROM unnest($1::int[], $2::smallint[]) g(t, l)
JOIN record r ON r.territory_id = g.t AND r.kind = $3 AND NOT r.deleted
WHERE g.l < 3 AND r.level > g.l

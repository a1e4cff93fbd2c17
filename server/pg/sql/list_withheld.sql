SELECT count(*) FROM unnest($1::int[], $2::smallint[], $3::uuid[]) g(t, l, a)
JOIN record r ON r.territory_id = g.t AND r.kind = $4 AND NOT r.deleted
WHERE g.l < 3 AND r.level > g.l AND (r.owner_actor = g.a) IS NOT TRUE

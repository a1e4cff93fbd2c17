SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true,
       u.n, x.id, x.hash, x.last_values, x.batch, x.effect, x.rev, x.previous_values, x.previous_hash
FROM (SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::smallint[]), unnest($4::text[]), unnest($5::int[])) u(t, s, k, e, n)
CROSS JOIN LATERAL (SELECT * FROM import_ref f
	WHERE f.territory_id = u.t AND f.source = u.s AND f.kind = u.k AND f.key = u.e OFFSET 0) x
LEFT JOIN LATERAL (SELECT * FROM record y WHERE y.territory_id = x.territory_id AND y.id = x.id OFFSET 0) r ON true

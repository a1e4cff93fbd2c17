DELETE FROM import_ref f USING unnest($1::int[], $2::text[], $3::smallint[], $4::text[]) u(t, s, k, e)
WHERE f.territory_id = u.t AND f.source = u.s AND f.kind = u.k AND f.key = u.e

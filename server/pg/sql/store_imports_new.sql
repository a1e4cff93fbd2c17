INSERT INTO import_ref (territory_id, source, kind, key, id, hash, last_values, batch)
SELECT t, s, k, e, i, h, v, $8::uuid FROM unnest($1::int[], $2::text[], $3::smallint[], $4::text[], $5::uuid[], $6::bytea[], $7::bytea[])
	u(t, s, k, e, i, h, v)

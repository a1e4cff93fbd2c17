INSERT INTO import_ref (territory_id, source, kind, key, id, hash, last_values, batch, effect, rev, previous_values, previous_hash)
SELECT * FROM unnest($1::int[], $2::text[], $3::smallint[], $4::text[], $5::uuid[], $6::bytea[], $7::bytea[], $8::uuid[], $9::smallint[],
	$10::bigint[], $11::bytea[], $12::bytea[])

INSERT INTO import_ref (territory_id, source, kind, key, id, hash, last_values, batch, effect, rev, previous_values, previous_hash)
SELECT unnest($1::int[]), unnest($2::text[]), unnest($3::smallint[]), unnest($4::text[]), unnest($5::uuid[]),
       unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::uuid[]), unnest($9::smallint[]), unnest($10::bigint[]),
       unnest($11::bytea[]), unnest($12::bytea[])
ON CONFLICT (territory_id, source, kind, key) DO UPDATE SET id = excluded.id, hash = excluded.hash,
	last_values = excluded.last_values, batch = excluded.batch, effect = excluded.effect, rev = excluded.rev,
	previous_values = excluded.previous_values, previous_hash = excluded.previous_hash

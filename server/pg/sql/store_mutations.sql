INSERT INTO mutation (territory_id, client_id, mid, hash, code, verdict, at)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::bytea[], $5::smallint[], $6::bytea[], $7::bigint[])

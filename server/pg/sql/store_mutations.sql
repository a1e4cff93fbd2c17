INSERT INTO mutation (territory_id, client_id, mid, hash, code, verdict, at)
SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bytea[]), unnest($5::smallint[]),
       unnest($6::bytea[]), unnest($7::bigint[])

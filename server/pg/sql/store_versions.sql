INSERT INTO record_version (territory_id, id, rev, kind, level, deleted, body, next_rev, changed_by, reason, client_time, at)
SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::smallint[]), unnest($5::smallint[]),
       unnest($6::bool[]), unnest($7::bytea[]), unnest($8::bigint[]), unnest($9::text[]), unnest($10::text[]),
       unnest($11::bigint[]), unnest($12::bigint[])

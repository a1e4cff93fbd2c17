INSERT INTO record_version (territory_id, id, rev, kind, level, deleted, body, next_rev, changed_by, reason, client_time, at)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::bigint[], $4::smallint[], $5::smallint[], $6::bool[], $7::bytea[], $8::bigint[],
                     $9::text[], $10::text[], $11::bigint[], $12::bigint[])

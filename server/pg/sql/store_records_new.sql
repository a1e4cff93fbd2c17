INSERT INTO record (territory_id, id, kind, rev, level, deleted, ref_no, owner_actor, narrowed_rev, changed_at, field_revs, body)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::smallint[], $4::bigint[], $5::smallint[], $6::bool[], $7::int[], $8::uuid[],
                     $9::bigint[], $10::bigint[], $11::bytea[], $12::bytea[])

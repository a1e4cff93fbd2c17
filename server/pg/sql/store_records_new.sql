INSERT INTO record (territory_id, id, kind, rev, level, deleted, ref_no, owner_actor, narrowed_rev, changed_at, field_revs, body)
SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::smallint[]), unnest($4::bigint[]), unnest($5::smallint[]),
       unnest($6::bool[]), unnest($7::int[]), unnest($8::uuid[]), unnest($9::bigint[]), unnest($10::bigint[]),
       unnest($11::bytea[]), unnest($12::bytea[])

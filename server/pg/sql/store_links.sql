INSERT INTO link (territory_id, from_id, tag, to_id)
SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::int[]), unnest($4::uuid[]) ON CONFLICT DO NOTHING

INSERT INTO link (territory_id, from_id, tag, to_id)
SELECT * FROM unnest($1::int[], $2::uuid[], $3::int[], $4::uuid[]) ON CONFLICT DO NOTHING

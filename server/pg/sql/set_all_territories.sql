SELECT set_config('seve.territories', (SELECT coalesce(array_agg(territory_id), '{}')::text FROM territory_head), true)

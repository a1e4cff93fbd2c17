SELECT coalesce((t.policy->>'match_radius_km')::float8, 50), i.epoch_salt FROM territory t, instance i WHERE t.territory_id = $1

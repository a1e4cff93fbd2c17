UPDATE token SET used_at = now() WHERE public_id = $1 AND (used_at IS NULL OR used_at < now() - interval '1 hour')

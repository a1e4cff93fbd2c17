SELECT t.public_id, a.name, t.device, t.made_at, t.expires_at, t.used_at, t.revoked_at IS NOT NULL
FROM token t JOIN account a USING (account_id) WHERE a.name = $1 ORDER BY t.made_at DESC, t.public_id LIMIT $2

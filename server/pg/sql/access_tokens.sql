-- What sessions of these tokens are: one row for each grant, one with NULLs for an account without any.
SELECT t.public_id, t.secret_hash, t.account_id, a.name, t.expires_at, t.revoked_at IS NOT NULL,
	coalesce(t.used_at < now() - interval '1 hour', true), g.role, g.territory_id, g.source, h.slug, tr.name, tr.region
FROM token t
JOIN account a USING (account_id)
LEFT JOIN account_grant g USING (account_id)
LEFT JOIN territory_head h USING (territory_id)
LEFT JOIN LATERAL (
	SELECT x.name, x.region FROM territory x WHERE x.territory_id = g.territory_id ORDER BY x.id LIMIT 1) tr ON true
WHERE t.public_id = ANY ($1)
ORDER BY t.public_id COLLATE "C", g.territory_id, g.role, g.source

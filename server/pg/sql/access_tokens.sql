-- What sessions of these tokens are: one row for each grant, one with NULLs for an account without any.  An administrator of the
-- server (role 1, territory 0) also gets a row for each territory: their names, not their records.
SELECT t.public_id, t.secret_hash, t.account_id, a.name, t.expires_at, t.revoked_at IS NOT NULL,
	coalesce(t.used_at < now() - interval '1 hour', true), g.role, g.territory_id, g.source, h.slug, tr.name, tr.region,
	g.scope
FROM token t
JOIN account a USING (account_id)
LEFT JOIN LATERAL (
	SELECT x.role, x.territory_id, x.source, x.scope FROM account_grant x WHERE x.account_id = t.account_id
	UNION ALL
	SELECT x.role, y.territory_id, '', x.scope FROM account_grant x, territory_head y
	WHERE x.account_id = t.account_id AND x.role = 1 AND x.territory_id = 0 AND y.rev > 0) g ON true
LEFT JOIN territory_head h ON h.territory_id = g.territory_id
LEFT JOIN LATERAL (
	SELECT x.name, x.region FROM territory x WHERE x.territory_id = g.territory_id ORDER BY x.id LIMIT 1) tr ON true
WHERE t.public_id = ANY ($1)
ORDER BY t.public_id COLLATE "C", g.territory_id, g.role, g.source, g.scope

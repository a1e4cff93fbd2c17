-- Account (made if it is not there), grants and an invite; no row when a territory does not exist, or the account already imports
-- into one of them from another source.  $3: territories, 0 for the server as a whole.
WITH allowed AS (
	SELECT 1 WHERE NOT EXISTS (
		SELECT FROM unnest($3::int[]) t (id)
		WHERE t.id <> 0 AND NOT EXISTS (SELECT FROM territory_head h WHERE h.territory_id = t.id))
	AND NOT EXISTS (
		SELECT FROM account a JOIN account_grant g USING (account_id)
		WHERE a.name = $1 AND g.role = $2 AND g.territory_id = ANY ($3) AND g.source <> $4)),
who AS (
	INSERT INTO account (name) SELECT $1 FROM allowed
	ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING account_id),
granted AS (
	INSERT INTO account_grant (account_id, role, territory_id, source)
	SELECT who.account_id, $2, t.id, $4 FROM who, unnest($3::int[]) t (id) ON CONFLICT DO NOTHING)
INSERT INTO invite (code_hash, account_id, token_days, expires_at)
SELECT $5, account_id, $6, now() + make_interval(hours => $7) FROM who
RETURNING account_id, expires_at

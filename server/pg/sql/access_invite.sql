-- Account (made if it is not there), grants and an invite; no row when a territory or the record of the scope does not exist, or the
-- account already has this role there with another source (importer) or actor (partner): a second one needs an account of its own.
-- $3: territories, 0 for the server as a whole; $8 and $9: kind and number of the record that the role is bound to, or 0.
WITH bound AS (
	SELECT id FROM record WHERE territory_id = ANY ($3) AND kind = $8 AND ref_no = $9 AND NOT deleted),
scope AS (
	SELECT coalesce((SELECT id FROM bound), '00000000-0000-0000-0000-000000000000') AS id),
allowed AS (
	SELECT 1 WHERE NOT EXISTS (
		SELECT FROM unnest($3::int[]) t (id)
		WHERE t.id <> 0 AND NOT EXISTS (SELECT FROM territory_head h WHERE h.territory_id = t.id))
	AND ($8 = 0 OR EXISTS (SELECT FROM bound))
	AND NOT EXISTS (
		SELECT FROM account a JOIN account_grant g USING (account_id), scope
		WHERE a.name = $1 AND g.role = $2 AND g.territory_id = ANY ($3)
		AND (g.source <> $4 OR ($10 AND g.scope <> scope.id)))),
who AS (
	INSERT INTO account (name) SELECT $1 FROM allowed
	ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING account_id),
granted AS (
	INSERT INTO account_grant (account_id, role, territory_id, source, scope)
	SELECT who.account_id, $2, t.id, $4, scope.id FROM who, scope, unnest($3::int[]) t (id) ON CONFLICT DO NOTHING)
INSERT INTO invite (code_hash, account_id, token_days, expires_at)
SELECT $5, account_id, $6, now() + make_interval(hours => $7) FROM who
RETURNING account_id, expires_at

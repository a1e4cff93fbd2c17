-- The rows of the territories that these tokens' accounts have a grant in become visible to this transaction.
SELECT set_config('seve.territories', (
	SELECT coalesce(array_agg(DISTINCT h.territory_id), '{}')::text
	FROM token t JOIN account_grant g USING (account_id)
	JOIN territory_head h ON h.territory_id = g.territory_id OR (g.role = 1 AND g.territory_id = 0)
	WHERE t.public_id = ANY ($1)), true)

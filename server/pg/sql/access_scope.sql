-- The rows of the territories that these tokens' accounts have a grant in become visible to this transaction.
SELECT set_config('seve.territories', (
	SELECT coalesce(array_agg(DISTINCT g.territory_id), '{}')::text
	FROM token t JOIN account_grant g USING (account_id) WHERE t.public_id = ANY ($1)), true)

-- Spends an invite and makes a token, in one statement: of two at the same moment one gets a row.
WITH spent AS (
	UPDATE invite SET spent_at = now() WHERE code_hash = $1 AND spent_at IS NULL AND expires_at > now()
	RETURNING account_id, token_days)
INSERT INTO token (public_id, secret_hash, account_id, device, expires_at, used_at)
SELECT $2, $3, account_id, $4, now() + make_interval(days => token_days), now() FROM spent
RETURNING account_id

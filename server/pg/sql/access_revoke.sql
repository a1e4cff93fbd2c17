-- One's own, or anybody's when $3.
UPDATE token SET revoked_at = coalesce(revoked_at, now()) WHERE public_id = $1 AND (account_id = $2 OR $3)
RETURNING account_id

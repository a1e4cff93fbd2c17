-- The greatest mid of a client: one walk down the primary key.
SELECT mid, hash FROM mutation WHERE territory_id = $1 AND client_id = $2
ORDER BY territory_id DESC, client_id DESC, mid DESC LIMIT 1

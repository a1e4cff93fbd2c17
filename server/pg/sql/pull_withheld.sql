-- How many live records the reader ($2 to $4, as in pull_window.sql) does not see: their number, never which.
SELECT count(*) FROM record WHERE territory_id = $1 AND NOT deleted AND level > $2
	AND (owner_actor = $3 AND kind = ANY ($4)) IS NOT TRUE

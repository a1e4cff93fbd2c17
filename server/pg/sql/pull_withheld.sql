-- How many live records a reader of this level does not see: their number, never which.
SELECT count(*) FROM record WHERE territory_id = $1 AND NOT deleted AND level > $2

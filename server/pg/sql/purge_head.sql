-- A purge is a writer like any other: the head first, in a statement of its own.
SELECT rev, purged_rev FROM territory_head WHERE territory_id = $1 AND current_setting('seve.purges') = 'true' FOR UPDATE

-- Tombstones of a window of revs, with what history holds of them; purged_rev rises with them, in this one statement.  What
-- partners' keys stand for (import_ref) stays: a row that was deleted here is not born again.
WITH old AS MATERIALIZED (
	SELECT id, rev FROM record
	WHERE territory_id = $1 AND rev > $2 AND rev <= $3 AND deleted AND changed_at < $4 AND current_setting('seve.purges') = 'true'
	ORDER BY rev LIMIT 5000),
gone AS (DELETE FROM record r USING old o WHERE r.territory_id = $1 AND r.id = o.id RETURNING r.rev),
versions AS (DELETE FROM record_version v USING old o WHERE v.territory_id = $1 AND v.id = o.id),
head AS (UPDATE territory_head SET purged_rev = greatest(purged_rev, (SELECT max(rev) FROM gone))
	WHERE territory_id = $1 AND EXISTS (SELECT FROM gone))
SELECT count(*), coalesce(max(rev), 0), current_setting('seve.purges') = 'true' FROM gone

-- Unlocked, a window of revs: how far it goes, how many tombstones in it are old enough, and whether it ends the search.  It stops
-- before the first record that is younger than $4: revs rise with time, so above that nothing is old yet.
WITH w AS MATERIALIZED (SELECT rev, deleted, changed_at FROM record WHERE territory_id = $1 AND rev > $2 ORDER BY rev LIMIT $3),
young AS (SELECT min(rev) AS rev FROM w WHERE changed_at >= $4)
SELECT coalesce(young.rev - 1, (SELECT max(rev) FROM w), $2), (SELECT count(*) FROM w WHERE deleted AND rev < coalesce(young.rev, rev + 1)),
	young.rev IS NOT NULL OR (SELECT count(*) FROM w) < $3
FROM young

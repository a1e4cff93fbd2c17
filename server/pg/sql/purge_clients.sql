-- A window of a territory's verdicts in the order of clients ($2, $3: where the window before ended): clients whose last one is
-- older than $4 are forgotten, the whole of them.
WITH w AS MATERIALIZED (
	SELECT client_id, mid FROM mutation
	WHERE territory_id = $1 AND (client_id, mid) > ($2::uuid, $3::bigint) AND current_setting('seve.purges') = 'true'
	ORDER BY client_id, mid LIMIT 5000),
dead AS MATERIALIZED (
	SELECT c.client_id FROM (SELECT DISTINCT client_id FROM w) c
	CROSS JOIN LATERAL (SELECT y.at FROM mutation y WHERE y.territory_id = $1 AND y.client_id = c.client_id
		ORDER BY y.territory_id DESC, y.client_id DESC, y.mid DESC LIMIT 1) l
	WHERE l.at < $4),
gone AS (DELETE FROM mutation m USING w, dead d
	WHERE m.territory_id = $1 AND m.client_id = d.client_id AND w.client_id = d.client_id AND m.mid = w.mid RETURNING 1),
last AS (SELECT client_id, mid FROM w ORDER BY client_id DESC, mid DESC LIMIT 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM w) < 5000, last.client_id, last.mid
FROM (SELECT 1) one LEFT JOIN last ON true

-- Verdicts that their clients have taken ($2 client, $3 up to this mid), older than $4; the client's last one always stays.
WITH old AS MATERIALIZED (
	SELECT u.c, m.mid FROM unnest($2::uuid[], $3::bigint[]) u(c, m)
	CROSS JOIN LATERAL (SELECT x.mid, x.at FROM mutation x
		WHERE x.territory_id = $1 AND x.client_id = u.c AND x.mid <= u.m
			AND EXISTS (SELECT FROM mutation y WHERE y.territory_id = $1 AND y.client_id = u.c AND y.mid > u.m)
		ORDER BY x.mid LIMIT 2000) m
	WHERE m.at < $4 AND current_setting('seve.purges') = 'true')
, gone AS (DELETE FROM mutation m USING old o WHERE m.territory_id = $1 AND m.client_id = o.c AND m.mid = o.mid RETURNING 1)
SELECT count(*) FROM gone

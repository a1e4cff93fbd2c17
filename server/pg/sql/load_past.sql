-- Of a record that an edit clashes with: the version that its author was looking at, with its body; and of the latest changes since
-- who made them and when.
SELECT u.t, u.i, x.rev, x.next_rev, x.body, x.changed_by, coalesce(x.client_time, 0), x.at
FROM unnest($1::int[], $2::uuid[], $3::bigint[]) u(t, i, r)
CROSS JOIN LATERAL (
	(SELECT v.rev, v.next_rev, v.body, v.changed_by, v.client_time, v.at FROM record_version v
	 WHERE v.territory_id = u.t AND v.id = u.i AND v.rev <= u.r ORDER BY v.rev DESC LIMIT 1)
	UNION ALL
	(SELECT v.rev, v.next_rev, NULL, v.changed_by, v.client_time, v.at FROM record_version v
	 WHERE v.territory_id = u.t AND v.id = u.i AND v.rev > u.r ORDER BY v.rev DESC LIMIT 32)) x

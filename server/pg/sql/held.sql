-- What is held on record $2 of territory $1, the next $6 behind ($3, $4, $5): itself, its former versions, records that refer to it,
-- what partners said of it, and remarks on their rows.
SELECT x.part, x.n, x.id, x.place, x.kind, x.rev, x.at, x.by, x.reason, x.source, x.key, x.body, x.remark
FROM (
	SELECT 1 AS part, r.rev AS n, r.id, 'record' AS place, r.kind::int AS kind, r.rev, r.changed_at AS at, NULL::text AS by, NULL::text AS reason,
		NULL::text AS source, NULL::text AS key, r.body, NULL::bytea AS remark
	FROM record r WHERE r.territory_id = $1 AND r.id = $2
	UNION ALL
	SELECT 2, v.rev, v.id, 'version', v.kind, v.rev, v.at, v.changed_by, v.reason, NULL, NULL, v.body, NULL
	FROM record_version v WHERE v.territory_id = $1 AND v.id = $2
	UNION ALL
	SELECT 3, r.rev, r.id, 'mention', r.kind, r.rev, r.changed_at, NULL, NULL, NULL, NULL, r.body, NULL
	FROM record r WHERE r.territory_id = $1 AND NOT r.deleted AND r.id IN (SELECT from_id FROM link WHERE territory_id = $1 AND to_id = $2)
	UNION ALL
	SELECT 4, row_number() OVER (ORDER BY i.source, i.key, b.was), i.id, 'import', i.kind, NULL, NULL, NULL, NULL, i.source, i.key, b.body, NULL
	FROM import_ref i CROSS JOIN LATERAL (VALUES (0, i.last_values), (1, i.previous_values)) b(was, body)
	WHERE i.territory_id = $1 AND i.id = $2 AND i.kind = 12 AND b.body IS NOT NULL
	UNION ALL
	SELECT 5, n.seq, $2, 'import_note', NULL, NULL, NULL, NULL, NULL, b.source, NULL, NULL, n.verdict
	FROM import_note n JOIN import_batch b ON b.territory_id = n.territory_id AND b.batch = n.batch
	WHERE n.territory_id = $1 AND position(uuid_send($2) IN n.verdict) > 0
) x
WHERE (x.part, x.n, x.id) > ($3, $4, $5)
ORDER BY x.part, x.n, x.id
LIMIT $6

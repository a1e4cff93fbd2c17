-- What was written is counted where it stands, so that a run that was cut off and went on tells it whole.
WITH c AS (
	SELECT count(*) FILTER (WHERE effect = 1)::int AS created, count(*) FILTER (WHERE effect IN (2, 20))::int AS updated,
		count(*) FILTER (WHERE effect = 4)::int AS attached, count(*) FILTER (WHERE effect = 6)::int AS deleted
	FROM import_ref WHERE territory_id = $1 AND source = $3 AND kind = $4 AND batch = $2)
UPDATE import_batch b SET ended_at = $5, head_rev = h.rev, created = c.created, updated = c.updated, attached = c.attached,
	deleted = c.deleted, unchanged = $6, skipped = $7, rejected = $8
FROM c, territory_head h WHERE b.territory_id = $1 AND b.batch = $2 AND h.territory_id = $1
RETURNING h.rev, b.created, b.updated, b.unchanged, b.attached, b.skipped, b.deleted, b.rejected

-- A new batch, or one's own that was cut off; no row: it is not there to be gone on with.
INSERT INTO import_batch (territory_id, batch, kind, source, account, label, began_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (territory_id, batch) DO UPDATE SET label = excluded.label
WHERE import_batch.kind = excluded.kind AND import_batch.source = excluded.source AND import_batch.account = excluded.account
	AND import_batch.ended_at IS NULL
RETURNING 1

-- $2 a batch, or NULL for the newest ones; $3 a source that the reader is bound to, or NULL.
SELECT batch, kind, source, account, label, began_at, ended_at, reverted_at, reverted_by, head_rev,
	created, updated, unchanged, attached, skipped, deleted, rejected
FROM import_batch WHERE territory_id = $1 AND ($2::uuid IS NULL OR batch = $2) AND ($3::text IS NULL OR source = $3)
ORDER BY began_at DESC, batch DESC LIMIT $4

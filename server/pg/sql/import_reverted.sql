UPDATE import_batch SET reverted_at = $3, reverted_by = $4 WHERE territory_id = $1 AND batch = $2

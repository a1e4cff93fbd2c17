-- Remarks on rows that brought the erased record $2: they may name its key.
DELETE FROM import_note WHERE territory_id = $1 AND position(uuid_send($2) IN verdict) > 0

SELECT seq, verdict FROM import_note WHERE territory_id = $1 AND batch = $2 AND seq > $3 ORDER BY seq LIMIT $4

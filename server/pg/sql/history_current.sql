SELECT rev, level, deleted, body FROM record WHERE territory_id = $1 AND id = $2

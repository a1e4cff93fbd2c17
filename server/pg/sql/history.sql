-- Old bodies, newest first; each row also tells of the change that replaced it.
SELECT rev, level, deleted, body, next_rev, changed_by, reason, client_time, at
FROM record_version WHERE territory_id = $1 AND id = $2 ORDER BY rev DESC LIMIT $3

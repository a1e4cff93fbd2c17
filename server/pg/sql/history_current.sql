SELECT rev, level, deleted, body, kind, owner_actor, narrowed_rev FROM record WHERE territory_id = $1 AND id = $2

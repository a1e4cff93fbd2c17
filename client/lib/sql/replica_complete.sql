UPDATE replica SET epoch = ?2, view = ?3, rev = ?4, complete = 1, synced_at = ?5, sweep = 0, start = 0 WHERE territory = ?1

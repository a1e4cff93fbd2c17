SELECT rev, purged_rev FROM territory_head WHERE territory_id = $1

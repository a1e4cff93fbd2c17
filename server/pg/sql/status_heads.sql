SELECT territory_id, rev FROM territory_head WHERE territory_id = ANY ($1) ORDER BY territory_id

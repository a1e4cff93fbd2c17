SELECT territory_id FROM territory_head ORDER BY territory_id

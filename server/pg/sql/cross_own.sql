-- Open needs and offers of territory $1 that one may read at level $2.
SELECT c.territory_id, c.id, c.stance = 'need', c.family, c.unit, a.lat, a.lon, true
FROM resource c
JOIN record r ON r.territory_id = c.territory_id AND r.id = c.id AND NOT r.deleted AND r.level <= $2
LEFT JOIN actor a ON a.territory_id = c.territory_id AND a.id = c.actor_id
WHERE c.territory_id = $1 AND coalesce(c.state, 'open') = 'open' AND c.stance IS NOT NULL AND c.family IS NOT NULL
ORDER BY c.id
LIMIT $3

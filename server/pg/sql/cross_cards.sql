-- Open needs and offers: those of territory $1 that one may read at level $2, and those of all others.  What is not public in another
-- territory comes without its label, quantity, actor and place.
WITH here AS (
	SELECT region FROM territory WHERE territory_id = $1
), families AS (
	SELECT DISTINCT family FROM resource WHERE territory_id = $1
)
SELECT c.territory_id = $1 AS own, c.id, c.stance = 'need', c.family, c.unit, a.lat, a.lon, r.ref_no,
	CASE WHEN c.territory_id = $1 OR r.level = 1 THEN c.label END,
	CASE WHEN r.level = 1 THEN c.quantity END,
	CASE WHEN r.level = 1 THEN c.basis END,
	CASE WHEN r.level = 1 AND ra.level = 1 THEN a.name END,
	CASE WHEN r.level = 1 THEN t.name END,
	r.level = 1,
	t.region IS NOT DISTINCT FROM here.region,
	c.stance
FROM families f
JOIN resource c ON c.family = f.family AND coalesce(c.state, 'open') = 'open' AND c.stance IS NOT NULL
JOIN record r ON r.territory_id = c.territory_id AND r.id = c.id AND NOT r.deleted AND (c.territory_id <> $1 OR r.level <= $2)
LEFT JOIN actor a ON a.territory_id = c.territory_id AND a.id = c.actor_id
LEFT JOIN record ra ON ra.territory_id = c.territory_id AND ra.id = c.actor_id
LEFT JOIN territory t ON t.territory_id = c.territory_id
CROSS JOIN here
LIMIT 500000

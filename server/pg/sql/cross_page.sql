-- Open needs and offers of other territories than $1, of the families $2: the next $5 behind ($3, $4), with what is needed to compare them.
SELECT c.territory_id, c.id, c.need, c.family, c.unit, a.lat, a.lon, t.region IS NOT DISTINCT FROM here.region
FROM (
	SELECT territory_id, id, stance = 'need' AS need, family, unit, actor_id
	FROM resource
	WHERE (territory_id, id) > ($3, $4) AND territory_id <> $1 AND family = ANY ($2::text[]) AND coalesce(state, 'open') = 'open'
		AND stance IS NOT NULL
	ORDER BY territory_id, id
	LIMIT $5
) c
LEFT JOIN actor a ON a.territory_id = c.territory_id AND a.id = c.actor_id
LEFT JOIN territory t ON t.territory_id = c.territory_id
LEFT JOIN territory here ON here.territory_id = $1
ORDER BY c.territory_id, c.id

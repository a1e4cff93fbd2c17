-- What a pair shows of its cards, named by territory and id: all of those of territory $3 that one may read at level $4; of the others
-- the family and the stance, and more only where a card is public.
SELECT g.n::int, r.ref_no, c.stance, c.family,
	CASE WHEN c.territory_id = $3 OR r.level = 1 THEN c.label END,
	CASE WHEN r.level = 1 THEN c.quantity END,
	CASE WHEN r.level = 1 THEN c.basis END,
	CASE WHEN r.level = 1 AND ra.level = 1 THEN a.name END,
	CASE WHEN r.level = 1 THEN t.name END,
	r.level = 1
FROM unnest($1::int[], $2::uuid[]) WITH ORDINALITY g(t, id, n)
JOIN resource c ON c.territory_id = g.t AND c.id = g.id AND coalesce(c.state, 'open') = 'open'
JOIN record r ON r.territory_id = c.territory_id AND r.id = c.id AND NOT r.deleted AND (c.territory_id <> $3 OR r.level <= $4)
LEFT JOIN actor a ON a.territory_id = c.territory_id AND a.id = c.actor_id
LEFT JOIN record ra ON ra.territory_id = c.territory_id AND ra.id = c.actor_id
LEFT JOIN territory t ON t.territory_id = c.territory_id

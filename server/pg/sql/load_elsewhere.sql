-- Open positions that the asker does not see, of the organisations that it sees: $1 its territories, $2 the level it reads in each.  In
-- which territory they are and for which action stays here.  Whoever reads all of a territory is missing nothing of it: its positions,
-- which are most of what there is, are then not looked at.
WITH asked AS (
	SELECT t, l FROM unnest($1::int[], $2::smallint[]) g(t, l)
), mine AS (
	SELECT DISTINCT coalesce(a.siren, left(a.siret, 9)) AS siren
	FROM asked g
	JOIN actor a ON a.territory_id = g.t AND coalesce(a.siren, left(a.siret, 9)) IS NOT NULL
	JOIN record r ON r.territory_id = a.territory_id AND r.id = a.id AND r.level <= g.l
), theirs AS (
	SELECT mine.siren, a.territory_id, a.id, g.l
	FROM mine
	JOIN actor a ON coalesce(a.siren, left(a.siret, 9)) = mine.siren
	LEFT JOIN asked g ON g.t = a.territory_id
	WHERE g.t IS NULL OR g.l < 3
)
SELECT a.siren, p.body
FROM theirs a
JOIN record r ON r.territory_id = a.territory_id AND r.id = a.id AND NOT r.deleted
JOIN link l ON l.territory_id = a.territory_id AND l.to_id = a.id
JOIN record p ON p.territory_id = l.territory_id AND p.id = l.from_id AND p.kind = $3 AND NOT p.deleted
WHERE a.l IS NULL OR p.level > a.l OR r.level > a.l
ORDER BY a.siren
LIMIT 100000

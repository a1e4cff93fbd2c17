-- Keys of a source whose records stand, in the order of keys.
SELECT f.key FROM import_ref f JOIN record r ON r.territory_id = f.territory_id AND r.id = f.id
WHERE f.territory_id = $1 AND f.source = $2 AND f.kind = $3 AND f.key COLLATE "C" > $4 AND NOT r.deleted ORDER BY f.key COLLATE "C" LIMIT $5

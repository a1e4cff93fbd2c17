-- What a batch did, latest first, with what it replaced.  The last column: the record's rev, where all that has come since was imports
-- of this source and their taking back, as many of each: then nobody has edited it.  $5 and $6: rev and key of the row before.
SELECT f.key, f.id, f.effect, f.rev, v.body, CASE WHEN s.edits = 0 AND s.imports = s.backs THEN r.rev ELSE 0 END
FROM import_ref f
LEFT JOIN record r ON r.territory_id = f.territory_id AND r.id = f.id
LEFT JOIN LATERAL (SELECT x.body FROM record_version x
	WHERE x.territory_id = f.territory_id AND x.id = f.id AND x.next_rev = f.rev AND f.effect <> 3 ORDER BY x.rev DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE x.reason = $8) AS backs, count(*) FILTER (WHERE x.reason = $9) AS imports,
		count(*) FILTER (WHERE x.reason IS NULL OR x.reason NOT IN ($8, $9)) AS edits
	FROM record_version x WHERE x.territory_id = f.territory_id AND x.id = f.id AND x.rev >= f.rev) s ON true
WHERE f.territory_id = $1 AND f.source = $2 AND f.kind = $3 AND f.batch = $4 AND (f.rev, f.key COLLATE "C") < ($5::bigint, $6::text)
ORDER BY f.rev DESC, f.key COLLATE "C" DESC LIMIT $7

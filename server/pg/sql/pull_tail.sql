-- Head and page in one statement, so in one snapshot: they cannot disagree.  Parameters as pull_window, $3 the most rows.
-- `last` is the rev of the page's last row before what the reader may not see is taken out.
SELECT r.rev, r.id, r.kind, r.deleted OR NOT r.sees, CASE WHEN r.sees THEN r.body END,
       h.rev, h.purged_rev, NOT r.sees AND r.narrowed_rev = 0
FROM territory_head h
LEFT JOIN LATERAL (
	SELECT *, (x.level <= $4 OR (x.owner_actor = $5 AND x.kind = ANY ($6))) IS TRUE AS sees
	FROM record x WHERE x.territory_id = h.territory_id AND x.rev > $2 ORDER BY x.rev LIMIT $3) r ON true
WHERE h.territory_id = $1
ORDER BY r.rev

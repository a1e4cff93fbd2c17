-- All live records of a territory, waiting edits laid over them.
SELECT r.id, r.rev, r.body FROM record r
WHERE r.territory = ?1 AND NOT r.deleted
	AND NOT EXISTS (SELECT 1 FROM overlay o WHERE o.territory = ?1 AND o.id = r.id)
UNION ALL
SELECT o.id, o.rev, o.body FROM overlay o WHERE o.territory = ?1 AND NOT o.deleted

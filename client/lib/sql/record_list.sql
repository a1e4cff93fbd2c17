-- Live records of a kind, waiting edits laid over them.
SELECT r.id, r.rev, r.ref_no, r.body, 0 FROM record r
WHERE r.territory = ?1 AND r.kind = ?2 AND NOT r.deleted
	AND NOT EXISTS (SELECT 1 FROM overlay o WHERE o.territory = ?1 AND o.id = r.id)
UNION ALL
SELECT o.id, o.rev, o.ref_no, o.body, 1 FROM overlay o WHERE o.territory = ?1 AND o.kind = ?2 AND NOT o.deleted

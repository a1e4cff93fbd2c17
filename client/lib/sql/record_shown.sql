-- A record with waiting edits laid over it; the last column tells whether there are any.
SELECT o.kind, o.rev, o.ref_no, o.deleted, o.body, 1 FROM overlay o WHERE o.territory = ?1 AND o.id = ?2
UNION ALL
SELECT r.kind, r.rev, r.ref_no, r.deleted, r.body, 0 FROM record r WHERE r.territory = ?1 AND r.id = ?2
LIMIT 1

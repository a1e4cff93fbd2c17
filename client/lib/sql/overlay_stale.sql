-- Records that waiting edits are laid over and that have moved since; with ?2 all of them.
SELECT o.id FROM overlay o LEFT JOIN record r USING (territory, id)
WHERE o.territory = ?1 AND (?2 OR o.rev <> ifnull(r.rev, 0))

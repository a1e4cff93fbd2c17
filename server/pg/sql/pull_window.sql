-- $1 territory, $2 and $3 the window of revs; the reader: $4 the level, $5 the own actor or NULL, $6 the kinds whose records of the
-- own actor are read whatever their level.
-- Who may not read a record that was open to more people once gets a tombstone each time it moves: a cursor may have passed the
-- narrowing while the record, already moved on, lay ahead of it.
SELECT rev, id, kind, deleted OR NOT sees, CASE WHEN sees THEN body END
FROM (SELECT *, (level <= $4 OR (owner_actor = $5 AND kind = ANY ($6))) IS TRUE AS sees FROM record
      WHERE territory_id = $1 AND rev > $2 AND rev <= $3) r
WHERE sees OR narrowed_rev > 0
ORDER BY rev

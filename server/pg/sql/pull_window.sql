-- $1 territory, $2 and $3 the window of revs, $4 the level that the reader may read.
-- Who may not read a record that was open to more people once gets a tombstone each time it moves: a cursor may have passed the
-- narrowing while the record, already moved on, lay ahead of it.
SELECT rev, id, kind, deleted OR level > $4, CASE WHEN level <= $4 THEN body END
FROM record
WHERE territory_id = $1 AND rev > $2 AND rev <= $3 AND (level <= $4 OR narrowed_rev > 0)
ORDER BY rev

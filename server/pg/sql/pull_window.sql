-- $1 territory, $2 and $3 the window of revs, $4 the level that the reader may read, $5 the cursor that the pull began with
SELECT rev, id, kind, deleted OR level > $4, CASE WHEN level <= $4 THEN body END
FROM record
WHERE territory_id = $1 AND rev > $2 AND rev <= $3 AND (level <= $4 OR narrowed_rev > $5)
ORDER BY rev

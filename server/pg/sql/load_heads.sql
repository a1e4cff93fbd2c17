-- A statement of its own, before anything is read: what is read next is newer than the wait for this lock.
SELECT territory_id, rev, counters FROM territory_head WHERE territory_id = ANY($1::int[]) ORDER BY territory_id FOR UPDATE

-- OFFSET 0 keeps each look-up a walk down the primary key, whatever the statistics say: with those of an empty table the planner
-- would read all of it once for a batch.
SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, coalesce(r.ref_no, 0), r.narrowed_rev,
       CASE WHEN u.f THEN r.field_revs END, CASE WHEN u.f THEN r.body END, u.f
FROM (SELECT unnest($1::int[]), unnest($2::uuid[]), unnest($3::bool[])) u(t, i, f)
CROSS JOIN LATERAL (SELECT * FROM record x WHERE x.territory_id = u.t AND x.id = u.i OFFSET 0) r

-- A row of an older load is always replaced; one of this load only by what is not older, and stays one of this load.
INSERT INTO record (territory, id, kind, rev, ref_no, deleted, generation, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (territory, id) DO UPDATE SET kind = excluded.kind, rev = excluded.rev, ref_no = excluded.ref_no, deleted = excluded.deleted,
	generation = max(excluded.generation, record.generation), body = excluded.body
WHERE excluded.rev >= record.rev OR excluded.generation > record.generation

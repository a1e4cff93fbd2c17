INSERT INTO overlay (territory, id, kind, rev, ref_no, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (territory, id) DO UPDATE SET kind = excluded.kind, rev = excluded.rev, ref_no = excluded.ref_no,
	deleted = excluded.deleted, body = excluded.body

INSERT INTO touch (territory, id, mid) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING

-- Several grants in one territory are told as one row.
INSERT INTO territory (territory, slug, name, region, role, source, view, granted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (territory) DO UPDATE SET slug = excluded.slug, name = excluded.name, region = excluded.region,
	role = CASE WHEN territory.role = '' THEN excluded.role
		WHEN instr(',' || territory.role || ',', ',' || excluded.role || ',') THEN territory.role
		ELSE territory.role || ',' || excluded.role END,
	source = iif(excluded.source = '', territory.source, excluded.source),
	view = excluded.view, granted = excluded.granted

-- Several grants in one territory are told as one row.
INSERT INTO territory (territory, slug, name, region, role, source, view, granted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (territory) DO UPDATE SET slug = excluded.slug, name = excluded.name, region = excluded.region,
	role = iif(territory.role = '', excluded.role, territory.role || ',' || excluded.role),
	source = iif(excluded.source = '', territory.source, excluded.source),
	view = excluded.view, granted = excluded.granted

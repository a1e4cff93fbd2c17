SELECT t.territory, t.slug, t.name, t.region, t.role, t.source, r.territory IS NOT NULL, ifnull(r.rev, 0), ifnull(r.synced_at, 0)
FROM territory t LEFT JOIN replica r USING (territory) WHERE t.granted OR r.territory IS NOT NULL ORDER BY t.slug

SELECT territory FROM territory WHERE slug = ?1 ORDER BY granted DESC, territory DESC

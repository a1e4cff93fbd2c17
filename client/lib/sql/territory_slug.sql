SELECT slug, granted, view FROM territory WHERE territory = ?1

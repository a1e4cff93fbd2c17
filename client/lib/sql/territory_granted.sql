SELECT territory FROM territory WHERE granted ORDER BY territory

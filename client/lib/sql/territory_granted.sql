SELECT territory FROM territory WHERE granted = 1 ORDER BY territory

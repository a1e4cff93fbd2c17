SELECT territory FROM replica ORDER BY territory

SELECT territory FROM replica UNION SELECT territory FROM outbox WHERE state <= 1 ORDER BY territory

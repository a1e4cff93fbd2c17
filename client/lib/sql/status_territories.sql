-- Territories with a replica or with anything in the outbox.
SELECT n.territory, ifnull(t.slug, n.territory)
FROM (SELECT territory FROM replica UNION SELECT territory FROM outbox) n LEFT JOIN territory t USING (territory)
ORDER BY 2

-- Text of the id ends so: hex() is upper case, as the parameter; only live records and waiting ones.
SELECT id, kind, 1 AS waiting FROM overlay WHERE territory = ?1 AND NOT deleted AND substr(hex(id), -length(?2)) = ?2
UNION
SELECT id, kind, 0 FROM record r WHERE territory = ?1 AND NOT deleted AND substr(hex(id), -length(?2)) = ?2
	AND NOT EXISTS (SELECT 1 FROM overlay o WHERE o.territory = ?1 AND o.id = r.id)
ORDER BY waiting DESC, id LIMIT 9

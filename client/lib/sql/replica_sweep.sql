DELETE FROM record WHERE territory = ?1 AND generation <> ?2

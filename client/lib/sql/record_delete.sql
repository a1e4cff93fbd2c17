DELETE FROM record WHERE territory = ?1 AND id = ?2

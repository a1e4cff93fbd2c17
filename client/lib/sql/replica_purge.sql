DELETE FROM record WHERE territory = ?1

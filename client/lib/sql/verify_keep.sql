UPDATE record SET generation = ?3 WHERE territory = ?1 AND id = ?2

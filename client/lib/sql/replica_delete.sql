DELETE FROM replica WHERE territory = ?1

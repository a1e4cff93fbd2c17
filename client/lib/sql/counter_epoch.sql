UPDATE counter SET epoch = ?2 WHERE territory = ?1

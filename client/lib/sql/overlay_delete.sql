DELETE FROM overlay WHERE territory = ?1 AND id = ?2

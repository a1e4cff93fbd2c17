DELETE FROM overlay WHERE territory = ?1

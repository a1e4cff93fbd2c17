UPDATE replica SET verify_after = ?2 WHERE territory = ?1

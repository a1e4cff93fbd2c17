UPDATE replica SET verify_head = ?2, fork = ?3 WHERE territory = ?1

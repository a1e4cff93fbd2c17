SELECT state, mutation, verdict FROM outbox WHERE territory = ?1 AND mid = ?2

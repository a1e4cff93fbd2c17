INSERT INTO outbox (territory, mid, state, at, mutation) VALUES (?1, ?2, 0, ?3, ?4)

-- A refused edit without its values.
UPDATE outbox SET mutation = ?3 WHERE territory = ?1 AND mid = ?2

-- Refused edits of a person whose data were erased; those that were refused for just that hold no values any more.
DELETE FROM outbox WHERE territory = ?1 AND state > 1 AND instr(mutation, ?2) > 0 AND instr(coalesce(verdict, x''), CAST('ERASED' AS BLOB)) = 0

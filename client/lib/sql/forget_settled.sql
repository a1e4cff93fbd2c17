-- Acknowledged edits of a person whose data were erased.
DELETE FROM settled WHERE territory = ?1 AND instr(mutation, ?2) > 0

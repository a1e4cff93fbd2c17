-- What partners said of the erased record $2.  Their keys go too: the record's id follows from the key, so the same row meets it again.
-- Persons are contacts (kind 12).
DELETE FROM import_ref WHERE territory_id = $1 AND id = $2 AND kind = 12

-- An index is paid for by every row of an import.  No query uses the first; the other finds what partners said of a person (kind 12).
DROP INDEX actor_siren;
DROP INDEX import_ref_id;
CREATE INDEX import_ref_person ON import_ref (territory_id, id) WHERE kind = 12;

-- Codes and keys are compared as bytes: the order of a language costs twice as much and nobody sees it.
ALTER TABLE actor ALTER COLUMN siren TYPE text COLLATE "C", ALTER COLUMN siret TYPE text COLLATE "C";
ALTER TABLE action ALTER COLUMN status TYPE text COLLATE "C";
ALTER TABLE import_ref ALTER COLUMN source TYPE text COLLATE "C", ALTER COLUMN key TYPE text COLLATE "C";

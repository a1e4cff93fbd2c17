-- From version 2 of the store to version 3: see schema.sql.
ALTER TABLE settled ADD COLUMN verdict BLOB;
PRAGMA user_version = 3;

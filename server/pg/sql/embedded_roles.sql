-- The database's owner migrates and serves; only as seve_app, behind row-level security, does it touch records.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seve') THEN
		CREATE ROLE seve LOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seve_app') THEN
		CREATE ROLE seve_app NOLOGIN;
	END IF;
	IF NOT pg_has_role('seve', 'seve_app', 'MEMBER') THEN
		GRANT seve_app TO seve;
	END IF;
END $$

-- Conflicts: records like any other, made by the server with the verdict that they explain.
CREATE TABLE conflict (
	territory_id int NOT NULL, id uuid NOT NULL,
	record_id uuid, record_kind text, record_ref text, state text, clash text, fields jsonb,
	mine_by text, mine_at timestamptz, mine_client_at timestamptz, mine_reason text,
	theirs_by text, theirs_at timestamptz, theirs_client_at timestamptz, theirs_rev bigint, base_rev bigint,
	client text, mid bigint, last_mid bigint, shortened bool, resolution text, resolved_by text, resolved_at timestamptz,
	PRIMARY KEY (territory_id, id)
);
CREATE INDEX conflict_open ON conflict (territory_id, record_id) WHERE state = 'open';
ALTER TABLE conflict ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflict FORCE ROW LEVEL SECURITY;
CREATE POLICY territory ON conflict
	USING ((territory_id = ANY ((SELECT nullif(current_setting('seve.territories', true), ''))::int[])) IS TRUE)
	WITH CHECK ((territory_id = ANY ((SELECT nullif(current_setting('seve.territories', true), ''))::int[])) IS TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON conflict TO seve_app;

-- Imports are kept: what a batch did to each key, so that it can be told and taken back.
CREATE TABLE import_batch (
	territory_id int NOT NULL,
	batch        uuid NOT NULL,
	kind         smallint NOT NULL,
	source       text NOT NULL,
	account      text NOT NULL,
	label        text NOT NULL DEFAULT '',      -- the file's name
	began_at     bigint NOT NULL,
	ended_at     bigint,                        -- NULL: under way, or cut off
	reverted_at  bigint,
	reverted_by  text,
	head_rev     bigint,
	created      int, updated int, unchanged int, attached int, skipped int, deleted int, rejected int,
	PRIMARY KEY (territory_id, batch)
);

-- What a row's verdict had to remark: rejected, skipped, warned.  Rows without a remark are told by import_ref.
CREATE TABLE import_note (
	territory_id int NOT NULL,
	batch        uuid NOT NULL,
	seq          bigint GENERATED ALWAYS AS IDENTITY,
	verdict      bytea NOT NULL,                -- a RowVerdict
	PRIMARY KEY (territory_id, batch, seq)
);

-- Of the last batch that wrote the row: what it did, at which rev it left the record, what the source had said before.
ALTER TABLE import_ref ADD COLUMN effect smallint NOT NULL DEFAULT 0;
ALTER TABLE import_ref ADD COLUMN rev bigint NOT NULL DEFAULT 0;
ALTER TABLE import_ref ADD COLUMN previous_values bytea;
ALTER TABLE import_ref ADD COLUMN previous_hash bytea;

DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['import_batch', 'import_note'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY territory ON %I USING ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE) WITH CHECK ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE)', t);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO seve_app', t);
	END LOOP;
END $$;

-- One typed table per kind: the same values as record.body, as columns, written in the same transaction.
-- Column names and types follow from proto/records.proto:
--   string text, bool bool, enum text (its word), int/uint bigint, double float8, *_on date, *_at timestamptz, *_id uuid,
--   repeated string text[], *_ids uuid[], nested messages jsonb.
-- A test compares information_schema with the descriptors.

CREATE TABLE territory (
	territory_id int NOT NULL, id uuid NOT NULL,
	slug text, name text, region text, insee_codes text[], phase bigint, policy jsonb,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE actor (
	territory_id int NOT NULL, id uuid NOT NULL,
	name text, category text, state text, siren text, siret text, rna text, naf_code text, naf_revision text, size_band text,
	address text, postal_code text, insee_code text, commune text, lat float8, lon float8, wave bigint, joined_on date, tags text[],
	PRIMARY KEY (territory_id, id)
);
CREATE UNIQUE INDEX actor_siret ON actor (territory_id, siret) WHERE siret IS NOT NULL;
CREATE INDEX actor_siren ON actor (siren) WHERE siren IS NOT NULL;

CREATE TABLE contact (
	territory_id int NOT NULL, id uuid NOT NULL,
	actor_id uuid, name text, role text, email text, phone text, mandate text, consent_on date, erased_at timestamptz,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE action (
	territory_id int NOT NULL, id uuid NOT NULL,
	title text, kind text, status text, origin text, treatment text, horizon text, scope text, effort bigint, promise bigint,
	low_hanging bool, low_hanging_reason text, objectives jsonb, pilot_id uuid, progress bigint, start_on date, target_on date,
	next_step text, next_step_due_on date, cause text, merged_into_id uuid, description text, tags text[],
	PRIMARY KEY (territory_id, id)
);
CREATE INDEX action_status ON action (territory_id, status);

CREATE TABLE position (
	territory_id int NOT NULL, id uuid NOT NULL,
	actor_id uuid, action_id uuid, group_id uuid, stance text, state text, hours_month float8, since_on date, reaffirmed_on date,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE group_ (
	territory_id int NOT NULL, id uuid NOT NULL,
	name text, action_ids uuid[], facilitator_id uuid, state text, round bigint, note text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE meeting (
	territory_id int NOT NULL, id uuid NOT NULL,
	kind text, number bigint, group_id uuid, round bigint, title text, place text, start_at timestamptz, end_at timestamptz,
	state text, agenda text, host_ids uuid[], facilitation jsonb, ical_uid text, cause text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE attendance (
	territory_id int NOT NULL, id uuid NOT NULL,
	meeting_id uuid, actor_id uuid, contact_id uuid, status text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE minute (
	territory_id int NOT NULL, id uuid NOT NULL,
	meeting_id uuid, kind text, text text, action_id uuid,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE task (
	territory_id int NOT NULL, id uuid NOT NULL,
	action_id uuid, meeting_id uuid, assignee_id uuid, text text, due_on date, state text,
	PRIMARY KEY (territory_id, id)
);

DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['territory', 'actor', 'contact', 'action', 'position', 'group_', 'meeting', 'attendance', 'minute', 'task'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY territory ON %I USING ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE) WITH CHECK ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE)', t);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO seve_app', t);
	END LOOP;
END $$;

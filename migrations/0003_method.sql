-- The method's own kinds: visits, what was told in them, workshops, selection, waves of newcomers, know-how, benefits.
-- Columns follow from proto/records.proto as in 0002_kinds.sql.

ALTER TABLE actor ADD COLUMN cohort_id uuid;
ALTER TABLE action ADD COLUMN source_ids uuid[];
ALTER TABLE group_ ADD COLUMN cohort_id uuid;
ALTER TABLE meeting ADD COLUMN cohort_id uuid;

CREATE TABLE availability (
	territory_id int NOT NULL, id uuid NOT NULL,
	actor_id uuid, from_on date, to_on date, hours_month float8, blackouts jsonb,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE interview (
	territory_id int NOT NULL, id uuid NOT NULL,
	kind text, actor_id uuid, held_on date, interviewer_ids uuid[], interviewer_accounts text[], interviewee_ids uuid[], state text,
	authority_level text, cause text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE interview_note (
	territory_id int NOT NULL, id uuid NOT NULL,
	interview_id uuid, text text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE assessment (
	territory_id int NOT NULL, id uuid NOT NULL,
	actor_id uuid, action_id uuid, motivation bigint, assessed_on date, note text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE problem (
	territory_id int NOT NULL, id uuid NOT NULL,
	actor_id uuid, interview_id uuid, theme text, statement text, severity bigint, state text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE resource (
	territory_id int NOT NULL, id uuid NOT NULL,
	stance text, actor_id uuid, interview_id uuid, problem_id uuid, family text, label text, quantity float8, unit text, basis text,
	from_on date, to_on date, waste_code text, quality text, state text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE match (
	territory_id int NOT NULL, id uuid NOT NULL,
	need_id uuid, capacity_id uuid, verdict text, why text, action_id uuid,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE swot_entry (
	territory_id int NOT NULL, id uuid NOT NULL,
	as_of_on date, quadrant text, text text, weight bigint, evidence_ids uuid[],
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE idea (
	territory_id int NOT NULL, id uuid NOT NULL,
	meeting_id uuid, mode text, text text, author_ids uuid[], table_no text, action_id uuid, state text,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE decision (
	territory_id int NOT NULL, id uuid NOT NULL,
	meeting_id uuid, action_id uuid, outcome text, rationale text, present_ids uuid[],
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE cohort (
	territory_id int NOT NULL, id uuid NOT NULL,
	name text, threshold bigint, state text, triggered_on date, meeting_id uuid,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE knowhow (
	territory_id int NOT NULL, id uuid NOT NULL,
	contact_id uuid, method text, mastery text, meeting_id uuid, validator_id uuid,
	PRIMARY KEY (territory_id, id)
);

CREATE TABLE benefit (
	territory_id int NOT NULL, id uuid NOT NULL,
	action_id uuid, actor_id uuid, measure text, value float8, unit text, certainty text, from_on date, to_on date, method text,
	PRIMARY KEY (territory_id, id)
);

DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['availability', 'interview', 'interview_note', 'assessment', 'problem', 'resource', 'match',
		'swot_entry', 'idea', 'decision', 'cohort', 'knowhow', 'benefit'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY territory ON %I USING ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE) WITH CHECK ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE)', t);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO seve_app', t);
	END LOOP;
END $$;

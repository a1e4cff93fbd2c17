-- The core: territories and their heads, records, verdicts, links, versions, imports, accounts.
-- Keys begin with territory_id everywhere: it is the unit of order, of rights and of distribution.

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seve_app') THEN
		CREATE ROLE seve_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
	END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
	NULL; -- another database of this cluster made it at the same moment: roles are the cluster's
END $$;

-- One row: what makes this database itself.  The salt is renewed after a restore.
CREATE TABLE instance (
	one       bool PRIMARY KEY DEFAULT true CHECK (one),
	epoch_salt uuid NOT NULL DEFAULT gen_random_uuid(),
	made_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO instance DEFAULT VALUES;

-- The order of a territory.  Every writing transaction locks its row first, then reads, then takes the next revs.
CREATE TABLE territory_head (
	territory_id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	slug         text NOT NULL UNIQUE,
	rev          bigint NOT NULL DEFAULT 0,
	purged_rev   bigint NOT NULL DEFAULT 0,
	counters     int[] NOT NULL DEFAULT '{}'   -- last ref_no by kind number (1-based: counters[13] for kind 13)
) WITH (fillfactor = 30);

-- The record table is the log: each record stands once, at its newest rev.
CREATE TABLE record (
	territory_id int NOT NULL,
	id           uuid NOT NULL,
	kind         smallint NOT NULL,
	rev          bigint NOT NULL,
	level        smallint NOT NULL,
	deleted      bool NOT NULL DEFAULT false,
	ref_no       int,                           -- P-12 is kind 13, ref_no 12
	owner_actor  uuid,
	narrowed_rev bigint NOT NULL DEFAULT 0,     -- rev at which somebody lost the right to read it
	changed_at   bigint NOT NULL,               -- ms since 1970: for the age of tombstones and for lists
	field_revs   bytea NOT NULL,
	body         bytea,                         -- canonical protobuf; NULL once deleted
	PRIMARY KEY (territory_id, id)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX record_rev ON record (territory_id, rev);  -- unique: finds a double allocation
CREATE UNIQUE INDEX record_ref ON record (territory_id, kind, ref_no) WHERE ref_no IS NOT NULL;

-- One verdict per mutation, written with its effect: a retry reads it.
CREATE TABLE mutation (
	territory_id int NOT NULL,
	client_id    uuid NOT NULL,
	mid          bigint NOT NULL,
	hash         bytea NOT NULL,                -- SHA-256 of the mutation's bytes
	code         smallint NOT NULL,
	verdict      bytea NOT NULL,
	at           bigint NOT NULL,
	PRIMARY KEY (territory_id, client_id, mid)
);

-- All references between records.
CREATE TABLE link (
	territory_id int NOT NULL,
	from_id      uuid NOT NULL,
	tag          int NOT NULL,                  -- field number in the kind of from_id
	to_id        uuid NOT NULL,
	PRIMARY KEY (territory_id, from_id, tag, to_id)
);
CREATE INDEX link_to ON link (territory_id, to_id);

-- The body that a change replaced.
CREATE TABLE record_version (
	territory_id int NOT NULL,
	id           uuid NOT NULL,
	rev          bigint NOT NULL,               -- of the old body
	kind         smallint NOT NULL,
	level        smallint NOT NULL,
	deleted      bool NOT NULL,
	body         bytea,
	next_rev     bigint NOT NULL,               -- of the change that replaced it
	changed_by   text NOT NULL,                 -- who replaced it
	reason       text,
	client_time  bigint,
	at           bigint NOT NULL,
	PRIMARY KEY (territory_id, id, rev)
);

-- What a partner's key stands for.  Outlives tombstones, so that a deleted row is not born again.
CREATE TABLE import_ref (
	territory_id int NOT NULL,
	source       text NOT NULL,
	kind         smallint NOT NULL,
	key          text NOT NULL,
	id           uuid NOT NULL,
	hash         bytea NOT NULL,                -- SHA-256 of last_values and mask
	last_values  bytea NOT NULL,                -- canonical Body of the mapped fields only
	batch        uuid NOT NULL,
	PRIMARY KEY (territory_id, source, kind, key)
);
CREATE INDEX import_ref_id ON import_ref (territory_id, id);

CREATE TABLE account (
	account_id   int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	name         text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
	made_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account_grant (
	account_id   int NOT NULL REFERENCES account,
	role         smallint NOT NULL,
	territory_id int NOT NULL DEFAULT 0,        -- 0: server-wide (admin)
	source       text NOT NULL DEFAULT '',      -- importer
	PRIMARY KEY (account_id, role, territory_id, source)
);

CREATE TABLE token (
	public_id    text PRIMARY KEY,
	secret_hash  bytea NOT NULL,                -- SHA-256
	account_id   int NOT NULL REFERENCES account,
	device       text NOT NULL,
	made_at      timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz NOT NULL,
	used_at      timestamptz,
	revoked_at   timestamptz
);

CREATE TABLE invite (
	code_hash    bytea PRIMARY KEY,
	account_id   int NOT NULL REFERENCES account,
	token_days   int NOT NULL,
	made_at      timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz NOT NULL,
	spent_at     timestamptz
);

-- Second wall: rows of other territories do not exist for the application.  IS TRUE keeps the policy a filter: as an index condition it
-- would step through the array and lose the index's order.
DO $$
DECLARE t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['record', 'mutation', 'link', 'record_version', 'import_ref'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY territory ON %I USING ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE) WITH CHECK ((territory_id = ANY ((SELECT nullif(current_setting(''seve.territories'', true), ''''))::int[])) IS TRUE)', t);
	END LOOP;
END $$;

GRANT SELECT ON instance TO seve_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON territory_head, record, mutation, link, record_version, import_ref, account, account_grant, token, invite TO seve_app;

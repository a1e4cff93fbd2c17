-- The store, version 3; upgrade_2.sql and upgrade_3.sql bring older ones here.
PRAGMA application_id = 0x53455645;
PRAGMA user_version = 3;

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Territories that the account was granted at the last connection, and names learnt otherwise.
CREATE TABLE territory (
	territory INTEGER PRIMARY KEY,
	slug      TEXT NOT NULL,
	name      TEXT NOT NULL,
	region    TEXT NOT NULL,
	role      TEXT NOT NULL,
	source    TEXT NOT NULL,
	view      INTEGER NOT NULL,
	granted   INTEGER NOT NULL
) STRICT;

-- One row a territory that is carried.  rev is the cursor: everything up to it is in `record`.
CREATE TABLE replica (
	territory  INTEGER PRIMARY KEY,
	epoch      INTEGER NOT NULL DEFAULT 0,
	view       INTEGER NOT NULL DEFAULT 0,
	rev        INTEGER NOT NULL DEFAULT 0,
	complete   INTEGER NOT NULL DEFAULT 0,   -- has been in step with the server at least once
	synced_at  INTEGER NOT NULL DEFAULT 0,   -- ms since 1970, when it last was
	generation INTEGER NOT NULL DEFAULT 1,   -- of the load from rev 0; older rows go when it is complete
	sweep      INTEGER NOT NULL DEFAULT 1,
	start      INTEGER NOT NULL DEFAULT 0,   -- of a load from rev 0: the head that it began at
	-- A comparison with the manifest: of which epoch and view (0: none), its head, the last id that is dealt with.
	verify_epoch INTEGER NOT NULL DEFAULT 0,
	verify_view  INTEGER NOT NULL DEFAULT 0,
	verify_head  INTEGER NOT NULL DEFAULT 0,
	verify_after BLOB,
	-- The greatest rev that was found to mean the same before and after a change of epoch; -1: there was no change.
	fork       INTEGER NOT NULL DEFAULT -1,
	fork_open  INTEGER NOT NULL DEFAULT 0    -- it may still rise
) STRICT;

-- What the server has.  Rows of territories without replica are those that waiting edits build upon (generation 0).
CREATE TABLE record (
	territory  INTEGER NOT NULL,
	id         BLOB NOT NULL,
	kind       INTEGER NOT NULL,
	rev        INTEGER NOT NULL,
	ref_no     INTEGER NOT NULL,
	deleted    INTEGER NOT NULL,
	generation INTEGER NOT NULL,
	body       BLOB,
	PRIMARY KEY (territory, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_kind ON record (territory, kind, ref_no);

-- The next mutation of a territory has number last + 1.
CREATE TABLE counter (
	territory INTEGER PRIMARY KEY,
	last      INTEGER NOT NULL,
	epoch     INTEGER NOT NULL DEFAULT 0     -- under which the numbers are known to be right, 0: none was sent yet
) STRICT;

-- Mutations that the server has acknowledged, kept for a while: a restored database may have lost them.
CREATE TABLE settled (
	territory INTEGER NOT NULL,
	mid       INTEGER NOT NULL,
	at        INTEGER NOT NULL,              -- ms since 1970, when the verdict came
	epoch     INTEGER NOT NULL,              -- of the history that acknowledged it
	made_at   INTEGER NOT NULL,
	mutation  BLOB NOT NULL,
	verdict   BLOB,                          -- without bodies, for the one who made the edit; NULL: it was made by an older program
	PRIMARY KEY (territory, mid)
) STRICT;

CREATE TABLE outbox (
	territory INTEGER NOT NULL,
	mid       INTEGER NOT NULL,
	state     INTEGER NOT NULL,              -- enum outbox_state
	at        INTEGER NOT NULL,
	mutation  BLOB NOT NULL,                 -- packed, exactly as it is sent each time
	verdict   BLOB,                          -- packed, of a conflict or a rejection
	code      TEXT NOT NULL DEFAULT '',      -- why it is kept, where no verdict tells
	PRIMARY KEY (territory, mid)
) STRICT;

-- Which mutations touch which record: those that wait, and the last own one in effect.
CREATE TABLE touch (
	territory INTEGER NOT NULL,
	id        BLOB NOT NULL,
	mid       INTEGER NOT NULL,
	PRIMARY KEY (territory, id, mid)
) STRICT, WITHOUT ROWID;

-- What records show while edits wait: computed from `record` and `outbox` in the transaction that changes either.
CREATE TABLE overlay (
	territory INTEGER NOT NULL,
	id        BLOB NOT NULL,
	kind      INTEGER NOT NULL,
	rev       INTEGER NOT NULL,              -- of the record below, 0 if there is none
	ref_no    INTEGER NOT NULL,
	deleted   INTEGER NOT NULL,
	body      BLOB,
	PRIMARY KEY (territory, id)
) STRICT, WITHOUT ROWID;

/* store.c -- see store.h. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "sql.h"

enum { BUSY_MS = 5000, LOCK_POLL_MS = 20 };

static const char *const statement_names[] = {
#define STATEMENT(name) #name,
#include "statements.def"
#undef STATEMENT
};

/* ---- errors
 * ----------------------------------------------------------------------------------------- */

static int store_fail(const struct store *s, const char *what, struct err *e)
{
	int rc = sqlite3_extended_errcode(s->db) & 0xff;
	const char *path = s->path ? s->path : "store in memory";
	const char *why = sqlite3_errmsg(s->db);

	switch (rc) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_UNAVAILABLE, "%s: %s: in use by another program", path, what);
	case SQLITE_NOMEM:
		return err_set(e, ERR_NOMEM, "%s: %s", path, what);
	case SQLITE_FULL:
		err_set(e, ERR_EXHAUSTED, "%s: %s: the disk is full", path, what);
		return err_remedy(e, "make room, then try again: nothing was lost");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_set(e, ERR_DATA_LOSS, "%s: %s: %s", path, what, why);
		return err_remedy(e, "move the file away and synchronise anew; edits that were not "
				     "sent stand in it");
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		err_set(e, ERR_IO, "%s: %s: %s", path, what, why);
		return err_remedy(e,
				  "check that the folder exists and that the file belongs to you");
	default:
		return err_set(e, ERR_DATABASE, "%s: %s: %s", path, what, why);
	}
}

/* ---- opening
 * ------------------------------------------------------------------------------------------ */

static const char *sql_text(const char *name)
{
	for (const struct sql_file *f = sql_files; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f->text;
	return NULL;
}

static int exec(struct store *s, const char *sql, const char *what, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_fail(s, what, e);
}

static int pragma_number(struct store *s, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *q;
	int rc = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
		return store_fail(s, sql, e);
	if (sqlite3_step(q) == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		rc = store_fail(s, sql, e);
	sqlite3_finalize(q);
	return rc;
}

/* Inside an immediate transaction: two programs that start at once make it once. */
static int make_schema(struct store *s, struct err *e)
{
	struct uuid id = uuid_v7();
	char text[UUID_TEXT];
	int rc = exec(s, sql_text("schema"), "making the tables", e);

	uuid_format(&id, text);
	return rc ? rc : store_meta_set(s, "client_id", text, e);
}

/* Step by step, to this program's version. */
static int upgrade(struct store *s, int version, struct err *e)
{
	char name[32];
	int rc = 0;

	while (!rc && version < STORE_VERSION) {
		snprintf(name, sizeof name, "upgrade_%d", ++version);
		rc = exec(s, sql_text(name), "upgrading the tables", e);
	}
	return rc;
}

static int check_schema(struct store *s, struct err *e)
{
	int64_t app = 0, version = 0, tables = 0;
	int rc = pragma_number(s, "PRAGMA application_id", &app, e);

	if (!rc)
		rc = pragma_number(s, "PRAGMA user_version", &version, e);
	if (!rc)
		rc = pragma_number(s, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (rc)
		return rc;
	if (app == 0 && version == 0 && tables == 0)
		return make_schema(s, e);
	if (app != STORE_APPLICATION_ID) {
		err_set(e, ERR_INVALID, "%s is an SQLite file, but not a store of Sève",
			s->path ? s->path : "?");
		return err_remedy(e, "choose another path for the store");
	}
	if (version > STORE_VERSION) {
		err_set(e, ERR_PRECONDITION,
			"%s was made by a newer version of Sève (store version %d, known: %d)",
			s->path ? s->path : "?", (int)version, STORE_VERSION);
		return err_remedy(e, "upgrade this program");
	}
	return upgrade(s, (int)version, e);
}

static int read_client_id(struct store *s, struct err *e)
{
	char text[UUID_TEXT + 8];
	int rc = store_meta_get(s, "client_id", text, sizeof text, e);

	if (rc)
		return rc;
	if (uuid_parse(text, &s->client_id, NULL))
		return err_set(e, ERR_DATA_LOSS, "%s: its client id is damaged",
			       s->path ? s->path : "store");
	return 0;
}

static int store_setup(struct store *s, struct err *e)
{
	int rc = exec(s, sql_text("pragmas"), "settings", e);

	if (!rc)
		rc = store_begin(s, e);
	if (rc)
		return rc;
	rc = store_end(s, check_schema(s, e), e);
	return rc ? rc : read_client_id(s, e);
}

/* SQLite would make the file with the umask's mode: it holds personal data. */
static int make_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0) {
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
		return err_remedy(e,
				  "check that the folder exists and that the file belongs to you");
	}
	close(fd);
	return 0;
}

int store_open(const char *path, struct store **out, struct err *e)
{
	bool memory = strcmp(path, ":memory:") == 0;
	struct store *s = calloc(1, sizeof *s);
	int rc = 0;

	if (!s)
		return err_set(e, ERR_NOMEM, "store");
	s->lock_fd = -1;
	if (!memory) {
		s->path = strdup(path);
		rc = s->path ? make_file(path, e) : err_set(e, ERR_NOMEM, "store");
	}
	if (!rc && sqlite3_open_v2(path, &s->db,
				   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				   NULL) != SQLITE_OK)
		rc = s->db ? store_fail(s, "opening", e) : err_set(e, ERR_NOMEM, "store");
	if (!rc) {
		sqlite3_busy_timeout(s->db, BUSY_MS);
		rc = store_setup(s, e);
	}
	if (rc) {
		store_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STORE_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

/* ---- the lock
 * ------------------------------------------------------------------------------------------- */

static int open_lock(struct store *s, struct err *e)
{
	char *path;

	if (s->lock_fd >= 0)
		return 0;
	if (asprintf(&path, "%s.lock", s->path) < 0)
		return err_set(e, ERR_NOMEM, "lock of the store");
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (s->lock_fd < 0)
		err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	free(path);
	return s->lock_fd < 0 ? -ERR_IO : 0;
}

int store_lock(struct store *s, unsigned wait_ms, struct err *e)
{
	uint64_t until = clock_mono_ms() + wait_ms;
	int rc;

	if (!s->path || s->locks) {
		s->locks++;
		return 0;
	}
	rc = open_lock(s, e);
	if (rc)
		return rc;
	while (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, ERR_IO, "%s.lock: %s", s->path, strerror(errno));
		if (clock_mono_ms() >= until) {
			err_set(e, ERR_UNAVAILABLE, "%s is in use by another program", s->path);
			return err_remedy(e, "wait for the synchronisation or edit that is under "
					     "way, then try again");
		}
		poll(NULL, 0, LOCK_POLL_MS);
	}
	s->locks = 1;
	return 0;
}

void store_unlock(struct store *s)
{
	if (s->locks && --s->locks == 0 && s->lock_fd >= 0)
		flock(s->lock_fd, LOCK_UN);
}

/* ---- statements
 * --------------------------------------------------------------------------------------- */

int store_begin(struct store *s, struct err *e)
{
	int rc = s->depth ? 0 : exec(s, "BEGIN IMMEDIATE", "begin", e);

	if (!rc)
		s->depth++;
	return rc;
}

int store_end(struct store *s, int rc, struct err *e)
{
	struct err ignored;

	if (rc)
		s->spoilt = true;
	if (--s->depth)
		return rc;
	if (!s->spoilt) {
		rc = exec(s, "COMMIT", "commit", e);
		if (!rc)
			return 0;
	} else if (!rc) {
		rc = err_set(e, ERR_INTERNAL, "a part of the transaction failed");
	}
	s->spoilt = false;
	/* SQLite may have rolled back by itself: then this one fails, and nothing is left to undo.
	 */
	(void)exec(s, "ROLLBACK", "rollback", &ignored);
	return rc;
}

static int bind_bytes(sqlite3_stmt *q, int at, struct span bytes)
{
	if (!bytes.at)
		return sqlite3_bind_null(q, at);
	return sqlite3_bind_blob64(q, at, bytes.at, bytes.len, SQLITE_STATIC);
}

/* The analyser loses sight of va_start() when it is given several files.
 * NOLINTBEGIN(clang-analyzer-valist.Uninitialized) */
static int bind_all(sqlite3_stmt *q, const char *types, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 0; rc == SQLITE_OK && types[i]; i++) {
		switch (types[i]) {
		case 'i':
			rc = sqlite3_bind_int64(q, i + 1, va_arg(ap, int64_t));
			break;
		case 't':
			rc = sqlite3_bind_text(q, i + 1, va_arg(ap, const char *), -1,
					       SQLITE_STATIC);
			break;
		case 'b':
			rc = bind_bytes(q, i + 1, va_arg(ap, struct span));
			break;
		default:
			rc = SQLITE_MISUSE;
		}
	}
	return rc;
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

/* The prepared statement, without values.  NULL: the error is set. */
static sqlite3_stmt *prepared(struct store *s, struct err *e, enum store_statement which)
{
	const char *name = statement_names[which], *sql;
	sqlite3_stmt **q = &s->statements[which];

	if (*q) {
		sqlite3_reset(*q);
		return *q;
	}
	sql = sql_text(name);
	if (!sql)
		err_set(e, ERR_INTERNAL, "no statement \"%s\"", name);
	else if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, q, NULL) !=
		 SQLITE_OK)
		store_fail(s, name, e);
	return *q;
}

sqlite3_stmt *store_query(struct store *s, struct err *e, enum store_statement which,
			  const char *types, ...)
{
	sqlite3_stmt *q = prepared(s, e, which);
	int rc = SQLITE_OK;
	va_list ap;

	if (!q)
		return NULL;
	va_start(ap, types);
	rc = bind_all(q, types, ap);
	va_end(ap);
	if (rc == SQLITE_OK)
		return q;
	store_fail(s, statement_names[which], e);
	return NULL;
}

void store_done(sqlite3_stmt *q)
{
	if (!q)
		return;
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

int store_step(struct store *s, sqlite3_stmt *q, struct err *e)
{
	int rc;

	if (!q)
		return -(int)(e && e->code ? e->code : ERR_DATABASE);
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		return 1;
	rc = rc == SQLITE_DONE ? 0 : store_fail(s, sqlite3_sql(q), e);
	store_done(q);
	return rc;
}

int store_run(struct store *s, struct err *e, enum store_statement which, const char *types, ...)
{
	sqlite3_stmt *q = prepared(s, e, which);
	va_list ap;
	int rc;

	if (!q)
		return -(int)(e && e->code ? e->code : ERR_DATABASE);
	va_start(ap, types);
	rc = bind_all(q, types, ap);
	va_end(ap);
	if (rc != SQLITE_OK)
		return store_fail(s, statement_names[which], e);
	rc = store_step(s, q, e);
	if (rc == 1) {
		store_done(q);
		return err_set(e, ERR_INTERNAL, "\"%s\" gives rows", statement_names[which]);
	}
	return rc;
}

int store_changes(const struct store *s)
{
	return sqlite3_changes(s->db);
}

int64_t store_int(sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

const char *store_text(sqlite3_stmt *q, int column)
{
	const unsigned char *t = sqlite3_column_text(q, column);

	return t ? (const char *)t : "";
}

struct span store_bytes(sqlite3_stmt *q, int column)
{
	struct span s;

	s.at = sqlite3_column_blob(q, column);
	s.len = (size_t)sqlite3_column_bytes(q, column);
	return s;
}

/* ---- small facts
 * ---------------------------------------------------------------------------------------- */

int store_meta_get(struct store *s, const char *key, char *out, size_t size, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_meta_get, "t", key);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	snprintf(out, size, "%s", rc ? store_text(q, 0) : "");
	store_done(q);
	return 0;
}

int store_meta_set(struct store *s, const char *key, const char *value, struct err *e)
{
	return store_run(s, e, STORE_meta_set, "tt", key, value);
}

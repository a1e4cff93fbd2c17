/* migrate.c -- brings a database to this program's schema: see migrate.h.  Blocking, start-up only.
 * Knows the migrations as numbered texts, not what they say. */
#include "migrate.h"

#include <libpq-fe.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>

#include "log.h"
#include "sql.h"
#include "text.h"
#include "unit.h"

enum { SHA_TEXT = 65, PG_VERSION_MIN = 150000 };

/* Who holds this advisory lock migrates; the bytes of "seve mig". */
#define MIGRATE_LOCK "8315180242379729255"

struct migration {
	unsigned version;
	const struct sql_file *file;
	char sha256[SHA_TEXT];
};

/* The number before the underscore in "0001_core", 0 for any other name. */
static unsigned migration_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");
	if (digits != 4 || name[4] != '_')
		return 0;
	unsigned v = 0;
	for (size_t i = 0; i < digits; i++)
		v = v * 10 + (unsigned)(name[i] - '0');
	return v;
}

unsigned migrate_version(void)
{
	unsigned last = 0;
	for (const struct sql_file *f = sql_files; f->name; f++) {
		unsigned v = migration_number(f->name);
		if (v > last)
			last = v;
	}
	return last;
}

static int migration_get(unsigned version, struct migration *out, struct err *e)
{
	const struct sql_file *found = NULL;
	for (const struct sql_file *f = sql_files; f->name; f++)
		if (migration_number(f->name) == version)
			found = f;
	if (!found)
		return err_set(e, ERR_INTERNAL, "migration %u is not in this program", version);
	unsigned char md[32];
	if (!EVP_Digest(found->text, strlen(found->text), md, NULL, EVP_sha256(), NULL))
		return err_set(e, ERR_NOMEM, "checksum of migration %s", found->name);
	out->version = version;
	out->file = found;
	for (size_t i = 0; i < sizeof md; i++)
		snprintf(out->sha256 + 2 * i, 3, "%02x", md[i]);
	return 0;
}

/* ---- talking to the server ---- */

static int failed(PGconn *db, const PGresult *r, struct err *e, const char *what)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	pg_error_classify(state ? state : "", false, text ? text : PQerrorMessage(db), e);
	err_prefix(e, "%s", what);
	if (state && strcmp(state, "42501") == 0)
		err_remedy(e, "let the database belong to this user, and as a superuser run: "
			      "CREATE ROLE seve_app NOLOGIN; GRANT seve_app TO <this user>");
	return -(int)e->code;
}

/* Runs SQL that has no parameters and, unless `out` is NULL, gives its result away. */
static int run(PGconn *db, const char *sql, const char *what, PGresult **out, struct err *e)
{
	PGresult *r = PQexec(db, sql);
	ExecStatusType status = PQresultStatus(r);
	int rc = 0;
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		rc = failed(db, r, e, what);
	if (rc == 0 && out)
		*out = r;
	else
		PQclear(r);
	return rc;
}

static int run_file(PGconn *db, const char *name, PGresult **out, struct err *e)
{
	return run(db, pg_sql(name).text, name, out, e);
}

static void on_notice(void *ctx, const char *text)
{
	(void)ctx;
	log_event(LOG_DEBUG, "migrate_notice", "text=%.*s", (int)strcspn(text, "\n"), text);
}

static int check_server(PGconn *db, struct err *e)
{
	int version = PQserverVersion(db);
	if (version < PG_VERSION_MIN)
		return err_set(e, ERR_CONFIG, "the server is PostgreSQL %d: 15 or later is needed",
			       version / 10000);
	PGresult *r = NULL;
	int rc = run_file(db, "migrate_unsafe", &r, e);
	if (rc < 0)
		return rc;
	if (PQntuples(r) > 0) {
		const char *name = PQgetvalue(r, 0, 0);
		rc = err_set(e, ERR_CONFIG,
			     "the server has %s off: acknowledged work could be lost", name);
		err_remedy(e, "set %s = on in postgresql.conf and restart PostgreSQL", name);
	}
	PQclear(r);
	return rc;
}

static int open_database(const char *conninfo, PGconn **out, struct err *e)
{
	const char *const keys[] = {"connect_timeout", "dbname", "application_name", NULL};
	const char *const values[] = {"10", conninfo, "seved migrate", NULL};
	PGconn *db = PQconnectdbParams(keys, values, 1);
	if (!db)
		return err_set(e, ERR_NOMEM, "database connection");
	int rc = 0;
	if (PQstatus(db) != CONNECTION_OK) {
		const char *why = PQerrorMessage(db);
		rc = err_set(e, ERR_UNAVAILABLE, "%.*s", (int)strcspn(why, "\n"), why);
		err_remedy(e, "check that PostgreSQL runs and that the database setting is right");
		goto fail;
	}
	PQsetNoticeProcessor(db, on_notice, NULL);
	rc = run(db,
		 "SET search_path TO public, pg_temp; SET client_min_messages TO warning;"
		 "SET statement_timeout TO 0; SET lock_timeout TO '5min'",
		 "session", NULL, e);
	if (rc == 0)
		rc = check_server(db, e);
	if (rc < 0)
		goto fail;
	*out = db;
	return 0;
fail:
	PQfinish(db);
	return rc;
}

/* ---- what is there ---- */

static int compare_applied(const PGresult *r, int row, struct err *e)
{
	int64_t version;
	int rc = text_to_int(PQgetvalue(r, row, 0), INT32_MIN, INT32_MAX, &version, e);
	if (rc < 0)
		return rc;
	const char *name = PQgetvalue(r, row, 1);
	if (version > (int64_t)migrate_version()) {
		err_set(e, ERR_PRECONDITION,
			"the database has schema version %lld (%s), this program knows %u",
			(long long)version, name, migrate_version());
		return err_remedy(e, "install a version of seved that is at least as new");
	}
	if (version != row + 1) {
		err_set(e, ERR_PRECONDITION, "migration %d is missing below %s", row + 1, name);
		return err_remedy(e, "restore the database from a backup");
	}
	struct migration m;
	rc = migration_get((unsigned)version, &m, e);
	if (rc < 0)
		return rc;
	if (strcmp(m.sha256, PQgetvalue(r, row, 2)) != 0) {
		err_set(e, ERR_PRECONDITION, "migration %s was applied with another text", name);
		return err_remedy(e, "use the version of seved that made this database, or restore "
				     "it: an applied migration is never edited");
	}
	return 0;
}

/* Number of migrations that are applied, every one of them ours. */
static int count_applied(PGconn *db, unsigned *out, struct err *e)
{
	PGresult *r = NULL;
	int rc = run_file(db, "migrate_applied", &r, e);
	if (rc < 0)
		return rc;
	/* the newest first: "too new" tells more than what it may cause further down */
	for (int row = PQntuples(r) - 1; row >= 0 && rc == 0; row--)
		rc = compare_applied(r, row, e);
	if (rc == 0)
		*out = (unsigned)PQntuples(r);
	PQclear(r);
	return rc;
}

/* ---- changing ---- */

/* The line of the migration at which the server found the error, 0 if it does not tell. */
static unsigned error_line(const struct sql_file *f, const PGresult *r)
{
	const char *position = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
	int64_t at;
	if (!position || text_to_int(position, 1, INT32_MAX, &at, NULL) < 0)
		return 0;
	unsigned line = 1;
	for (int64_t i = 0; i < at - 1 && f->text[i]; i++)
		line += f->text[i] == '\n';
	return line;
}

static int record_migration(PGconn *db, const struct migration *m, struct err *e)
{
	char version[16];
	snprintf(version, sizeof version, "%u", m->version);
	const char *const values[] = {version, m->file->name, m->sha256,
				      "seved " SEVE_VERSION_TEXT};
	PGresult *r =
		PQexecParams(db, pg_sql("migrate_record").text, 4, NULL, values, NULL, NULL, 0);
	int rc = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : failed(db, r, e, "migrate_record");
	PQclear(r);
	return rc;
}

static int apply(PGconn *db, const struct migration *m, struct err *e)
{
	int rc = run(db, "BEGIN", "begin", NULL, e);
	if (rc < 0)
		return rc;
	PGresult *r = PQexec(db, m->file->text);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
		rc = failed(db, r, e, m->file->name);
		unsigned line = error_line(m->file, r);
		if (line)
			err_prefix(e, "line %u of migration", line);
	}
	PQclear(r);
	if (rc == 0)
		rc = record_migration(db, m, e);
	if (rc == 0)
		return run(db, "COMMIT", "commit", NULL, e);
	struct err ignored; /* the first error is the one that counts; closing ends the transaction
			       anyway */
	run(db, "ROLLBACK", "rollback", NULL, &ignored);
	return rc;
}

/* The application's role must be open to this user: sessions begin with SET ROLE. */
static int grant_role(PGconn *db, struct err *e)
{
	PGresult *r = NULL;
	int rc = run_file(db, "migrate_may_become_app", &r, e);
	if (rc < 0)
		return rc;
	if (strcmp(PQgetvalue(r, 0, 1), "t") != 0)
		rc = run(db, "GRANT seve_app TO CURRENT_USER", "role seve_app", NULL, e);
	PQclear(r);
	return rc;
}

static int apply_missing(PGconn *db, unsigned *applied, struct err *e)
{
	unsigned there = 0, done = 0;
	int rc = run_file(db, "migrate_table", NULL, e);
	if (rc == 0)
		rc = count_applied(db, &there, e);
	for (unsigned v = there + 1; rc == 0 && v <= migrate_version(); v++) {
		struct migration m;
		rc = migration_get(v, &m, e);
		if (rc == 0)
			rc = apply(db, &m, e);
		if (rc == 0) {
			log_event(LOG_INFO, "migrated", "version=%u name=%s", v, m.file->name);
			done++;
		}
	}
	/* the policies as this program wants them, whatever the migrations wrote: that is a matter
	 * of speed, so it does no harm when it waits for the next migration */
	if (rc == 0 && done)
		rc = run_file(db, "migrate_policies", NULL, e);
	if (rc == 0)
		rc = grant_role(db, e);
	if (rc == 0 && applied)
		*applied = done;
	return rc;
}

int migrate_run(const char *conninfo, unsigned *applied, struct err *e)
{
	PGconn *db = NULL;
	int rc = open_database(conninfo, &db, e);
	if (rc < 0)
		return rc;
	rc = run(db, "SELECT pg_advisory_lock(" MIGRATE_LOCK ")", "waiting for another migration",
		 NULL, e);
	if (rc == 0)
		rc = apply_missing(db, applied, e);
	PQfinish(db); /* frees the lock too */
	return rc;
}

static int has_table(PGconn *db, bool *out, struct err *e)
{
	PGresult *r = NULL;
	int rc = run(db, "SELECT to_regclass('public.schema_migrations') IS NOT NULL", "schema", &r,
		     e);
	if (rc < 0)
		return rc;
	*out = strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	PQclear(r);
	return 0;
}

int migrate_check(const char *conninfo, struct err *e)
{
	PGconn *db = NULL;
	int rc = open_database(conninfo, &db, e);
	if (rc < 0)
		return rc;
	bool table = false;
	unsigned there = 0;
	rc = has_table(db, &table, e);
	if (rc == 0 && table)
		rc = count_applied(db, &there, e);
	if (rc == 0 && there < migrate_version()) {
		rc = err_set(e, ERR_PRECONDITION,
			     "the database has schema version %u, this program needs %u", there,
			     migrate_version());
		err_remedy(e, "let seved migrate the database");
	}
	PQfinish(db);
	return rc;
}

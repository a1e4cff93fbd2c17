/* fixture.c -- one private cluster for the tests of a program: see fixture.h. */
#include "fixture.h"

#include <ftw.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>

#include "cluster.h"
#include "log.h"
#include "pg/migrate.h"
#include "text.h"

enum { PATIENCE_MS = 120000 };

static char base[128];
static struct embedded cluster;
static unsigned databases, folders;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int broken(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s (%s)\n", what, e->text, e->remedy);
	embedded_stop(&cluster);
	return -1;
}

int fixture_start(void **state)
{
	(void)state;
	struct err e = {0};
	char dir[160];
	const char *parent = getenv("TMPDIR");
	log_setup(getenv("SEVE_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, LOG_TEXT);
	snprintf(base, sizeof base, "%s/seve-test-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(base) || chmod(base, 0755) < 0) {
		perror(base);
		return -1;
	}
	snprintf(dir, sizeof dir, "%s/cluster", base);
	if (embedded_start(dir, &cluster, &e) < 0)
		return broken("embedded_start", &e);
	if (migrate_run(cluster.conninfo, NULL, &e) < 0)
		return broken("migrate_run", &e);
	return 0;
}

int fixture_stop(void **state)
{
	(void)state;
	embedded_stop(&cluster);
	return nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const struct embedded *fixture_cluster(void)
{
	return &cluster;
}

void fixture_restart(int signal_number)
{
	struct cluster c;
	struct err e = {0};
	assert_int_equal(cluster_init(&c, cluster.dir, &e), 0);
	c.postmaster = cluster.postmaster;
	kill(c.postmaster, signal_number);
	cluster_stop(&c);
	if (cluster_start(&c, &e) < 0)
		fail_msg("restart: %s", e.text);
	cluster.postmaster = c.postmaster;
}

void fixture_folder(char out[static 256])
{
	snprintf(out, 256, "%s/folder-%u", base, ++folders);
	assert_int_equal(mkdir(out, 0755), 0);
	assert_int_equal(chmod(out, 0755), 0);
}

static void other_database(const char *conninfo, const char *name, char out[static 512])
{
	const char *at = strstr(conninfo, " dbname=");
	assert_non_null(at);
	snprintf(out, 512, "%.*s dbname=%s", (int)(at - conninfo), conninfo, name);
}

static struct fixture_db new_database(const char *template)
{
	struct fixture_db db;
	char sql[128];
	snprintf(db.name, sizeof db.name, "test_%u", ++databases);
	other_database(cluster.conninfo, db.name, db.conninfo);
	other_database(cluster.admin_conninfo, db.name, db.admin);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s OWNER seve", db.name, template);
	fixture_sql(cluster.admin_conninfo, sql);
	return db;
}

struct fixture_db fixture_database(void)
{
	return new_database("seve");
}

struct fixture_db fixture_empty_database(void)
{
	return new_database("template0");
}

static PGresult *query(PGconn *db, const char *sql)
{
	if (PQstatus(db) != CONNECTION_OK)
		fail_msg("connecting: %s", PQerrorMessage(db));
	PGresult *r = PQexec(db, sql);
	ExecStatusType status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(r));
	return r;
}

const char *fixture_text(const char *conninfo, const char *sql)
{
	static char value[4096];
	PGconn *db = PQconnectdb(conninfo);
	PGresult *r = query(db, sql);
	value[0] = 0;
	if (PQntuples(r) > 0 && PQnfields(r) > 0)
		snprintf(value, sizeof value, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	PQfinish(db);
	return value;
}

void fixture_sql(const char *conninfo, const char *sql)
{
	fixture_text(conninfo, sql);
}

int64_t fixture_number(const char *conninfo, const char *sql)
{
	int64_t v = 0;
	const char *text = fixture_text(conninfo, sql);
	if (text_to_int(text, INT64_MIN, INT64_MAX, &v, NULL) < 0)
		fail_msg("%s gives \"%s\", not a number", sql, text);
	return v;
}

static void on_tick(uv_timer_t *t)
{
	unsigned *ticks = t->data;
	++*ticks;
}

void fixture_run_until(uv_loop_t *loop, bool (*holds)(void *ctx), void *ctx)
{
	uv_timer_t timer;
	unsigned ticks = 0;
	uv_timer_init(loop, &timer);
	timer.data = &ticks;
	uv_timer_start(&timer, on_tick, 5, 5);
	while (!holds(ctx) && ticks < PATIENCE_MS / 5)
		uv_run(loop, UV_RUN_ONCE);
	bool held = holds(ctx);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
	if (!held)
		fail_msg("waited in vain");
}

/* limit.c -- bench_limit: what PostgreSQL gives to a plain libpq client, beside which the service
 * is measured. */
#include "limit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const struct mode {
	const char *name, *args;
	int least; /* arguments */
	int (*run)(char **arg, struct err *e);
} modes[] = {
	{"quiet", "CONNINFO (a checkpoint, so that none falls into the next measurement)", 1,
	 limit_quiet},
	{"settle", "CONNINFO (what autovacuum does some minutes after much was written)", 1,
	 limit_settle},
	{"copy", "CONNINFO TERRITORY TIMES", 3, limit_copy},
	{"select", "CONNINFO TERRITORY CONNECTIONS SECONDS REFERENCES", 5, limit_select},
	{"insert", "CONNINFO TERRITORY CONNECTIONS SECONDS", 4, limit_insert},
	{"unnest", "CONNINFO TERRITORY TABLE[,TABLE...] N", 4, limit_unnest},
	{"notify", "CONNINFO TIMES", 2, limit_notify},
	{"start", "DATA-FOLDER SOCKET-FOLDER CONNINFO", 3, limit_start},
};
enum { MODES = sizeof modes / sizeof *modes };

int limit_number(const char *text, const char *what, struct err *e)
{
	int64_t n;
	const int rc = text_to_int(text, 1, INT32_MAX, &n, e);
	return rc < 0 ? err_prefix(e, "%s", what) : (int)n;
}

int limit_failed(const PGconn *c, const char *what, struct err *e)
{
	const char *text = PQerrorMessage(c);
	return err_set(e, ERR_DATABASE, "%s: %.*s", what, (int)strcspn(text, "\n"), text);
}

int limit_connect(const char *conninfo, PGconn **out, struct err *e)
{
	*out = PQconnectdb(conninfo);
	return PQstatus(*out) == CONNECTION_OK ? 0 : limit_failed(*out, "connect", e);
}

int limit_run(PGconn *c, const char *sql, struct err *e)
{
	PGresult *r = PQexec(c, sql);
	const bool good = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	return good ? 0 : limit_failed(c, sql, e);
}

static int run_each(const char *conninfo, const char *const *statements, struct err *e)
{
	PGconn *c;
	int rc = limit_connect(conninfo, &c, e);
	for (; rc == 0 && *statements; statements++)
		rc = limit_run(c, *statements, e);
	PQfinish(c);
	return rc;
}

/* CONNINFO */
int limit_quiet(char **arg, struct err *e)
{
	static const char *const statements[] = {"CHECKPOINT", NULL};
	return run_each(arg[0], statements, e);
}

/* CONNINFO */
int limit_settle(char **arg, struct err *e)
{
	static const char *const statements[] = {"VACUUM (ANALYZE)", "CHECKPOINT", NULL};
	return run_each(arg[0], statements, e);
}

static int usage(void)
{
	for (int i = 0; i < MODES; i++)
		fprintf(stderr, "usage: bench_limit %s %s\n", modes[i].name, modes[i].args);
	return 2;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	const struct mode *m = modes;
	while (m < modes + MODES && (argc < 2 || strcmp(m->name, argv[1]) != 0))
		m++;
	if (m == modes + MODES || argc - 2 < m->least)
		return usage();
	if (m->run(argv + 2, &e) == 0)
		return fflush(stdout) == 0 ? 0 : 1;
	fprintf(stderr, "bench_limit %s: %s%s%s\n", m->name, e.text, *e.remedy ? ": " : "",
		e.remedy);
	return 1;
}

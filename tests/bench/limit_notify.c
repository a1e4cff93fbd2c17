/* limit_notify.c -- how soon a listener hears of a commit, by plain libpq: an insert and its
 * notification in one transaction, one listener. */
#include <poll.h>
#include <stdio.h>

#include "clock_ns.h"
#include "latency.h"
#include "limit.h"

enum { WARM = 20, WAIT_MS = 30000 };

static int hear(PGconn *listener, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = PQsocket(listener), .events = POLLIN};
		PGnotify *n = PQnotifies(listener);
		if (n) {
			PQfreemem(n);
			return 0;
		}
		if (poll(&p, 1, WAIT_MS) <= 0 || !PQconsumeInput(listener))
			return limit_failed(listener, "listen", e);
	}
}

static int finish(PGconn *writer, struct err *e)
{
	int rc = 0;
	PGresult *r;
	while ((r = PQgetResult(writer))) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			rc = limit_failed(writer, "notify", e);
		PQclear(r);
	}
	return rc;
}

static int rounds(PGconn *writer, PGconn *listener, int times, struct latency *l, struct err *e)
{
	int rc = 0;
	for (int i = -WARM; rc == 0 && i < times; i++) {
		const uint64_t from = clock_ns();
		if (!PQsendQuery(writer, "BEGIN; INSERT INTO bench.heard VALUES (1);"
					 "NOTIFY bench, '1:1'; COMMIT"))
			return limit_failed(writer, "notify", e);
		rc = hear(listener, e);
		const uint64_t ns = clock_ns() - from;
		if (rc == 0)
			rc = finish(writer, e);
		if (rc == 0 && i >= 0)
			rc = latency_add(l, ns, e);
	}
	return rc;
}

/* CONNINFO TIMES */
int limit_notify(char **arg, struct err *e)
{
	PGconn *writer = NULL, *listener = NULL;
	struct latency l = {0};
	const int times = limit_number(arg[1], "TIMES", e);
	int rc = times < 0 ? times : limit_connect(arg[0], &writer, e);
	if (rc == 0)
		rc = limit_connect(arg[0], &listener, e);
	if (rc == 0)
		rc = limit_run(writer,
			       "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS "
			       "bench; DROP TABLE IF EXISTS bench.heard; CREATE TABLE bench.heard "
			       "(n int)",
			       e);
	if (rc == 0)
		rc = limit_run(listener, "LISTEN bench", e);
	if (rc == 0)
		rc = rounds(writer, listener, times, &l, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", latency_us(&l, 0.5),
		       latency_us(&l, 0.5), latency_us(&l, 0.99));
	latency_fini(&l);
	PQfinish(writer);
	PQfinish(listener);
	return rc;
}

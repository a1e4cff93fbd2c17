/* limit_read.c -- reading by plain libpq: COPY of a territory's bodies, prepared selects of single
 * actions. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock_ns.h"
#include "limit_crowd.h"

enum { KIND_ACTION = 13 };

/* ---- COPY -------------------------------------------------------------------------------------
 */

/* The rows of one COPY; its header comes with the first row, its trailer alone. */
static int copy(PGconn *c, const char *sql, uint64_t *rows, struct err *e)
{
	PGresult *r = PQexec(c, sql);
	bool good = PQresultStatus(r) == PGRES_COPY_OUT;
	PQclear(r);
	if (!good)
		return limit_failed(c, "copy", e);
	char *row;
	int n;
	while ((n = PQgetCopyData(c, &row, 0)) > 0) {
		*rows += n > 2;
		PQfreemem(row);
	}
	if (n == -2)
		return limit_failed(c, "copy", e);
	while ((r = PQgetResult(c))) {
		good = PQresultStatus(r) == PGRES_COMMAND_OK;
		PQclear(r);
	}
	return good ? 0 : limit_failed(c, "copy", e);
}

/* CONNINFO TERRITORY TIMES */
int limit_copy(char **arg, struct err *e)
{
	char sql[160];
	PGconn *c;
	uint64_t rows = 0, ns = 0;
	const int territory = limit_number(arg[1], "TERRITORY", e),
		  times = limit_number(arg[2], "TIMES", e);
	if (territory < 0 || times < 0)
		return -(int)e->code;
	snprintf(sql, sizeof sql,
		 "COPY (SELECT body FROM record WHERE territory_id = %d) TO STDOUT (FORMAT binary)",
		 territory);
	int rc = limit_connect(arg[0], &c, e);
	for (int i = 0; rc == 0 && i < times; i++) {
		const uint64_t from = clock_ns();
		rc = copy(c, sql, &rows, e);
		ns += clock_ns() - from;
	}
	PQfinish(c);
	if (rc == 0 && !rows)
		rc = err_set(e, ERR_NOT_FOUND, "territory %d is empty", territory);
	if (rc == 0)
		printf("{\"value\":%.0f}\n", (double)rows * 1e9 / (double)ns);
	return rc;
}

/* ---- point query ------------------------------------------------------------------------------
 */

struct asking {
	uint32_t territory, ref; /* in network order */
	uint16_t kind;
	uint32_t references;
	uint64_t state;
};

static void ask(struct limit_crowd *c, struct limit_params *p)
{
	struct asking *a = c->ctx;
	a->state ^= a->state << 13;
	a->state ^= a->state >> 7;
	a->state ^= a->state << 17;
	a->ref = htonl((uint32_t)(a->state % a->references) + 1);
	*p = (struct limit_params){
		.values = {(char *)&a->territory, (char *)&a->kind, (char *)&a->ref},
		.lengths = {sizeof a->territory, sizeof a->kind, sizeof a->ref},
	};
}

static int check(const PGresult *r, struct err *e)
{
	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1 && PQgetlength(r, 0, 3) > 0)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "an answer without the action that was asked for: %s",
		       PQresultErrorMessage(r));
}

/* CONNINFO TERRITORY CONNECTIONS SECONDS REFERENCES */
int limit_select(char **arg, struct err *e)
{
	struct asking a = {.kind = htons(KIND_ACTION), .state = clock_ns() | 1};
	struct limit_crowd c;
	const int territory = limit_number(arg[1], "TERRITORY", e),
		  n = limit_number(arg[2], "CONNECTIONS", e);
	const int seconds = limit_number(arg[3], "SECONDS", e),
		  references = limit_number(arg[4], "REFERENCES", e);
	if (territory < 0 || n < 0 || seconds < 0 || references < 0)
		return -(int)e->code;
	a.territory = htonl((uint32_t)territory);
	a.references = (uint32_t)references;
	int rc = limit_crowd_open(
		&c, arg[0], (size_t)n,
		"SELECT id, rev, deleted, body FROM record "
		"WHERE territory_id = $1::int AND kind = $2::smallint AND ref_no = $3::int",
		e);
	c.ctx = &a;
	c.params = 3;
	c.ask = ask;
	c.check = check;
	if (rc == 0)
		rc = limit_crowd_run(&c, 0.5, seconds, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
		       (double)c.latency.n / c.seconds, latency_us(&c.latency, 0.5),
		       latency_us(&c.latency, 0.99));
	limit_crowd_close(&c);
	return rc;
}

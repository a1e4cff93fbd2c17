/* limit_insert.c -- writing by plain libpq, one row and one commit at a time: the bodies of a
 * territory's actions, with ids that their clients make. */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "clock_ns.h"
#include "limit_crowd.h"
#include "uuid.h"

enum { BODIES_MAX = 4096, KIND_ACTION = 13 };

struct writing {
	PGresult *bodies;
	uint32_t territory; /* in network order, as all of these */
	uint16_t kind;
	uint64_t rev_be, rev;
	struct uuid id;
};

static void ask(struct limit_crowd *c, struct limit_params *p)
{
	struct writing *w = c->ctx;
	const int body = (int)(w->rev++ % (uint64_t)PQntuples(w->bodies));
	w->rev_be = htobe64(w->rev);
	w->id = uuid_v7();
	*p = (struct limit_params){
		.values = {(char *)w->id.b, (char *)&w->territory, (char *)&w->kind,
			   (char *)&w->rev_be, PQgetvalue(w->bodies, body, 0)},
		.lengths = {sizeof w->id.b, sizeof w->territory, sizeof w->kind, sizeof w->rev_be,
			    PQgetlength(w->bodies, body, 0)},
	};
}

static int check(const PGresult *r, struct err *e)
{
	if (PQresultStatus(r) == PGRES_COMMAND_OK)
		return 0;
	return err_set(e, ERR_DATABASE, "insert: %s", PQresultErrorMessage(r));
}

static int prepare_table(PGconn *c, struct err *e)
{
	return limit_run(c,
			 "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS bench; "
			 "DROP TABLE IF EXISTS bench.pushed; "
			 "CREATE TABLE bench.pushed (id uuid PRIMARY KEY, territory_id int NOT "
			 "NULL, kind smallint NOT NULL, "
			 "rev bigint NOT NULL, body bytea NOT NULL)",
			 e);
}

static int fetch_bodies(PGconn *c, int territory, PGresult **out, struct err *e)
{
	char sql[160];
	snprintf(sql, sizeof sql,
		 "SELECT body FROM record WHERE territory_id = %d AND kind = %d AND NOT deleted "
		 "LIMIT %d",
		 territory, KIND_ACTION, BODIES_MAX);
	PGresult *r = PQexecParams(c, sql, 0, NULL, NULL, NULL, NULL, 1);
	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0) {
		*out = r;
		return 0;
	}
	PQclear(r);
	return err_set(e, ERR_NOT_FOUND, "territory %d has no actions: %s", territory,
		       PQerrorMessage(c));
}

/* CONNINFO TERRITORY CONNECTIONS SECONDS */
int limit_insert(char **arg, struct err *e)
{
	struct writing w = {.kind = htons(KIND_ACTION)};
	struct limit_crowd c = {.epoll = -1};
	PGconn *first = NULL;
	const int territory = limit_number(arg[1], "TERRITORY", e),
		  n = limit_number(arg[2], "CONNECTIONS", e);
	const int seconds = limit_number(arg[3], "SECONDS", e);
	if (territory < 0 || n < 0 || seconds < 0)
		return -(int)e->code;
	w.territory = htonl((uint32_t)territory);
	int rc = limit_connect(arg[0], &first, e);
	if (rc == 0)
		rc = prepare_table(first, e);
	if (rc == 0)
		rc = fetch_bodies(first, territory, &w.bodies, e);
	if (rc == 0)
		rc = limit_crowd_open(&c, arg[0], (size_t)n,
				      "INSERT INTO bench.pushed VALUES ($1::uuid, $2::int, "
				      "$3::smallint, $4::bigint, $5::bytea)",
				      e);
	c.ctx = &w;
	c.params = 5;
	c.ask = ask;
	c.check = check;
	if (rc == 0)
		rc = limit_crowd_run(&c, 0.5, seconds, e);
	if (rc == 0)
		printf("{\"value\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
		       (double)c.latency.n / c.seconds, latency_us(&c.latency, 0.5),
		       latency_us(&c.latency, 0.99));
	limit_crowd_close(&c);
	PQclear(w.bodies);
	PQfinish(first);
	return rc;
}

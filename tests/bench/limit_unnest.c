/* limit_unnest.c -- bulk writing by plain libpq: rows that the service has stored are written
 * again, column by column as binary arrays, 500 a transaction, two transactions on their way.  Into
 * copies of the same tables, with the same columns and indexes.  Of many rows a part at a time is
 * held in memory; only the writing counts. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock_ns.h"
#include "limit.h"

enum { COLUMNS_MAX = 32, TABLES_MAX = 4, ROWS = 500, SQL_MAX = 8192, AHEAD = 2, PART = 100000 };

struct column {
	char *array; /* of the chunk, in PostgreSQL's binary form */
	size_t len, room;
};

struct table {
	char name[64], statement[64];
	PGresult *rows; /* in binary form */
	struct column columns[COLUMNS_MAX];
	int n_columns;
};

struct writing {
	PGconn *conn, *from; /* the one that writes, the one that reads */
	struct table tables[TABLES_MAX];
	size_t n_tables;
	int n, sent, waiting; /* rows of the part; rows; transactions on their way */
};

/* ---- statements, from the catalogue -----------------------------------------------------------
 */

/* What to select (lists as text, since unnest would flatten them) and how to write it again. */
static const char *const shape =
	"WITH c AS (SELECT quote_ident(attname) AS name, format_type(atttypid, NULL) AS type, "
	"typcategory = 'A' AS list,"
	" row_number() OVER (ORDER BY attnum) AS n FROM pg_attribute JOIN pg_type t ON t.oid = "
	"atttypid"
	" WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped)"
	" SELECT string_agg(CASE WHEN list OR type = 'jsonb' THEN name || '::text' ELSE name END, "
	"', ' ORDER BY n),"
	" format('INSERT INTO bench.%s SELECT %s FROM unnest(%s) u(%s)', $1,"
	" string_agg(format(CASE WHEN list OR type = 'jsonb' THEN 'c%s::%s' ELSE 'c%s' END, n, "
	"type), ', ' ORDER BY n),"
	" string_agg(format('$%s::%s[]', n, CASE WHEN list OR type = 'jsonb' THEN 'text' ELSE type "
	"END), ', ' ORDER BY n),"
	" string_agg('c' || n, ', ' ORDER BY n)) FROM c";

static int table_open(struct table *t, PGconn *from, const char *columns, int territory,
		      struct err *e)
{
	char sql[SQL_MAX];
	snprintf(sql, sizeof sql,
		 "DECLARE read_%s BINARY CURSOR FOR SELECT %s FROM %s WHERE territory_id = %d",
		 t->name, columns, t->name, territory);
	return limit_run(from, sql, e);
}

/* The next `n` rows. */
static int table_fetch(struct table *t, PGconn *from, int n, struct err *e)
{
	char sql[128];
	snprintf(sql, sizeof sql, "FETCH %d FROM read_%s", n, t->name);
	PQclear(t->rows);
	t->rows = PQexec(from, sql);
	if (PQresultStatus(t->rows) != PGRES_TUPLES_OK)
		return limit_failed(from, t->name, e);
	t->n_columns = PQnfields(t->rows);
	if (t->n_columns > COLUMNS_MAX)
		return err_set(e, ERR_TOO_BIG, "%s has %d columns", t->name, t->n_columns);
	if (PQntuples(t->rows) < n)
		return err_set(e, ERR_NOT_FOUND, "%s has too few rows of that territory", t->name);
	return 0;
}

static int table_prepare(struct table *t, const struct writing *w, int territory, struct err *e)
{
	PGconn *c = w->conn;
	char sql[256];
	const char *name = t->name;
	PGresult *r = PQexecParams(c, shape, 1, NULL, &name, NULL, NULL, 0);
	int rc = PQresultStatus(r) == PGRES_TUPLES_OK ? 0 : limit_failed(c, t->name, e);
	if (rc == 0)
		rc = table_open(t, w->from, PQgetvalue(r, 0, 0), territory, e);
	snprintf(sql, sizeof sql,
		 "DROP TABLE IF EXISTS bench.%s; CREATE TABLE bench.%s (LIKE public.%s INCLUDING "
		 "ALL)",
		 t->name, t->name, t->name);
	if (rc == 0)
		rc = limit_run(c, sql, e);
	if (rc == 0) {
		snprintf(t->statement, sizeof t->statement, "put_%s", t->name);
		PGresult *p = PQprepare(c, t->statement, PQgetvalue(r, 0, 1), 0, NULL);
		rc = PQresultStatus(p) == PGRES_COMMAND_OK
			     ? 0
			     : limit_failed(c, PQgetvalue(r, 0, 1), e);
		PQclear(p);
	}
	PQclear(r);
	return rc;
}

/* ---- arrays -----------------------------------------------------------------------------------
 */

static int column_add(struct column *c, const void *bytes, size_t n)
{
	if (c->len + n > c->room) {
		const size_t room = (c->len + n) * 2;
		char *more = realloc(c->array, room);
		if (!more)
			return -ERR_NOMEM;
		c->array = more;
		c->room = room;
	}
	memcpy(c->array + c->len, bytes, n);
	c->len += n;
	return 0;
}

static int column_number(struct column *c, int number)
{
	const uint32_t big = htonl((uint32_t)number);
	return column_add(c, &big, sizeof big);
}

/* Dimensions, "has NULLs", element type, length, lower bound; then each value with its length. */
static int column_fill(struct column *c, const PGresult *rows, int column, int from, int n)
{
	int rc = 0;
	c->len = 0;
	const int head[] = {1, 1, (int)PQftype(rows, column), n, 1};
	for (size_t i = 0; rc == 0 && i < sizeof head / sizeof *head; i++)
		rc = column_number(c, head[i]);
	for (int row = from; rc == 0 && row < from + n; row++) {
		const bool null = PQgetisnull(rows, row, column);
		rc = column_number(c, null ? -1 : PQgetlength(rows, row, column));
		if (rc == 0 && !null)
			rc = column_add(c, PQgetvalue(rows, row, column),
					(size_t)PQgetlength(rows, row, column));
	}
	return rc;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int table_send(struct table *t, PGconn *c, int from, int n, struct err *e)
{
	const char *values[COLUMNS_MAX];
	int lengths[COLUMNS_MAX], formats[COLUMNS_MAX];
	for (int i = 0; i < t->n_columns; i++) {
		if (column_fill(&t->columns[i], t->rows, i, from, n) < 0)
			return err_set(e, ERR_NOMEM, "%s", t->name);
		values[i] = t->columns[i].array;
		lengths[i] = (int)t->columns[i].len;
		formats[i] = 1;
	}
	if (!PQsendQueryPrepared(c, t->statement, t->n_columns, values, lengths, formats, 1))
		return limit_failed(c, t->name, e);
	return 0;
}

/* One transaction: the statements up to the synchronisation point. */
static int send_chunk(struct writing *w, struct err *e)
{
	const int n = w->n - w->sent < ROWS ? w->n - w->sent : ROWS;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->n_tables; i++)
		rc = table_send(&w->tables[i], w->conn, w->sent, n, e);
	if (rc == 0 && !PQpipelineSync(w->conn))
		rc = limit_failed(w->conn, "sync", e);
	w->sent += n;
	w->waiting++;
	return rc;
}

static int take_chunk(struct writing *w, struct err *e)
{
	for (;;) {
		PGresult *r = PQgetResult(w->conn);
		const ExecStatusType status = r ? PQresultStatus(r) : PGRES_COMMAND_OK;
		PQclear(r);
		if (status == PGRES_PIPELINE_SYNC) {
			w->waiting--;
			return 0;
		}
		if (status != PGRES_COMMAND_OK)
			return limit_failed(w->conn, "insert", e);
	}
}

static int write_all(struct writing *w, struct err *e)
{
	int rc = PQenterPipelineMode(w->conn) ? 0 : limit_failed(w->conn, "pipeline", e);
	w->sent = 0;
	while (rc == 0 && (w->waiting || w->sent < w->n))
		rc = w->waiting < AHEAD && w->sent < w->n ? send_chunk(w, e) : take_chunk(w, e);
	return rc;
}

static int read_tables(struct writing *w, const char *list, struct err *e)
{
	while (*list) {
		const size_t n = strcspn(list, ",");
		if (w->n_tables == TABLES_MAX || n >= sizeof w->tables[0].name)
			return err_set(e, ERR_USAGE, "up to %d tables", TABLES_MAX);
		snprintf(w->tables[w->n_tables++].name, n + 1, "%s", list);
		list += n + (list[n] == ',');
	}
	return 0;
}

static void writing_fini(struct writing *w)
{
	for (size_t i = 0; i < w->n_tables; i++) {
		PQclear(w->tables[i].rows);
		for (int k = 0; k < COLUMNS_MAX; k++)
			free(w->tables[i].columns[k].array);
	}
	PQfinish(w->conn);
	PQfinish(w->from);
}

static int prepare_all(struct writing *w, const char *conninfo, int territory, struct err *e)
{
	int rc = limit_connect(conninfo, &w->conn, e);
	if (rc == 0)
		rc = limit_connect(conninfo, &w->from, e);
	if (rc == 0)
		rc = limit_run(
			w->conn,
			"SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS bench", e);
	if (rc == 0)
		rc = limit_run(w->from, "BEGIN", e);
	for (size_t i = 0; rc == 0 && i < w->n_tables; i++)
		rc = table_prepare(&w->tables[i], w, territory, e);
	return rc;
}

/* Adds the time that the writing of the part took. */
static int write_part(struct writing *w, uint64_t *ns, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < w->n_tables; i++)
		rc = table_fetch(&w->tables[i], w->from, w->n, e);
	const uint64_t from = clock_ns();
	if (rc == 0)
		rc = write_all(w, e);
	*ns += clock_ns() - from;
	return rc;
}

/* CONNINFO TERRITORY TABLE[,TABLE...] N */
int limit_unnest(char **arg, struct err *e)
{
	struct writing w = {0};
	uint64_t ns = 0;
	const int territory = limit_number(arg[1], "TERRITORY", e);
	const int n = limit_number(arg[3], "N", e);
	int rc = territory < 0 || n < 0 ? -(int)e->code : read_tables(&w, arg[2], e);
	if (rc == 0)
		rc = prepare_all(&w, arg[0], territory, e);
	for (int left = n; rc == 0 && left > 0; left -= w.n) {
		w.n = left < PART ? left : PART;
		rc = write_part(&w, &ns, e);
	}
	if (rc == 0)
		printf("{\"value\":%.0f}\n", n * 1e9 / (double)ns);
	writing_fini(&w);
	return rc;
}

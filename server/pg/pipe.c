/* pipe.c -- units under way on one connection: see pipe.h.  Knows no event loop. */
#include "pipe.h"

#include <strings.h>

enum {
	PIPE_NULLS_MAX = 3
}; /* libpq ends each command with one NULL: more in a row mean that we are out of step */

void pg_pipe_init(struct pg_pipe *p, PGconn *conn)
{
	memset(p, 0, sizeof *p);
	p->conn = conn;
	prepared_init(&p->prepared);
	p->rollback_stmt.query = (struct pg_query){"rollback", "ROLLBACK"};
}

void pg_pipe_fini(struct pg_pipe *p)
{
	prepared_clear(&p->prepared);
	PQclear(p->rollback_stmt.result);
	p->rollback_stmt.result = NULL;
}

bool pg_pipe_ready(const struct pg_pipe *p)
{
	return !p->lost && !p->stale && !p->failed_block;
}

static int pipe_lost(struct pg_pipe *p, const char *why)
{
	if (!p->lost)
		snprintf(p->why, sizeof p->why, "%.*s", (int)strcspn(why, "\n"), why);
	p->lost = true;
	return -ERR_UNAVAILABLE;
}

/* Where the results of the oldest unit begin. */
static void pipe_rewind(struct pg_pipe *p)
{
	p->at = p->sent.first ? p->sent.first->first : NULL;
	p->preparing = false;
	for (struct pg_stmt *s = p->at; s; s = s->next)
		if (s->preparing) {
			p->at = s;
			p->preparing = true;
			return;
		}
}

static void pipe_append(struct pg_pipe *p, struct pg_unit *u)
{
	u->sent = true;
	pg_units_push(&p->sent, u);
	if (p->sent.first == u)
		pipe_rewind(p);
}

static struct pg_unit *pipe_shift(struct pg_pipe *p)
{
	struct pg_unit *u = pg_units_shift(&p->sent);
	pipe_rewind(p);
	return u;
}

/* Looks at every statement before anything is sent. */
static int pipe_check(struct pg_pipe *p, struct pg_unit *u, bool *prepare)
{
	for (struct pg_stmt *s = u->first; s; s = s->next) {
		enum prepared_state state = PREPARED_KNOWN;
		int rc = 0;
		if (pg_params_bad(&s->params))
			rc = err_set(&u->err, ERR_NOMEM, "parameters of statement %s",
				     s->query.name ? s->query.name : "without a name");
		else if (s->query.name)
			state = prepared_note(&p->prepared, s->query.name, &s->params);
		if (state == PREPARED_MISMATCH)
			rc = err_set(&u->err, ERR_INTERNAL,
				     "statement %s: parameter types differ from its first use",
				     s->query.name);
		if (state == PREPARED_FULL)
			rc = err_set(&u->err, ERR_NOMEM, "statement %s: no room to prepare it",
				     s->query.name);
		s->preparing = state == PREPARED_NEW;
		*prepare = *prepare || s->preparing;
		if (rc == 0)
			continue;
		for (struct pg_stmt *b = u->first; b != s; b = b->next) {
			if (b->preparing)
				prepared_forget(&p->prepared, b->query.name);
			b->preparing = false;
		}
		return rc;
	}
	return 0;
}

static bool send_prepares(struct pg_pipe *p, struct pg_unit *u)
{
	for (struct pg_stmt *s = u->first; s; s = s->next)
		if (s->preparing && !PQsendPrepare(p->conn, s->query.name, s->query.text,
						   s->params.n, s->params.types))
			return false;
	return PQpipelineSync(p->conn) == 1;
}

#define ONES8 1, 1, 1, 1, 1, 1, 1, 1

static bool send_statements(struct pg_pipe *p, struct pg_unit *u)
{
	static const int binary[PG_PARAMS_MAX] = {ONES8, ONES8, ONES8, ONES8,
						  ONES8, ONES8, ONES8, ONES8};
	for (struct pg_stmt *s = u->first; s; s = s->next)
		if (!(s->query.name
			      ? PQsendQueryPrepared(p->conn, s->query.name, s->params.n,
						    s->params.values, s->params.lengths, binary, 1)
			      : PQsendQueryParams(p->conn, s->query.text, s->params.n,
						  s->params.types, s->params.values,
						  s->params.lengths, binary, 1)))
			return false;
	return PQpipelineSync(p->conn) == 1;
}

int pg_pipe_send(struct pg_pipe *p, struct pg_unit *u)
{
	bool prepare = false;
	int rc = pipe_check(p, u, &prepare);
	if (rc < 0)
		return rc;
	pipe_append(p, u);
	if ((prepare && !send_prepares(p, u)) || !send_statements(p, u))
		return pipe_lost(p, PQerrorMessage(p->conn));
	return 0;
}

/* Leaves a failed transaction block.  Only while nothing else is under way: a ROLLBACK behind a
 * unit that had begun a transaction of its own would undo that one. */
static void pipe_recover(struct pg_pipe *p)
{
	if (!p->failed_block || p->sent.n > 0 || p->lost)
		return;
	p->failed_block = false;
	p->rollback = (struct pg_unit){.first = &p->rollback_stmt, .last = &p->rollback_stmt};
	pipe_append(p, &p->rollback);
	if (!PQsendQueryParams(p->conn, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQpipelineSync(p->conn))
		pipe_lost(p, PQerrorMessage(p->conn));
}

/* An error that a new connection mends. */
static bool wants_renewal(const char *sqlstate, const PGresult *r)
{
	const char *where = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
	if (strcmp(sqlstate, "0A000") == 0) /* the cached plan's columns have changed */
		return where && strcmp(where, "RevalidateCachedQuery") == 0;
	return strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "25006") == 0;
}

static void unit_failed(struct pg_pipe *p, struct pg_unit *u, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	if (!state || !*state) {
		pipe_lost(p, PQresultErrorMessage(r));
		return;
	}
	if (u->err.code)
		return;
	snprintf(u->sqlstate, sizeof u->sqlstate, "%s", state);
	bool renew = !p->preparing && wants_renewal(state, r);
	p->stale = p->stale || renew;
	/* nothing was done, and a new connection will do it */
	pg_error_classify(renew ? "26000" : state, u->sent,
			  PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), &u->err);
	if (p->at)
		err_prefix(&u->err, "%s", p->at->query.name);
}

/* COMMIT in a failed transaction succeeds and says ROLLBACK. */
static bool commit_that_rolled_back(const struct pg_stmt *s, PGresult *r)
{
	return strcmp(PQcmdStatus(r), "ROLLBACK") == 0 &&
	       strncasecmp(s->query.text, "ROLLBACK", 8) != 0;
}

static void unit_succeeded(struct pg_pipe *p, struct pg_unit *u, PGresult *r)
{
	if (p->preparing || !p->at || u->err.code || p->at->result) {
		PQclear(r);
		return;
	}
	if (PQresultStatus(r) == PGRES_COMMAND_OK && commit_that_rolled_back(p->at, r)) {
		memcpy(u->sqlstate, "25P02", 6);
		pg_error_classify("25P02", true, "the transaction had failed before", &u->err);
		PQclear(r);
		return;
	}
	p->at->result = r;
}

/* Moves on to the statement whose result comes next. */
static void pipe_advance(struct pg_pipe *p)
{
	if (p->at)
		p->at = p->at->next;
	while (p->preparing && p->at && !p->at->preparing)
		p->at = p->at->next;
}

/* libpq gives one NULL behind the results of each command, and sometimes one behind a Sync. */
static void pipe_command_end(struct pg_pipe *p)
{
	if (++p->nulls > PIPE_NULLS_MAX)
		pipe_lost(p, "results out of step");
	if (p->answered)
		pipe_advance(p);
	p->answered = false;
}

/* A Sync has come back.  True when it ends the oldest unit. */
static bool pipe_synced(struct pg_pipe *p)
{
	p->answered = false;
	if (p->at) {
		pipe_lost(p, "a Sync came before the results of its statements");
		return false;
	}
	if (p->preparing) {
		p->preparing = false;
		p->at = p->sent.first->first;
		return false;
	}
	/* in a unit behind the one that failed, the block may have been ended */
	p->failed_block = PQtransactionStatus(p->conn) == PQTRANS_INERROR;
	return true;
}

/* Takes in one result; true when it ends the oldest unit. */
static bool pipe_result(struct pg_pipe *p, PGresult *r)
{
	struct pg_unit *u = p->sent.first;
	ExecStatusType status = PQresultStatus(r);
	p->nulls = 0;
	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(r);
		return pipe_synced(p);
	}
	p->answered = true;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	    status == PGRES_EMPTY_QUERY) {
		unit_succeeded(p, u, r);
		return false;
	}
	if (p->preparing && p->at)
		prepared_forget(&p->prepared, p->at->query.name);
	if (status == PGRES_FATAL_ERROR)
		unit_failed(p, u, r);
	else if (status != PGRES_PIPELINE_ABORTED)
		pipe_lost(p, "a result that does not belong in a pipeline");
	PQclear(r);
	return false;
}

struct pg_unit *pg_pipe_take(struct pg_pipe *p)
{
	while (p->sent.first && !p->lost && !PQisBusy(p->conn)) {
		PGresult *r = PQgetResult(p->conn);
		if (!r) {
			pipe_command_end(p);
			continue;
		}
		if (!pipe_result(p, r))
			continue;
		struct pg_unit *u = pipe_shift(p);
		pipe_recover(p);
		if (u != &p->rollback)
			return u;
		if (u->err.code)
			pipe_lost(p, u->err.text);
		PQclear(p->rollback_stmt.result);
		p->rollback_stmt.result = NULL;
	}
	return NULL;
}

struct pg_unit *pg_pipe_abandon(struct pg_pipe *p)
{
	while (p->sent.first) {
		struct pg_unit *u = pipe_shift(p);
		if (u != &p->rollback)
			return u;
	}
	return NULL;
}

/* pipe.h -- units under way on one connection in pipeline mode: sends them, sorts the results back
 * to them. Knows no event loop and no reconnecting.  Loop thread only.
 *
 *   [ Parse … Sync ]  Bind Execute  Bind Execute …  Sync
 *
 * What must be prepared travels before its unit with a Sync of its own, so that a unit that fails
 * does not take away the statements that those behind it count on. */
#ifndef SEVED_PG_PIPE_H
#define SEVED_PG_PIPE_H

#include "prepared.h"

struct pg_pipe {
	PGconn *conn;
	struct prepared prepared;
	struct pg_units sent; /* oldest first */
	struct pg_stmt *at;   /* of the oldest unit: whose result comes next; NULL: its Sync */
	bool answered;        /* the command under way has given a result */
	bool preparing;       /* the results of its Parse messages are still to come */
	bool failed_block; /* the session hangs in a failed transaction: nothing more is sent before
			      a ROLLBACK */
	bool stale;        /* the connection is to be renewed once nothing is under way */
	bool lost;         /* the connection is beyond repair; `why` tells */
	unsigned nulls;    /* in a row */
	char why[200];
	struct pg_unit rollback; /* the pipe's own */
	struct pg_stmt rollback_stmt;
};

/* For a connection that is in pipeline mode; borrowed until pg_pipe_fini(). */
void pg_pipe_init(struct pg_pipe *p, PGconn *conn);
/* Frees what the pipe holds; units must have been taken away before.  Idempotent. */
void pg_pipe_fini(struct pg_pipe *p);

/* Whether units may be sent now. */
bool pg_pipe_ready(const struct pg_pipe *p);

/* Hands a unit to libpq, without flushing.  0, or with nothing sent an error in u->err (parameters
 * that are bad), or -ERR_UNAVAILABLE with p->lost: the unit then counts as sent. */
int pg_pipe_send(struct pg_pipe *p, struct pg_unit *u);

/* The next unit that is finished, with results or error filled in; NULL when more input is needed
 * or p->lost is set. */
struct pg_unit *pg_pipe_take(struct pg_pipe *p);

/* After a loss: takes the oldest unit away, NULL when there is none. */
struct pg_unit *pg_pipe_abandon(struct pg_pipe *p);

#endif

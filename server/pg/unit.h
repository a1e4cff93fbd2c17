/* unit.h -- a unit of work: statements that travel together and end with one Sync, so they are one
 * implicit transaction unless they hold BEGIN and COMMIT themselves.  Knows no tables.  Loop thread
 * only. */
#ifndef SEVED_PG_UNIT_H
#define SEVED_PG_UNIT_H

#include "codec.h"
#include "err.h"

/* A statement's text under a name that is unique in the program.  Prepared once per connection,
 * just before the unit that first uses it there, in a transaction of its own: the tables it names
 * must be there before that unit.  Its parameters have the same types at every use: other ones are
 * refused (ERR_INTERNAL) before anything is sent. */
struct pg_query {
	const char *name; /* NULL: a text made for one request; never prepared, the text lives as
			     long as the unit */
	const char *text;
};

/* The hand-written statement server/pg/sql/NAME.sql.  Aborts at start-up if there is none: call it
 * from init code, keep the result. */
struct pg_query pg_sql(const char *name);

struct pg_stmt {
	struct pg_query query;
	struct pg_params params;
	PGresult *result; /* after done: PGRES_TUPLES_OK or PGRES_COMMAND_OK; NULL when the unit
			     failed at or before it */
	bool preparing;   /* the link's: it is being prepared for this unit */
	struct pg_stmt *next;
};

struct pg_unit {
	void *owner;
	void (*done)(struct pg_unit *u); /* exactly once, never before submit has returned; the
					    owner then reads results and calls pg_unit_clear() */
	struct arena *arena;
	struct pg_stmt *first, *last;
	struct err err;   /* code 0: every statement succeeded */
	char sqlstate[6]; /* of the first failure; "" when the connection was lost or never there */
	bool sent; /* it had left this process: after a lost connection its outcome is unknown */
	uint32_t session;     /* 0, or the link's session (pg_link_session()) that it belongs to: a
				 later one refuses it, so that the     second half of a transaction
				 never     runs without the first */
	struct pg_unit *next; /* for whoever queues it */
};

/* A queue of units, chained by `next`. */
struct pg_units {
	struct pg_unit *first, *last;
	size_t n;
};
void pg_units_push(struct pg_units *q, struct pg_unit *u);
struct pg_unit *pg_units_shift(struct pg_units *q); /* the oldest, or NULL */

/* From the owner's arena; NULL if out of memory. */
struct pg_unit *pg_unit_new(struct arena *a, void *owner, void (*done)(struct pg_unit *u));
/* Adds a statement; fill in its params (they are initialised).  NULL if out of memory. */
struct pg_stmt *pg_unit_add(struct pg_unit *u, struct pg_query q);
/* Frees the results.  Idempotent. */
void pg_unit_clear(struct pg_unit *u);

/* What an SQLSTATE means to a client: retry, unknown outcome, or permanent.  "" is a lost
 * connection.  `message` is the server's primary message or libpq's; it is left out where it may
 * quote values (class 22). */
void pg_error_classify(const char *sqlstate, bool sent, const char *message, struct err *e);

#endif

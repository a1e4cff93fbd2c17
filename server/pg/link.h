/* link.h -- one connection to PostgreSQL in pipeline mode on the event loop; reconnects by itself
 * with back-off. Knows no tables.  Loop thread only. */
#ifndef SEVED_PG_LINK_H
#define SEVED_PG_LINK_H

#include <uv.h>

#include "unit.h"

struct pg_link;

/* What the server's sessions are set to.  Plans: the tables are reached by their keys only, so the
 * planner is kept from changing its mind with the statistics. */
#define PG_SETUP_APP                                                                               \
	"SET ROLE seve_app; SET search_path TO public, pg_temp; SET timezone TO 'UTC';"            \
	"SET client_min_messages TO warning; SET plan_cache_mode TO force_generic_plan;"           \
	"SET enable_seqscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off;"      \
	"SET enable_material TO off; SET jit TO off; SET max_parallel_workers_per_gather TO 0;"    \
	"SET statement_timeout TO '10s'; SET lock_timeout TO '2s';"                                \
	"SET idle_in_transaction_session_timeout TO '5s';"

enum {
	PG_LINK_SILENCE_MS = 30000
}; /* units under way and not a byte for so long: the connection is given up */

/* A session must be of PostgreSQL 15 or later with synchronous_commit other than off, else it is
 * not used. */
struct pg_link_options {
	const char *conninfo; /* libpq's; a host name in it is resolved blocking at each connect:
				 give hostaddr too */
	const char *name;     /* "writer", "reader-1": for logs and application_name */
	const char
		*setup; /* SQL run on every new connection, several statements allowed, or NULL */
	unsigned
		silence_ms; /* 0: PG_LINK_SILENCE_MS; longer than the session's statement_timeout */
	/* Called with each result of `setup` that has rows; not 0: the session is not used, `e`
	 * tells why, and another is tried later.  NULL: any will do. */
	int (*accept)(void *ctx, const PGresult *r, struct err *e);
	/* Called when it becomes usable and when it is lost; may be NULL.  May close the link. */
	void (*on_state)(void *ctx, struct pg_link *l, bool up);
	/* LISTEN connections (say LISTEN in `setup`): a notification has come; may be NULL. */
	void (*on_notify)(void *ctx, const char *channel, const char *payload);
	void *ctx;
};

/* Starts connecting; 0 or an error (then nothing was made).  The texts of the options are copied.
 */
int pg_link_open(uv_loop_t *loop, const struct pg_link_options *o, struct pg_link **out,
		 struct err *e);
/* Fails everything under way with ERR_UNAVAILABLE / ERR_OUTCOME, closes, then calls closed(ctx) and
 * is gone.  All of that when the loop turns. `closed` may be NULL.  Idempotent: the first call's
 * callback counts. */
void pg_link_close(struct pg_link *l, void (*closed)(void *ctx), void *ctx);

/* Begins another session at once; what is under way fails as if the connection had been lost.  Not
 * from what this very link calls. */
void pg_link_renew(struct pg_link *l);

/* Sends a unit, in order behind those before it.  While the connection is down units fail at once
 * (but asynchronously) with ERR_UNAVAILABLE.  Sending is batched: bytes leave when the loop turns,
 * before it next waits. */
void pg_link_submit(struct pg_link *l, struct pg_unit *u);
/* What was submitted leaves now.  Calls nobody back, except that the connection is lost. */
void pg_link_send(struct pg_link *l);
/* Ends a unit without sending it: u->err is set already, `done` comes when the loop turns. */
void pg_link_refuse(struct pg_link *l, struct pg_unit *u);

bool pg_link_up(const struct pg_link *l);
size_t pg_link_load(const struct pg_link *l); /* units under way */
/* The number of the present session, never 0 and never used again; 0 while the connection is down.
 * For pg_unit.session. */
uint32_t pg_link_session(const struct pg_link *l);
/* Why it is down, borrowed until the link is next used; "" while nothing has gone wrong. */
const char *pg_link_trouble(const struct pg_link *l);

#endif

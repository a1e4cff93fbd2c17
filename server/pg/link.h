/* link.h -- one connection to PostgreSQL in pipeline mode on the event loop; reconnects by itself with back-off.
 * Knows no tables.  Loop thread only. */
#ifndef SEVED_PG_LINK_H
#define SEVED_PG_LINK_H

#include <uv.h>

#include "unit.h"

struct pg_link;

struct pg_link_options {
	const char *conninfo;	 /* libpq's; kept by reference */
	const char *name;	 /* "writer", "reader-1": for logs and application_name */
	const char *setup;	 /* SQL run on every new connection, several statements allowed, or NULL */
	/* Called when it becomes usable and when it is lost; may be NULL. */
	void (*on_state)(void *ctx, struct pg_link *l, bool up);
	/* LISTEN connections: a notification has come; may be NULL. */
	void (*on_notify)(void *ctx, const char *channel, const char *payload);
	void *ctx;
};

/* Starts connecting; 0 or an error (then nothing was made). */
int pg_link_open(uv_loop_t *loop, const struct pg_link_options *o, struct pg_link **out, struct err *e);
/* Fails everything under way with ERR_UNAVAILABLE / ERR_OUTCOME, closes, then calls closed(ctx) and is gone. */
void pg_link_close(struct pg_link *l, void (*closed)(void *ctx), void *ctx);

/* Sends a unit, in order behind those before it.  While the connection is down units fail at once (but asynchronously) with
 * ERR_UNAVAILABLE.  Sending is batched: bytes leave when the loop turns. */
void pg_link_submit(struct pg_link *l, struct pg_unit *u);

bool pg_link_up(const struct pg_link *l);
size_t pg_link_load(const struct pg_link *l); /* units under way */

#endif

/* auth.h -- opening sessions: Hello to principal, by token or invite; and ending them when rights
 * change. Knows no sockets.  Loop thread only.
 *
 * Sessions of one token and client share a principal.  When grants change it is replaced, never
 * altered: requests under way keep the one they began with. */
#ifndef SEVED_AUTH_H
#define SEVED_AUTH_H

#include <stdbool.h>

#include "arena.h"
#include "authz.h"
#include "buf.h"

enum {
	AUTH_PROTO = 1,
	AUTH_SCHEMA = 1,
	AUTH_REFRESH_MS = 4000,   /* grants are read again even if no bell rang */
	AUTH_RETRY_MS = 2000,     /* after that failed */
	AUTH_MUTATIONS_MAX = 500, /* what a Welcome tells of the methods' limits */
	AUTH_CHANGES_MAX = 32,
	AUTH_ROWS_MAX = 500,
};

struct conn;
struct hello;
struct seat;
struct server;

struct auth {
	struct seat *seats; /* principals by token and client */
	bool refreshing;
	bool stale;             /* something changed that has not been read yet */
	uint64_t refresh_at_ms; /* when all are read again */
};

/* Handles the payload of a Hello: ends in conn_authenticated() or conn_fail(), perhaps at once. */
void auth_hello(struct conn *c, struct span payload);
/* The grants of a principal for the wire: an array of who->n_grants in the arena, which borrows
 * from `who`.  0 or -ERR_NOMEM. */
int auth_grants(struct arena *a, const struct principal *who, Seve__Grant ***out);
/* The connection is gone: what is under way comes to nothing. */
void auth_forget(struct hello *h);

/* Grants or tokens have changed somewhere: reads them again, soon. */
void auth_changed(struct server *s);
/* Once a second: expired tokens, unused principals, grants not read for long. */
void auth_sweep(struct server *s);
void auth_fini(struct auth *a);

#endif

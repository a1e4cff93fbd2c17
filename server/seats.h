/* seats.h -- the principals of open sessions: shared by sessions of one token and client, replaced
 * when grants change. Knows no sockets.  Loop thread only. */
#ifndef SEVED_SEATS_H
#define SEVED_SEATS_H

#include <libpq-fe.h>

#include "auth.h"

/* Columns of access_tokens.sql. */
enum seat_column {
	SEAT_PUBLIC,
	SEAT_HASH,
	SEAT_ACCOUNT_ID,
	SEAT_ACCOUNT,
	SEAT_EXPIRES,
	SEAT_REVOKED,
	SEAT_STALE,
	SEAT_ROLE,
	SEAT_TERRITORY,
	SEAT_SOURCE,
	SEAT_SLUG,
	SEAT_NAME,
	SEAT_REGION,
	SEAT_SCOPE,
};

/* The principal that the rows of one token describe, for this client: a new one, or the one that is
 * there, if it is equal; sessions with an outdated one follow.  A reference goes to the caller.  0
 * or -ERR_NOMEM. */
int seats_take(struct server *s, const PGresult *rows, const struct uuid *client,
	       struct principal **out, struct err *e);

#endif

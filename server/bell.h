/* bell.h -- the doorbell between server processes: notifications after commits and changes of
 * access, and hearing those of others. A bell is a hint: whoever missed it finds out by other
 * means, a little later.  Knows no records.  Loop thread only. */
#ifndef SEVED_BELL_H
#define SEVED_BELL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct bell;
struct news;
struct server;

/* Opens the LISTEN connection, s->bell. */
int bell_open(struct server *s, struct bell **out, struct err *e);
/* Calls closed(ctx) when the connection is gone; then bell_free(). */
void bell_close(struct bell *b, void (*closed)(void *ctx), void *ctx);
void bell_free(struct bell *b);

/* Heads have moved.  One notification is under way at most, and the next leaves some milliseconds
 * after it: what happens meanwhile goes into that. */
void bell_heads(struct bell *b, const struct news *news, size_t n);
/* Now and then: whether the connection still hears, and is of the same database. */
void bell_check(struct bell *b);
/* Another connection has met a database of another epoch: asks again, over a new connection, unless
 * this one is new.  `b` may be NULL. */
void bell_doubt(struct bell *b);
/* Once a second: rings what could not be rung before. */
void bell_sweep(struct bell *b);
/* Access has changed. */
void bell_access(struct bell *b);

#endif

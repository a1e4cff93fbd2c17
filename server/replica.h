/* replica.h -- the streaming standby that pulls may be read from: its connections, whether it is
 * fit, and reads that wait until it has caught up.  Knows no records.  Loop thread only.
 *
 *   FIT ─waited in vain, or of another history─► UNFIT ─asked each second, it has caught up─► FIT
 */
#ifndef SEVED_REPLICA_H
#define SEVED_REPLICA_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct pg_unit;
struct replica;
struct server;

/* Waits until the standby has seen a rev of a territory. */
struct replica_wait {
	uint32_t territory;
	uint64_t least;    /* the rev */
	uint64_t until_ms; /* monotonic */
	/* Once, never before replica_await() has returned.  False: in vain. */
	void (*ready)(struct replica_wait *w, bool caught_up);
	bool caught_up; /* the replica's own */
	struct replica_wait *prev, *next;
};

/* Opens connections where "replica-database" is set; `out` is NULL where it is not. */
int replica_open(struct server *s, struct replica **out, struct err *e);
/* All that wait have waited in vain; then closed(ctx) comes, and replica_free() may. */
void replica_close(struct replica *r, void (*closed)(void *ctx), void *ctx);
void replica_free(struct replica *r);

/* Whether it is worth asking: there is one, in reach and fit. */
bool replica_serves(const struct server *s);
/* Connections that are up, 0 where there is no standby. */
size_t replica_up(const struct server *s);
/* Reads there, in one transaction of one snapshot.  Only while replica_serves(). */
void replica_submit(struct server *s, struct pg_unit *u);
/* Whether the row of server_epoch.sql tells this server's own epoch.  If it does not, the standby
 * is unfit from now on. */
bool replica_is_ours(struct server *s, const PGresult *epoch);
/* A query has failed there, and is asked elsewhere. */
void replica_failed(struct server *s, const struct err *why);
/* When a wait that begins now ends. */
uint64_t replica_patience(const struct server *s);
void replica_await(struct server *s, struct replica_wait *w);
/* Once a second: whether an unfit one is fit again. */
void replica_sweep(struct server *s);

#endif

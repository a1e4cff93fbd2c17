/* server.h -- the daemon as a whole: loop, listener, connections, database links; start, reload, drain, stop.
 * Loop thread only. */
#ifndef SEVED_SERVER_H
#define SEVED_SERVER_H

#include <uv.h>

#include "conf.h"
#include "pg/pool.h"
#include "tls.h"

struct conn;
struct writer;

struct server {
	uv_loop_t *loop;
	struct conf *conf;
	struct pg_pool *readers;
	struct writer *writer;	/* the group-commit writer (pg/writer.h) */
	struct pg_link *bell;	/* LISTEN */
	SSL_CTX *tls;
	uint64_t epoch;		/* of the database (sync.md §1.7) */
	uint8_t scratch[64 * 1024]; /* what uv_read() reads into: one at a time */
	bool draining;
	struct server_private *priv;
};

/* Opens links and listener; returns once listening.  `conninfo` is the database's. */
int server_start(uv_loop_t *loop, struct conf *conf, const char *conninfo, struct server **out, struct err *e);
/* GOAWAY, finish what is under way (at most the drain time-out), close; the loop then runs empty. */
void server_drain(struct server *s);
/* SIGHUP: certificate, log level, limits.  All or nothing; on error the old settings stay. */
int server_reload(struct server *s, struct err *e);

/* Called by the writer after each commit: heads have moved (rings the bell for other processes). */
void server_heads_moved(struct server *s, const uint32_t *territories, const uint64_t *revs, size_t n);
/* Called when grants, tokens or invites changed: affected sessions are re-read or closed. */
void server_access_changed(struct server *s, int32_t account_id, const char *token_id);

#endif

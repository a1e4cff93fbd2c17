/* server.h -- the daemon as a whole: loop, listener, connections, database links; start, reload,
 * drain, stop. Loop thread only. */
#ifndef SEVED_SERVER_H
#define SEVED_SERVER_H

#include <uv.h>

#include "conf.h"
#include "pg/pool.h"
#include "tls.h"

struct conn;
struct getter;
struct heads;
struct imports;
struct news;
struct purge;
struct replica;
struct watches;
struct writer;

struct server {
	uv_loop_t *loop;
	struct conf *conf;
	struct pg_pool *readers;
	struct replica *replica; /* a standby for pulls, or NULL */
	struct writer *writer;   /* the group-commit writer (pg/writer.h) */
	struct getter *getter;   /* gets under way (handlers/handlers.h) */
	struct imports *imports; /* import runs */
	struct purge *purge;     /* of what is too old */
	struct heads *heads;     /* what is known of them (heads.h) */
	struct watches *watches;
	struct pg_link *bell; /* LISTEN */
	SSL_CTX *tls;
	uint64_t epoch;             /* of the database (epoch.h) */
	uint8_t scratch[64 * 1024]; /* what uv_read() reads into: one at a time */
	size_t matching;            /* matches across territories under way (handlers/match.c) */
	bool draining;
	struct server_private *priv;
};

/* Opens links and listener; returns once listening, with the database in reach.  Turns the loop
 * meanwhile.  `conf` is the caller's, as long as the server; `conninfo` is the database's. */
int server_start(uv_loop_t *loop, struct conf *conf, const char *conninfo, struct server **out,
		 struct err *e);
/* Tells others where: writes port-file, if that is set. */
int server_announce(const struct server *s, struct err *e);
/* GOAWAY, finish what is under way (at most the drain time-out), close; the loop then runs empty.
 */
void server_drain(struct server *s);
/* Drops everything at once. */
void server_halt(struct server *s);
/* After the loop has run empty. */
void server_free(struct server *s);
/* SIGHUP: takes certificate, log level and limits from `fresh`, which is left with the old ones
 * (its caller ends it). All or nothing; on error the old settings stay. */
int server_reload(struct server *s, struct conf *fresh, struct err *e);
/* host:port that invites name, as text. */
void server_address(const struct server *s, char *out, size_t size);
/* Connections, requests and counters as one line of the log (SIGUSR1). */
void server_dump(const struct server *s);

/* Called by the writer after each commit and its verdicts: heads have moved (rings the bell for
 * other processes). */
void server_heads_moved(struct server *s, const struct news *news, size_t n);
/* Whether a commit's rows are of use to anybody here. */
bool server_wants_news(const struct server *s, uint32_t territory);
/* The database tells another epoch: nothing that is known of it holds, and every session ends, so
 * that all clients learn the new one from their next Welcome. */
void server_epoch_changed(struct server *s, uint64_t epoch);
/* For pg_link_options.accept, `ctx` the server, of links whose set-up is epoch_setup()'s. Sessions,
 * and what they have seen, are of the epoch that the server knows, but a connection may come back
 * to another database before the server has noticed: it is not used then, and the server asks. */
int server_same_epoch(void *ctx, const PGresult *r, struct err *e);
/* Called when grants or tokens changed: sessions here and in other processes are given their new
 * rights, or closed. */
void server_access_changed(struct server *s);

#endif

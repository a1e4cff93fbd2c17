/* pool.h -- the readers: a few pipelined links, each unit goes to the least loaded.  Knows no
 * tables.  Loop thread only. */
#ifndef SEVED_PG_POOL_H
#define SEVED_PG_POOL_H

#include "link.h"

struct pg_pool;

enum {
	PG_POOL_LINKS_MAX = 16,
	PG_POOL_BUSY =
		8, /* units under way on each link: one more link is opened, if there may be one */
};

/* Opens the first link at once, the others (up to `readers`) when there is work for them.  They all
 * have the same options, whose texts are copied; the name, of few letters, is for logs: "reader"
 * makes "reader-1". */
int pg_pool_open(uv_loop_t *loop, const struct pg_link_options *o, size_t readers,
		 struct pg_pool **out, struct err *e);
/* As pg_link_close() for all of them. */
void pg_pool_close(struct pg_pool *p, void (*closed)(void *ctx), void *ctx);
/* As pg_link_renew() for all of them. */
void pg_pool_renew(struct pg_pool *p);
/* ERR_EXHAUSTED (asynchronously) when more than `PG_POOL_QUEUE_MAX` units wait. */
enum { PG_POOL_QUEUE_MAX = 4096 };
void pg_pool_submit(struct pg_pool *p, struct pg_unit *u);
/* What was submitted leaves now, not when the loop turns. */
void pg_pool_send(struct pg_pool *p);
size_t pg_pool_up(const struct pg_pool *p);   /* links that are usable */
size_t pg_pool_load(const struct pg_pool *p); /* units under way */
/* Why no link is up; "" otherwise.  Borrowed. */
const char *pg_pool_trouble(const struct pg_pool *p);

#endif

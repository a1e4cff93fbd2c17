/* pool.h -- the readers: a few pipelined links, each unit goes to the least loaded.  Knows no tables.  Loop thread only. */
#ifndef SEVED_PG_POOL_H
#define SEVED_PG_POOL_H

#include "link.h"

struct pg_pool;

int pg_pool_open(uv_loop_t *loop, const char *conninfo, const char *setup, size_t readers, struct pg_pool **out, struct err *e);
void pg_pool_close(struct pg_pool *p, void (*closed)(void *ctx), void *ctx);
/* ERR_EXHAUSTED (asynchronously) when more than `PG_POOL_QUEUE_MAX` units wait. */
enum { PG_POOL_QUEUE_MAX = 4096 };
void pg_pool_submit(struct pg_pool *p, struct pg_unit *u);
size_t pg_pool_up(const struct pg_pool *p); /* links that are usable */

#endif

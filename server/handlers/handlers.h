/* handlers.h -- what handlers keep beside requests, opened and closed with the server.  The
 * handlers themselves are declared by dispatch.h from methods.def.  Loop thread only. */
#ifndef SEVED_HANDLERS_H
#define SEVED_HANDLERS_H

#include "authz.h"
#include "cursor.h"
#include "sync.pb-c.h"

struct news;
struct server;
struct watcher;

/* Before anything is read (pull.c): whether a cursor is of this epoch and these rights.  0, or
 * -ERR_RESET_REQUIRED. */
int cursor_begin(const struct server *s, const struct principal *who, const Seve__PullRequest *q,
		 struct err *e);
/* The fault in words: 0 where there is none, or -ERR_RESET_REQUIRED. */
int cursor_refuse(enum cursor_fault f, uint64_t rev, struct err *e);

/* Gets that arrive together travel together. */
int getter_open(struct server *s, struct err *e);
/* After the readers have closed: nothing is under way any more. */
void getter_close(struct server *s);

/* Of a connection: each stands among its requests for as long as it is wanted, and the others need
 * room beside them, as do the credit and the cancels that end it. */
enum { WATCHES_OF_CONN_MAX = 16 };

/* Watches under way, and the pages that they share. */
int watches_open(struct server *s, struct err *e);
/* After the readers have closed. */
void watches_close(struct server *s);
/* A head has moved: those that watch the territory have something to read (heads.c). */
void watch_moved(struct server *s, struct watcher *list);
/* Once a second: readers that take nothing, readings that failed. */
void watches_sweep(struct server *s);
/* While heads_note() tells of a commit: what it did; NULL after it. */
void watches_offer(struct server *s, const struct news *news);
/* Rights have changed: conns_follow() calls it. */
void watches_follow(struct server *s);
/* Ends all: the server is stopping. */
void watches_drain(struct server *s);
size_t watches_count(const struct server *s);
size_t watches_bytes(const struct server *s); /* of shared pages */

/* Import runs under way. */
int imports_open(struct server *s, struct err *e);
void imports_close(struct server *s);

#endif

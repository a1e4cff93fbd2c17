/* shared.h -- encoded pages that several watchers send: one reading and one encoding for all that
 * stand at the same rev of the same history with the same rights.  Kept only as long as they are
 * news, and bounded in bytes.  Knows no watchers.  Loop thread only. */
#ifndef SEVED_HANDLERS_SHARED_H
#define SEVED_HANDLERS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authz.h"

struct news;
struct server;
struct shared_pages;

#define SHARED_FRESH UINT64_MAX

enum {
	SHARED_PAGE = 64 * 1024,         /* bytes after which a page ends */
	SHARED_ROWS = 512,               /* read at once */
	SHARED_BYTES = 32 * 1024 * 1024, /* kept at most; those in use may exceed it */
	SHARED_OVERHEAD = 256,           /* what a page counts beside its bytes */
};

struct shared_key {
	uint64_t epoch; /* the server's, when it was asked for */
	uint64_t from;
	uint64_t start; /* of a load (cursor.h), SHARED_FRESH: one that begins */
	uint32_t territory;
	uint32_t reads;    /* level */
	struct uuid actor; /* a partner's own; it is hashed whole, so there is no gap */
};

struct shared_page {
	struct shared_key key;
	uint8_t *bytes; /* PAGE_HEADROOM, then `n` bytes: for page_address() */
	size_t n;
	uint64_t to;
	uint64_t start; /* of the load, 0: none */
	uint64_t head;  /* when it was read */
	bool whole;     /* `to` is the head */
	unsigned refs;
};

/* Somebody who waits for a page to be read. */
struct shared_waiter {
	/* Once: the page, borrowed until it returns, or NULL and why. */
	void (*ready)(struct shared_waiter *w, struct shared_page *page, const struct err *why);
	struct shared_read *read; /* NULL: it waits for none */
	struct shared_waiter *prev, *next;
};

int shared_open(struct server *s, struct shared_pages **out, struct err *e);
/* After the readers have closed: nothing is being read any more. */
void shared_close(struct shared_pages *all);

/* While heads_note() tells of a commit: what it did, of which pages are made without a reading.
 * NULL: nothing is known. */
void shared_offer(struct shared_pages *all, const struct news *news);
/* The page that begins at a rev.  1: it is there, with a reference for the caller; 0: `w` waits;
 * -ERR_NOMEM. */
int shared_take(struct shared_pages *all, const struct shared_key *k, const struct rights *rights,
		struct shared_waiter *w, struct shared_page **out);
void shared_unref(struct shared_pages *all, struct shared_page *p);
/* Does not wait any more; nothing happens if it did not. */
void shared_leave(struct shared_waiter *w);
/* Once a second: forgets pages that are no news. */
void shared_sweep(struct shared_pages *all);
/* Bytes of all pages. */
size_t shared_bytes(const struct shared_pages *all);

#endif

/* page.h -- pages of a territory's records: asked for, and encoded with the bodies copied unopened.
 * Pulls and watches share them.  Knows no requests.  Loop thread only. */
#ifndef SEVED_HANDLERS_PAGE_H
#define SEVED_HANDLERS_PAGE_H

#include "authz.h"
#include "pg/news.h"
#include "pg/unit.h"
#include "replica.h"

struct server;

enum {
	PAGE_ROWS = 2048,   /* of a tail; revs of a window */
	PAGE_HEADROOM = 16, /* before an encoded page: for the number of the request */
};

/* ---- reading --------------------------------------------------------------------------------- */

/* The records above `from`.  A tail (`to` is 0) reads head and rows in one statement, so the last
 * page and the head agree; a window is a range of revs. */
struct page_read {
	struct server *server;
	uint32_t territory;
	struct rights rights;
	uint64_t from, to;
	int64_t most; /* rows of a tail */
	/* A standby will do, if it has seen the rev `least`.  In the answer: it did; otherwise the
	 * answer is the primary's. */
	bool standby;
	uint64_t least;
	void *owner;
	void (*done)(struct page_read *r); /* once, never before page_ask() has returned */

	/* the answer */
	struct err err; /* code 0: the rest stands */
	const PGresult *rows;
	int n;
	uint64_t head, purged; /* of a tail, and of whatever a standby answers */
	uint64_t end;          /* the answer is complete up to this rev */
	bool whole;            /* it reaches the head */

	struct arena arena;
	struct pg_unit *unit;
	struct pg_stmt *stmt;
	struct pg_stmt *seen, *epoch; /* a standby's: how far it is, and of which history */
	struct replica_wait wait;
};

void page_read_init(struct page_read *r, struct server *s, uint32_t territory,
		    const struct rights *rights, void *owner, void (*done)(struct page_read *r));
void page_read_fini(struct page_read *r);
/* 0, then done() comes; or -ERR_NOMEM. */
int page_ask(struct page_read *r);
/* Frees the answer; it may ask again. */
void page_read_clear(struct page_read *r);

/* ---- writing --------------------------------------------------------------------------------- */

/* Cuts rows into pages. */
struct page_writer {
	uint32_t territory;
	size_t max; /* bytes after which a page ends */
	uint8_t *bytes;
	size_t n, empty;
	uint64_t from, records; /* records of all pages so far */
	uint64_t start;         /* of a load (cursor.h): deletions up to it are left out */
	/* A page is done: `n` bytes behind PAGE_HEADROOM of w->bytes, without the request's
	 * number; `to` is the cursor to store with it. */
	int (*send)(struct page_writer *w, uint64_t to);
	void *ctx;
};

/* 0 or -ERR_NOMEM. */
int page_writer_init(struct page_writer *w, uint32_t territory, uint64_t from, size_t max);
void page_writer_fini(struct page_writer *w);
/* Takes all rows of an answer; the last page reaches to its end.  What send() returned, if that was
 * not 0. */
int page_write(struct page_writer *w, const struct page_read *r);

/* The same for what a commit did, to who stands at the head before it: byte for byte what a reading
 * of the database would give. */
int page_write_news(struct page_writer *w, const struct news *news, const struct rights *rights);

/* Puts the request's number before an encoded page whose bytes begin PAGE_HEADROOM behind `bytes`.
 */
struct span page_address(uint8_t *bytes, size_t n, uint64_t request);

#endif

/* replica.h -- the territories that are carried: cursors, pages of records, loads from the
 * beginning, purges. Knows no network.  Each function is one transaction, or part of the caller's.
 * One thread at a time per store. */
#ifndef SEVE_LIB_REPLICA_H
#define SEVE_LIB_REPLICA_H

#include "resume.h"
#include "store.h"

struct replica {
	bool exists;
	bool complete; /* in step at least once: fit to be read */
	bool sweep;    /* a load from rev 0 is under way: what it does not bring goes when it is
			  complete */
	uint64_t epoch, view, rev; /* the cursor */
	uint64_t start;            /* of a load from rev 0: the head that it began at */
	uint64_t generation;       /* 0 where there is no replica */
	int64_t synced_at;         /* ms since 1970, 0: never */
	/* A comparison with the manifest that is under way. */
	uint64_t verify_epoch, verify_view, verify_head; /* epoch 0: none */
	bool verify_begun;                               /* some pages are dealt with, up to: */
	uint8_t verify_after[16];
	struct resume_fork fork;
};

/* What people call the territory: its slug, its number where no connection has told one. */
enum { REPLICA_NAME = 64 };
const char *replica_name(struct store *s, uint32_t territory, char out[static REPLICA_NAME]);
/* Always succeeds in finding: `exists` tells. */
int replica_get(struct store *s, uint32_t territory, struct replica *out, struct err *e);
/* Starts an empty replica; nothing happens if there is one. */
int replica_make(struct store *s, uint32_t territory, struct err *e);
/* Writes the rows of a page and moves the cursor, in one transaction.  `epoch` and `view` are those
 * that the pull was begun with. -ERR_PROTOCOL when the page does not continue the cursor,
 * -ERR_INVALID for a row that is not a record. */
int replica_apply(struct store *s, const Seve__Page *p, uint64_t epoch, uint64_t view,
		  struct err *e);
/* The pull is complete: the replica holds the territory as of the reply's rev. */
int replica_complete(struct store *s, const Seve__PullReply *r, int64_t now_ms, struct err *e);
/* The next pull starts from rev 0; rows stay readable until it is complete.  The outbox is not
 * touched. */
int replica_reset(struct store *s, uint32_t territory, struct err *e);
/* Instead, where there is something to compare: begins a comparison with the manifest of this epoch
 * and view, or begins it again. */
int replica_verify(struct store *s, uint32_t territory, uint64_t epoch, uint64_t view,
		   struct err *e);
/* Compares a page: what it lacks is dropped, what is equal is confirmed; `fetch` is called for each
 * record that has to be fetched.  -ERR_RESET_REQUIRED when it is of another epoch or view than the
 * pages before. */
struct replica_fetch {
	void *ctx;
	int (*fetch)(void *ctx, const uint8_t id[16]);
};
int replica_compare(struct store *s, const Seve__ManifestReply *m, const struct replica_fetch *f,
		    struct err *e);
/* Writes records that were fetched. */
int replica_fetched(struct store *s, uint32_t territory, Seve__Record *const *records, size_t n,
		    struct err *e);
/* The page that ends at this id is dealt with. */
int replica_verified_to(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e);
/* All pages are: the next pull starts from the manifest's head. */
int replica_verified(struct store *s, uint32_t territory, struct err *e);

/* Forgets all rows.  The outbox is not touched, what it shows is. */
int replica_purge(struct store *s, uint32_t territory, struct err *e);

/* Of a person whose data were erased the store keeps nothing either: edits that were refused, or
 * are remembered for a restored server, hold them too.  What waits is refused when it is sent, and
 * goes then (queue.c).  A page that brings the erased record does it by itself. */
int replica_forget_person(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e);

#endif

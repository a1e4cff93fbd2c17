/* manifest.h -- a territory in 24 bytes a record: id, and a check that tells rev and content apart.
 * By it a replica finds what it lacks and what it must give up without loading everything.  Pure:
 * server, library and simulation run the same code.  Any thread.
 *
 * The check is over rev and body, not the rev alone: after a restore the same rev can stand for
 * another content, and what a replica shows of its own edit before it is pulled holds guesses. */
#ifndef SEVE_MANIFEST_H
#define SEVE_MANIFEST_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

enum {
	MANIFEST_ID = 16,
	MANIFEST_CHECK = 8,
	MANIFEST_ENTRY = MANIFEST_ID + MANIFEST_CHECK,
	MANIFEST_PAGE_MAX = 20000, /* entries */
	MANIFEST_PAGE = 4000,      /* that a client asks for */
	MANIFEST_FETCH = 500,      /* ids in one get */
};

/* The first bytes of SHA-256 over the rev (8 bytes, big-endian) and the stored body. */
void manifest_check(uint64_t rev, struct span body, uint8_t out[static MANIFEST_CHECK]);

/* What the replica holds of one record. */
struct manifest_row {
	uint8_t id[MANIFEST_ID];
	uint8_t check[MANIFEST_CHECK];
	bool live; /* else it is a tombstone, and without check */
};

/* What is to be done about one record: called in ascending order of ids.  A return other than 0
 * stops and is passed on. */
struct manifest_acts {
	void *ctx;
	int (*keep)(void *ctx, const struct manifest_row *row);
	int (*drop)(void *ctx, const struct manifest_row *row);
	int (*fetch)(void *ctx, const uint8_t id[MANIFEST_ID]);
};

/* Checks a page: whole entries, ids that ascend from `after` (NULL: from the beginning).  0, or
 * -ERR_PROTOCOL. */
int manifest_page(struct span entries, const uint8_t *after, struct err *e);
/* Compares a page that was checked with the rows that the replica holds in its range, in ascending
 * order of ids. */
int manifest_diff(struct span entries, const struct manifest_row *rows, size_t n,
		  const struct manifest_acts *acts);
/* The last id of a page that is not empty. */
const uint8_t *manifest_last(struct span entries);

#endif

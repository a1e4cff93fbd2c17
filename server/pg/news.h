/* news.h -- what one commit of this process did to one territory, as its readers will find it in
 * the database: for those who are in step with the head before, so that they need not read it.
 * Knows no readers.  Loop thread only. */
#ifndef SEVED_PG_NEWS_H
#define SEVED_PG_NEWS_H

#include "sync/world.h"

enum { NEWS_ROWS_MAX = 512 }; /* of larger commits nothing is told */

struct news_row {
	struct uuid id, owner;
	const struct kind *kind;
	uint64_t rev, narrowed_rev;
	Seve__Level level;
	bool deleted, owned; /* owned: `owner` is its actor */
	struct span body;    /* packed; none of a tombstone */
};

struct news {
	uint32_t territory;
	uint64_t epoch, from, to;    /* head before and after */
	const struct news_row *rows; /* by rev */
	size_t n;                    /* 0: only the new head is known */
};

/* The territories whose heads the world's batch has moved, at most `max`, without rows; how many.
 */
size_t news_list(struct world *w, uint64_t epoch, struct news *out, size_t max);
/* The rows: everything that the world's batch changed in the territory.  They live in the world's
 * arena, independent of what its bodies borrow; none where they are too many, or memory is out. */
void news_collect(struct world *w, struct news *news);

#endif

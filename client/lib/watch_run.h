/* watch_run.h -- a watch under way, as the files that carry it share it.  One thread at a time per
 * handle. */
#ifndef SEVE_LIB_WATCH_RUN_H
#define SEVE_LIB_WATCH_RUN_H

#include "watch.h"

enum { WATCH_BUSY_MS = 300 }; /* another program writes to the store */

enum watch_phase { WATCH_ASK, WATCH_CATCH_UP, WATCH_ON, WATCH_ENDED };

struct watch_item {
	uint32_t territory;
	bool carried;  /* has a replica: pages are applied to it */
	bool behind;   /* the replica needs a synchronisation before it can be watched */
	bool unplaced; /* no replica, and no cursor: from now on */
	bool over;     /* not watched any more */
	bool in_step;  /* told so */
	uint64_t epoch, view, rev;
};

struct watch {
	struct seve *s;
	struct seve_watcher want;
	enum watch_phase phase;
	uint64_t not_before_ms; /* the back-off's end */
	unsigned tries;
	uint64_t call; /* under way, 0: none */
	bool syncing;  /* the run of the handle is ours */
	bool again;    /* the request was ended by us, to begin anew */
	bool lost;     /* told so */
	bool stop;     /* the caller has enough */
	uint64_t used; /* bytes that came since credit was last granted */
	struct err err;
	struct arena arena;
	size_t n;
	struct watch_item items[];
};

/* ---- its course (watch.c) -------------------------------------------------------------------- */

/* Calls the caller's `state`; territory NULL: of all.  Its wish to end is noted. */
void watch_tell(struct watch *x, const struct watch_item *it, enum seve_watch_state state,
		uint64_t rev, const struct err *why);
/* The last phase; `why` NULL: as it was wanted. */
void watch_end(struct watch *x, const struct err *why);
/* Tried again after a while, if that may help; else the end. */
void watch_lost(struct watch *x, const struct err *why);
/* Begins anew in `ms`. */
void watch_pause(struct watch *x, uint64_t ms);
/* NULL: it is not watched, or not any more. */
struct watch_item *watch_item_of(struct watch *x, uint32_t territory);

/* ---- its pages (watch_pages.c) --------------------------------------------------------------- */

/* ON: asks for what lies behind the cursors; pages come until that call ends. */
void watch_go_on(struct watch *x);

#endif

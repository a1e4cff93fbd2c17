/* sync.h -- a synchronisation: territory after territory, the outbox is pushed and what changed is
 * pulled; losses are got over. One run at a time per handle; never blocks.  One thread at a time
 * per handle. */
#ifndef SEVE_LIB_SYNC_H
#define SEVE_LIB_SYNC_H

#include "client.h"

struct sync_want {
	uint32_t territory; /* 0: all that are carried, or that have something to send */
	bool pull;          /* push and pull; else push only */
	unsigned lock_ms;   /* how long to wait for another program */
	seve_progress progress;
	void *ctx;
	/* The verdict on this mutation is kept: a copy in the arena. 0: none. */
	uint64_t mid;
	struct arena *verdict_arena;
	const Seve__Verdict **verdict;
};

/* Starts a run; the first requests leave with the next sync_poke().  -ERR_USAGE when one is under
 * way. */
int sync_start(struct seve *s, const struct sync_want *want, struct err *e);
/* Goes on with the run of the handle, if there is one: after every session_process(). */
void sync_poke(struct seve *s);
/* Commits what has been pulled so far: before anything else writes through this handle. */
void sync_commit(struct seve *s);
/* When sync_poke() wants to be called even if nothing arrives: monotonic, UINT64_MAX never. */
uint64_t sync_wake_ms(const struct seve *s);
bool sync_finished(const struct seve *s);
/* Ends a finished run: the report (`report` may be NULL), and 0 when all went well, or the first
 * error; *partial when it did not befall all territories. */
int sync_collect(struct seve *s, struct seve_table **report, bool *partial, struct err *e);
/* Forgets the run, finished or not.  Nothing is lost: what was sent is sent again. */
void sync_drop(struct seve *s);

/* The functions of a run that is waited for. */
int sync_wait(struct seve *s, const struct sync_want *want, struct seve_table **report,
	      bool *partial, struct err *e);

#endif

/* stalled.h -- the stall radar: what has stayed too long as it is, by kind and state, and what is
 * past its day.  Pure: now is an argument.  Any thread. */
#ifndef SEVE_STALLED_H
#define SEVE_STALLED_H

#include "network.h"

struct stall {
	const struct node *node;
	int32_t age_days;     /* in its state, or since its last change (stalls.def) */
	int32_t limit_days;   /* 0: this state has none */
	int32_t overdue_days; /* past the day of its next step, its due day, its date; 0: not */
	bool old;             /* age_days > limit_days */
	bool exact; /* false: since when it is in its state was not kept, so it is at least that old
		     */
};

/* Stalled records, longest first.  0 or -ERR_NOMEM. */
int stalled_make(const struct network *net, int64_t now_ms, struct arena *a, struct stall **out,
		 size_t *n, struct err *e);
/* One record as it stands, stalled or not.  False: nothing to say of it. */
bool stalled_look(const struct node *n, int64_t now_ms, uint32_t stale_days, struct stall *out);

#endif

/* progress.h -- the phases of the method in one territory: what is done, what is missing, and which
 * earlier phase stands in the way.  What is complete is derived; which phase the network says it is
 * in stands in its territory record.  Pure; any thread. */
#ifndef SEVE_PROGRESS_H
#define SEVE_PROGRESS_H

#include "network.h"

enum { PHASES = 8 };

struct phase {
	const char *name;     /* "recruit" */
	bool complete;        /* phase 7 never is */
	int blocked_by;       /* the first earlier phase that is not complete, -1: none */
	unsigned done, of;    /* of what the phase counts: members, visits, quadrants … */
	const char **missing; /* references, or words: "threat", "workshop_1" */
	size_t n_missing;
};

/* 0 or -ERR_NOMEM. */
int progress_make(const struct network *net, uint32_t territory, struct arena *a,
		  struct phase out[static PHASES], struct err *e);

/* Whether the actor takes part: a member, present or dormant. */
bool progress_is_member(const struct node *actor);
/* Whether somebody has visited it. */
bool progress_is_visited(const struct network *net, const struct node *actor);

#endif

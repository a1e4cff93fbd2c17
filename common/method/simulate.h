/* simulate.h -- what a selection would mean before it is decided: who goes over, which candidates
 * lack a pilot, which are forced in as low-hanging fruit; and the candidates in an order that
 * explains itself.  No number of actions is too many by itself.  Pure; any thread. */
#ifndef SEVE_SIMULATE_H
#define SEVE_SIMULATE_H

#include "load.h"

struct candidate {
	const struct node *action;
	bool chosen;     /* asked for, or forced in */
	bool forced;     /* low-hanging: selected in any case */
	unsigned actors; /* distinct, positioned as pilot, contributor or beneficiary */
	unsigned pilots;
	const struct node *pilot; /* the first, or NULL */
	double score;
};

struct simulation {
	struct candidate *candidates; /* planned actions, in the network's order */
	size_t n;
	struct load before, after; /* the same actors in the same order */
};

/* Actors, pilots and score of one action. */
void candidate_look(const struct network *net, const struct node *action, struct candidate *out);
/* The score and what it is made of: low-hanging fruit first, then 2 x promise, less effort, half
 * the sum of the objectives, one for each actor (up to 4), one for a pilot. */
double candidate_score(const struct candidate *c);

/* Planned actions by score, best first, those forced in before all others. */
int simulate_rank(const struct network *net, struct arena *a, struct candidate **out, size_t *n,
		  struct err *e);
/* `chosen`: the candidates, NULL: all planned actions; low-hanging ones are added.  Kinds wanted:
 * territory actor action position availability.  0 or -ERR_NOMEM. */
int simulate(const struct network *net, const struct node *const *chosen, size_t n_chosen,
	     struct month m, int32_t today, struct arena *a, struct simulation *out, struct err *e);

#endif

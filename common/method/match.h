/* match.h -- needs against capacities and opportunities.  Rules that explain themselves, and a
 * person's verdict that is remembered: a pair with a verdict is never offered again.  Pure; any
 * thread. */
#ifndef SEVE_MATCH_H
#define SEVE_MATCH_H

#include "network.h"

enum match_reason {
	MATCH_FAMILY = 1, /* always: nothing is offered across families */
	MATCH_LABEL = 2,
	MATCH_WASTE_CODE = 4,
	MATCH_UNIT = 8,
	MATCH_QUANTITY = 16, /* what is offered covers at least half of the need */
	MATCH_PERIOD = 32,
	MATCH_DISTANCE = 64,
};

struct suggestion {
	const struct node *need, *offer;
	unsigned reasons; /* match_reason */
	double score;     /* of 100 */
	double km;        /* between the actors; -1: not known */
};

/* Suggestions over all territories of the network, each within its policy's radius, best first; at
 * most `per_need` for one need.  A pair has the same family, and a word of its labels or its waste
 * code in common; periods that do not meet and distances beyond the radius rule it out.  Words that
 * stand in very many offers say nothing and are passed over, so that this stays n log n.  Kinds
 * wanted: territory actor resource match.  0 or -ERR_NOMEM. */
int match_make(const struct network *net, size_t per_need, struct arena *a, struct suggestion **out,
	       size_t *n, struct err *e);

/* "family", "label" …, by bit. */
const char *match_reason_word(unsigned bit);
/* Great-circle distance. */
double match_km(double lat1, double lon1, double lat2, double lon2);
/* A unit and what to multiply by for its base: kg is 0.001 of t; folded to lower case.  An unknown
 * unit is its own base. */
void match_unit(const char *unit, char base[static 24], double *factor);

#endif

/* cross.h -- needs and offers across territories, blinded: what stands in another territory is a
 * family, a unit and a band of distance, until its facilitator opens it (makes it public).  Neither
 * labels nor quantities are looked at, so nothing can be learnt of them by asking; the order is
 * that of a hash.  Pure; any thread. */
#ifndef SEVE_CROSS_H
#define SEVE_CROSS_H

#include <stdatomic.h>

#include "network.h"

struct cross_card {
	struct uuid id;
	uint32_t territory;
	bool need;
	int family;
	char unit[24]; /* base unit (match_unit), "" for none */
	bool placed;
	double lat, lon;
	bool near;      /* of the same region: counts where a place is not known */
	uint64_t order; /* by hash: cross_make's own */
};

struct cross_pair {
	size_t own, other; /* indexes of the cards as handed in */
	const char *band;  /* "0-10 km", "10-25 km" …; "" where a place is not known */
	char handle[20];   /* the same seen from either side */
};

/* Pairs of a need and an offer with equal family, equal unit (where both have one) and a distance
 * within `radius_km` where both are placed, else of one region; at most `per_own` for one own card,
 * those that come first by hash.  `secret` (16 bytes) makes handles that nobody can guess ids by.
 * Orders `others` anew.  `stop`: NULL, or looked at again and again: once it is true nobody wants
 * the pairs any more.  0, -ERR_NOMEM or -ERR_CANCELLED. */
int cross_make(const struct cross_card *own, size_t n_own, struct cross_card *others,
	       size_t n_others, double radius_km, size_t per_own, const uint8_t secret[16],
	       const atomic_bool *stop, struct arena *a, struct cross_pair **out, size_t *n,
	       struct err *e);

#endif

/* figures.h -- counts over territories: states that compare between them, how leads are converted,
 * what was gained, how the network widens and deepens.  Pure; any thread. */
#ifndef SEVE_FIGURES_H
#define SEVE_FIGURES_H

#include "network.h"

/* ---- comparison: the states that regional reports share ---- */

enum shared_state { SHARED_IDEA, SHARED_DISCUSSION, SHARED_UNDER_WAY, SHARED_DONE, SHARED_NONE };

enum shared_state figures_shared(Seve__Action__Status s);

struct comparison {
	uint32_t territory;
	unsigned phase, actors, members, visited;
	unsigned states[SHARED_NONE]; /* actions by shared state */
	unsigned abandoned;
	unsigned groups, meetings; /* active groups, meetings held */
	unsigned stalled;          /* actions that stand still */
};

/* One line for each territory.  0 or -ERR_NOMEM. */
int figures_compare(const struct network *net, const uint32_t *territories, size_t n,
		    int64_t now_ms, struct arena *a, struct comparison **out, struct err *e);

/* ---- conversion: how far each action has come, by its present state ---- */

enum { CONVERSION_STAGES = 7, CONVERSION_CAUSES = 8 };

struct conversion {
	unsigned reached[CONVERSION_STAGES];   /* idea … sustained: this far or farther */
	unsigned abandoned[CONVERSION_CAUSES]; /* by cause; 0: none told */
	unsigned deferred, rejected, suspended, merged;
};
/* Actions that were merged are counted in what they were merged into; those that were abandoned
 * had been leads at least: more is not kept in the record. */
void figures_conversion(const struct network *net, struct conversion *out);

/* ---- benefits ---- */

enum { BENEFIT_MEASURES = 11 };

struct gain {
	double estimated, measured;
	unsigned n_estimated, n_measured;
	unsigned odd; /* of another unit than the measure's own: counted, not summed */
};
/* By number of the measure. */
void figures_benefits(const struct network *net, struct gain out[static BENEFIT_MEASURES]);
/* "eur", "t", "m3" …: the measure's own unit. */
const char *figures_unit(unsigned measure);

/* ---- growth, by quarter ---- */

struct growth {
	int32_t first;                         /* day of the quarter */
	unsigned joined, members;              /* in it; all in all by its end */
	unsigned positions, actions, meetings; /* positions taken, actions begun, meetings held */
};
/* Oldest first, without a gap.  Deepening is positions and actions against members.  0 or
 * -ERR_NOMEM. */
int figures_growth(const struct network *net, struct arena *a, struct growth **out, size_t *n,
		   struct err *e);
/* "2026-T1" is said in French, so the key is plain: "2026-Q1". */
void figures_quarter(int32_t day, char out[static 16]);

#endif

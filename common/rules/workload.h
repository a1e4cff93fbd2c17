/* workload.h -- what an actor gives in a month against what it has to give: the guard against
 * scattering everybody's energy.
 * Knows no storage and no clock.  Any thread. */
#ifndef SEVE_WORKLOAD_H
#define SEVE_WORKLOAD_H

#include "kind.h"

/* A calendar month, as days since 1970-01-01. */
struct workload_month {
	int32_t first, last;
};

struct workload_month workload_month(int32_t day);
/* "2026-11" */
void workload_month_text(struct workload_month m, char out[static 16]);

/* Hours a month that a position takes: its own, else the usual ones of its stance (pilot 8,
 * contributor 4, beneficiary 1, others 0); a closed one takes none. */
double workload_hours(const Seve__Position *p);

/* Hours that an actor has in a month: those of the latest of its availabilities that covers a day
 * of it, without the days of its blackouts.  False: nothing is declared for that month. */
bool workload_available(const Seve__Availability *const *list, size_t n, struct workload_month m,
			double *hours);

/* Whether `hours` are more than `available`, beyond the error of sums. */
bool workload_over(double hours, double available);

#endif

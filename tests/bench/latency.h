/* latency.h -- how long single operations took, all of them kept, and their percentiles.
 * Knows no clock.  One thread at a time. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct latency {
	uint32_t *ns; /* 4.29 s and more count as 4.29 s */
	size_t n, room;
};

/* 0 or -ERR_NOMEM. */
int latency_add(struct latency *l, uint64_t ns, struct err *e);
/* In microseconds; 0 when there is none.  `share` is 0.5 for the median.  Puts the list in order.
 */
double latency_us(struct latency *l, double share);
/* Frees; it may be used again. */
void latency_fini(struct latency *l);

#endif

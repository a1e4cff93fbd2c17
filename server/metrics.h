/* metrics.h -- counters of the server: the rows of metrics.def.  Knows nobody who counts.  Loop
 * thread only. */
#ifndef SEVED_METRICS_H
#define SEVED_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metrics {
#define COUNTER(name, text) uint64_t name;
#include "metrics.def"
#undef COUNTER
};

/* Writes all counters as one line {"accepted":12,…}; returns the length, or 0 when `size` does not
 * do. */
size_t metrics_json(const struct metrics *m, char *out, size_t size);

#endif

/* clock_ns.h -- a monotonic clock fine enough for latencies.  Any thread. */
#ifndef BENCH_CLOCK_NS_H
#define BENCH_CLOCK_NS_H

#include <stdint.h>

/* Nanoseconds since some fixed point. */
uint64_t clock_ns(void);

#endif

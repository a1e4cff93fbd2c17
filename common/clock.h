/* clock.h -- the two clocks, and a way for tests to hold them still.
 * Any thread; the fake is for single-threaded tests. */
#ifndef SEVE_CLOCK_H
#define SEVE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);  /* since 1970-01-01T00:00:00Z */
uint64_t clock_mono_ms(void); /* since some fixed point; never goes back */

/* From now on both clocks show this wall time and move only by clock_fake_advance(); 0 ends it. */
void clock_fake(int64_t wall_ms);
void clock_fake_advance(int64_t ms);

#endif

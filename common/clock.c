/* clock.c -- the wall clock and the steady clock, and the fake that tests put in their place. */
#include "clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t fake_ms; /* 0: the real clocks */

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	int64_t fake = atomic_load_explicit(&fake_ms, memory_order_relaxed);
	return fake ? fake : read_ms(CLOCK_REALTIME);
}

uint64_t clock_mono_ms(void)
{
	int64_t fake = atomic_load_explicit(&fake_ms, memory_order_relaxed);
	return (uint64_t)(fake ? fake : read_ms(CLOCK_MONOTONIC));
}

void clock_fake(int64_t wall_ms)
{
	atomic_store(&fake_ms, wall_ms);
}

void clock_fake_advance(int64_t ms)
{
	if (atomic_load(&fake_ms))
		atomic_fetch_add(&fake_ms, ms);
}

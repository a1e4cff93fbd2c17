/* test_clock.c -- common/clock.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"

static void the_wall_clock_agrees_with_the_system(void **state)
{
	(void)state;
	int64_t before = (int64_t)time(NULL);
	int64_t now = clock_wall_ms();
	int64_t after = (int64_t)time(NULL);
	/* time() may lag behind by a tick */
	assert_in_range(now, (uintmax_t)before * 1000, (uintmax_t)(after + 2) * 1000);
}

static void the_steady_clock_never_goes_back(void **state)
{
	(void)state;
	uint64_t last = clock_mono_ms();
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_mono_ms();
		assert_true(now >= last);
		last = now;
	}
}

static void a_fake_stands_still_until_it_is_moved(void **state)
{
	(void)state;
	clock_fake(1795458600000);
	assert_int_equal(clock_wall_ms(), 1795458600000);
	assert_int_equal(clock_mono_ms(), 1795458600000);
	clock_fake_advance(250);
	assert_int_equal(clock_wall_ms(), 1795458600250);
	assert_int_equal(clock_mono_ms(), 1795458600250);
	clock_fake(0);
	assert_true(clock_mono_ms() < 1795458600000);
	clock_fake_advance(1000);
	assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_agrees_with_the_system),
		cmocka_unit_test(the_steady_clock_never_goes_back),
		cmocka_unit_test(a_fake_stands_still_until_it_is_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

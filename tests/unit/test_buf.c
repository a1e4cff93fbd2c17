/* test_buf.c -- common/buf.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"

static void bytes_come_out_in_the_order_they_went_in(void **state)
{
	(void)state;
	struct buf b;
	uint8_t in = 0, out = 0;
	buf_init(&b, 1000);
	unsigned seed = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[64];
		seed = seed * 1103515245 + 12345;
		size_t n = seed >> 16 & 63;
		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)(in + j);
		if (buf_len(&b) + n <= 1000) {
			assert_int_equal(buf_add(&b, bytes, n), 0);
			in = (uint8_t)(in + n);
		} else {
			assert_int_equal(buf_add(&b, bytes, n), -ERR_TOO_BIG);
		}
		size_t take = seed >> 24 & 63;
		struct span s = buf_span(&b);
		take = take < s.len ? take : s.len;
		for (size_t j = 0; j < take; j++)
			assert_int_equal(s.at[j], out++);
		buf_consume(&b, take);
		assert_in_range(b.cap, 0, 1250);
	}
	buf_fini(&b);
}

static void the_maximum_is_exact_and_a_refusal_changes_nothing(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_int_equal(buf_add(&b, "0123456789", 10), 0);
	assert_int_equal(buf_add(&b, "x", 1), -ERR_TOO_BIG);
	assert_null(buf_reserve(&b, 1));
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(buf_add(&b, "x", SIZE_MAX), -ERR_TOO_BIG);
	assert_int_equal(buf_addf(&b, "%d", 1), -ERR_TOO_BIG);
	assert_int_equal(buf_len(&b), 10);
	assert_memory_equal(buf_span(&b).at, "0123456789", 10);
	buf_consume(&b, 4);
	assert_int_equal(buf_add(&b, "abcd", 4), 0);
	assert_int_equal(buf_add(&b, "e", 1), -ERR_TOO_BIG);
	assert_memory_equal(buf_span(&b).at, "456789abcd", 10);
	buf_fini(&b);
}

static void room_that_was_reserved_counts_only_once_committed(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	uint8_t *at = buf_reserve(&b, 50);
	assert_non_null(at);
	assert_int_equal(buf_len(&b), 0);
	memcpy(at, "hello", 5);
	buf_commit(&b, 5);
	assert_int_equal(buf_len(&b), 5);
	assert_memory_equal(buf_span(&b).at, "hello", 5);
	buf_fini(&b);
}

static void an_empty_buffer_gives_its_memory_back(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	assert_int_equal(buf_add(&b, "abc", 3), 0);
	buf_release(&b);
	assert_non_null(b.data);
	buf_consume(&b, 3);
	buf_release(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
	assert_int_equal(buf_span(&b).len, 0);
	assert_int_equal(buf_add(&b, "again", 5), 0);
	buf_fini(&b);
	buf_fini(&b);
	assert_int_equal(buf_add(&b, "and again", 9), 0);
	buf_fini(&b);
}

static void nothing_can_be_added_without_memory(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_null(b.data);
	assert_int_equal(buf_add(&b, "a", 1), -ERR_TOO_BIG);
	buf_fini(&b);
}

static void formatted_text_fills_the_buffer_to_the_last_byte(void **state)
{
	(void)state;
	struct buf b;
	for (size_t max = 3; max < 12; max++) {
		buf_init(&b, max);
		assert_int_equal(buf_addf(&b, "%s", "ab"), 0);
		assert_int_equal(buf_addf(&b, "%0*d", (int)max - 2, 7), 0);
		assert_int_equal(buf_len(&b), max);
		assert_memory_equal(buf_span(&b).at, "ab", 2);
		assert_int_equal(buf_span(&b).at[max - 1], '7');
		buf_fini(&b);
	}
}

/* Counts moves of the data instead of time: a queue of `len` bytes, passed through in fours. */
static void assert_moves_little(size_t max, size_t len)
{
	struct buf b;
	buf_init(&b, max);
	while (buf_len(&b) < len)
		assert_int_equal(buf_add(&b, "abcd", 4), 0);
	size_t moved = 0, passed = 0;
	for (; passed < 10 * len; passed += 4) {
		const size_t start = b.start;
		const uint8_t *data = b.data;
		assert_int_equal(buf_add(&b, "abcd", 4), 0);
		if (b.start != start || b.data != data)
			moved += buf_len(&b);
		buf_consume(&b, 4);
	}
	assert_in_range(moved, 0, 5 * passed);
	assert_in_range(b.cap, len, max + max / 4);
	buf_fini(&b);
}

static void moving_costs_little_a_byte_even_when_nearly_full(void **state)
{
	(void)state;
	assert_moves_little(100000, 99996);
	assert_moves_little(100000, 1020);
	assert_moves_little(100000, 60000);
	assert_moves_little(1024, 1020);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
		cmocka_unit_test(the_maximum_is_exact_and_a_refusal_changes_nothing),
		cmocka_unit_test(room_that_was_reserved_counts_only_once_committed),
		cmocka_unit_test(an_empty_buffer_gives_its_memory_back),
		cmocka_unit_test(nothing_can_be_added_without_memory),
		cmocka_unit_test(formatted_text_fills_the_buffer_to_the_last_byte),
		cmocka_unit_test(moving_costs_little_a_byte_even_when_nearly_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_frame.c -- common/frame.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct fixture {
	struct buf in;
	struct frame out;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	if (!f)
		return -1;
	buf_init(&f->in, 2 * FRAME_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_fini(&f->in);
	free(f);
	return 0;
}

static void a_written_frame_reads_back(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(frame_add(&f->in, FRAME_REQUEST, "payload", 7), 0);
	assert_int_equal(frame_next(&f->in, 64, &f->out, &f->err), 1);
	assert_int_equal(f->out.type, FRAME_REQUEST);
	assert_int_equal(f->out.flags, 0);
	assert_int_equal(f->out.payload.len, 7);
	assert_memory_equal(f->out.payload.at, "payload", 7);
	static const uint8_t header[] = {0, 0, 0, 7, 3, 0, 0, 0};
	assert_memory_equal(buf_span(&f->in).at, header, sizeof header);
}

static void a_frame_split_into_single_bytes_is_found_once_whole(void **state)
{
	struct fixture *f = *state;
	static const uint8_t bytes[] = {0, 0, 0, 3, 4, 0x80, 0, 0, 'a', 'b', 'c'};
	for (size_t i = 0; i + 1 < sizeof bytes; i++) {
		assert_int_equal(buf_add(&f->in, bytes + i, 1), 0);
		assert_int_equal(frame_next(&f->in, 64, &f->out, &f->err), 0);
	}
	assert_int_equal(buf_add(&f->in, bytes + sizeof bytes - 1, 1), 0);
	assert_int_equal(frame_next(&f->in, 64, &f->out, &f->err), 1);
	assert_int_equal(f->out.type, FRAME_REPLY);
	assert_int_equal(f->out.flags, 0x80);
	assert_memory_equal(f->out.payload.at, "abc", 3);
}

static void frames_follow_each_other_empty_ones_too(void **state)
{
	struct fixture *f = *state;
	for (uint8_t i = 0; i < 50; i++) {
		uint8_t payload[50];
		memset(payload, i, sizeof payload);
		assert_int_equal(frame_add(&f->in, FRAME_PAGE, payload, i), 0);
	}
	for (uint8_t i = 0; i < 50; i++) {
		assert_int_equal(frame_next(&f->in, 64, &f->out, &f->err), 1);
		assert_int_equal(f->out.payload.len, i);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(f->out.payload.at[j], i);
		buf_consume(&f->in, FRAME_HEADER + f->out.payload.len);
	}
	assert_int_equal(frame_next(&f->in, 64, &f->out, &f->err), 0);
}

static void the_length_is_refused_before_its_bytes_arrive(void **state)
{
	struct fixture *f = *state;
	static const uint8_t just[] = {0, 0, 0x10, 0}, above[] = {0, 0, 0x10, 1};
	assert_int_equal(buf_add(&f->in, just, 4), 0);
	assert_int_equal(frame_next(&f->in, FRAME_MAX_BEFORE_AUTH, &f->out, &f->err), 0);
	buf_consume(&f->in, 4);
	assert_int_equal(buf_add(&f->in, above, 4), 0);
	assert_int_equal(frame_next(&f->in, FRAME_MAX_BEFORE_AUTH, &f->out, &f->err), -ERR_TOO_BIG);
	assert_non_null(strstr(f->err.text, "4097"));
	assert_non_null(strstr(f->err.text, "4096"));
}

static void a_stranger_is_named(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *bytes, *name;
	} rows[] = {
		{"GET / HTTP/1.1\r\n", "HTTP request"},
		{"POST /x", "HTTP request"},
		{"HTTP/1.1 400", "HTTP answer"},
		{"PRI * HTTP/2", "HTTP/2"},
		{"SSH-2.0-x", "SSH"},
		{"\x16\x03\x01\x02", "TLS"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(buf_add(&f->in, rows[i].bytes, strlen(rows[i].bytes)), 0);
		assert_int_equal(frame_next(&f->in, FRAME_MAX, &f->out, &f->err), -ERR_PROTOCOL);
		assert_non_null(strstr(f->err.text, rows[i].name));
		assert_non_null(strstr(f->err.remedy, "port"));
		buf_consume(&f->in, buf_len(&f->in));
	}
}

static void unknown_types_and_a_filled_reserve_are_refused(void **state)
{
	struct fixture *f = *state;
	static const uint8_t bad[][8] = {
		{0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 100, 0, 0, 0}, {0, 0, 0, 0, 255, 0, 0, 0},
		{0, 0, 0, 0, 1, 0, 1, 0}, {0, 0, 0, 0, 1, 0, 0, 1},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct frame untouched = {.flags = 42};
		assert_int_equal(buf_add(&f->in, bad[i], 8), 0);
		assert_int_equal(frame_next(&f->in, 64, &untouched, &f->err), -ERR_PROTOCOL);
		assert_int_equal(untouched.flags, 42);
		buf_consume(&f->in, 8);
	}
}

static void a_frame_that_does_not_fit_adds_nothing(void **state)
{
	(void)state;
	struct buf out;
	static const uint8_t payload[FRAME_MAX + 1];
	buf_init(&out, 20);
	assert_int_equal(frame_add(&out, FRAME_PING, NULL, 0), 0);
	assert_int_equal(frame_add(&out, FRAME_REPLY, payload, 5), -ERR_TOO_BIG);
	assert_int_equal(frame_add(&out, FRAME_REPLY, payload, SIZE_MAX), -ERR_TOO_BIG);
	assert_int_equal(buf_len(&out), FRAME_HEADER);
	assert_int_equal(frame_add(&out, FRAME_REPLY, payload, 4), 0);
	buf_fini(&out);
	buf_init(&out, 2 * FRAME_MAX);
	assert_int_equal(frame_add(&out, FRAME_PAGE, payload, FRAME_MAX + 1), -ERR_TOO_BIG);
	assert_int_equal(buf_len(&out), 0);
	assert_int_equal(frame_add(&out, FRAME_PAGE, payload, FRAME_MAX), 0);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_written_frame_reads_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_frame_split_into_single_bytes_is_found_once_whole,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_follow_each_other_empty_ones_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_length_is_refused_before_its_bytes_arrive,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stranger_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_types_and_a_filled_reserve_are_refused,
						set_up, tear_down),
		cmocka_unit_test(a_frame_that_does_not_fit_adds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

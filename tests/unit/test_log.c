/* test_log.c -- common/log.c: what goes to standard error, read back through a pipe. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "clock.h"
#include "log.h"

static int saved = -1, pipe_fds[2];

static int capture(void **state)
{
	(void)state;
	clock_fake(1795458600042);
	log_setup(LOG_INFO, LOG_TEXT);
	saved = dup(STDERR_FILENO);
	if (saved < 0 || pipe2(pipe_fds, O_NONBLOCK) < 0)
		return -1;
	return dup2(pipe_fds[1], STDERR_FILENO) < 0;
}

static int release(void **state)
{
	(void)state;
	if (saved >= 0)
		dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	saved = -1;
	clock_fake(0);
	return 0;
}

/* All that was written since; borrowed until the next call. */
static const char *written(void)
{
	static char out[16384];
	size_t n = 0;
	for (ssize_t got;
	     n < sizeof out - 1 && (got = read(pipe_fds[0], out + n, sizeof out - 1 - n)) > 0;)
		n += (size_t)got;
	out[n] = '\0';
	return out;
}

static void an_event_is_one_line_of_pairs(void **state)
{
	(void)state;
	log_event(LOG_INFO, "listening", "port=%u tls=%s big=%lld", 8443u, "1.3", LLONG_MIN);
	assert_string_equal(written(), "2026-11-23T18:30:00.042Z info listening port=8443 tls=1.3 "
				       "big=-9223372036854775808\n");
}

static void values_are_quoted_where_they_must_be(void **state)
{
	(void)state;
	log_event(LOG_WARN, "x", "a=%s b=%s c=%s d=%s", "two words", "", "say \"hi\\\"", "é");
	assert_string_equal(written(), "2026-11-23T18:30:00.042Z warn x a=\"two words\" b=\"\" "
				       "c=\"say \\\"hi\\\\\\\"\" d=\"é\"\n");
}

static void a_hostile_value_forges_neither_pair_nor_line(void **state)
{
	(void)state;
	log_event(LOG_INFO, "x", "name=%s n=%d", "a level=error\nforged \x1b[31m\xc2\x9b \xff", 5);
	assert_string_equal(written(),
			    "2026-11-23T18:30:00.042Z info x name=\"a level=error\\x0aforged "
			    "\\x1b[31m\\xc2\\x9b \\xff\" n=5\n");
	log_event(LOG_INFO, "x", "name=%s n=%d", "a n=9", 5);
	assert_string_equal(written(), "2026-11-23T18:30:00.042Z info x name=\"a n=9\" n=5\n");
}

static void json_tells_numbers_from_text(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	log_event(LOG_ERROR, "conn_closed", "id=%u siren=%s rest=%.*s why=%s", 7u, "552081317", 2,
		  "abc", "a \"b\"\n\xff é");
	const char *line = written();
	json_error_t error;
	json_t *root = json_loads(line, JSON_DISABLE_EOF_CHECK, &error);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "time")),
			    "2026-11-23T18:30:00.042Z");
	assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
	assert_string_equal(json_string_value(json_object_get(root, "event")), "conn_closed");
	assert_int_equal(json_integer_value(json_object_get(root, "id")), 7);
	assert_string_equal(json_string_value(json_object_get(root, "siren")), "552081317");
	assert_string_equal(json_string_value(json_object_get(root, "rest")), "ab");
	assert_string_equal(json_string_value(json_object_get(root, "why")),
			    "a \"b\"\n\xef\xbf\xbd é");
	assert_int_equal(json_object_size(root), 7);
	json_decref(root);
}

static void the_journal_gets_its_priority_and_keeps_its_own_time(void **state)
{
	(void)state;
	log_setup(LOG_DEBUG, LOG_JOURNAL);
	log_event(LOG_ERROR, "a", "n=%d", 1);
	log_event(LOG_WARN, "b", "n=%d", 2);
	log_event(LOG_DEBUG, "c", NULL);
	assert_string_equal(written(), "<3>error a n=1\n<4>warn b n=2\n<7>debug c\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_event(LOG_DEBUG, "x", "n=%d", 1);
	assert_string_equal(written(), "");
	assert_true(log_wants(LOG_INFO));
	assert_false(log_wants(LOG_DEBUG));
	log_setup(LOG_ERROR, LOG_TEXT);
	log_event(LOG_WARN, "x", "n=%d", 1);
	assert_string_equal(written(), "");
	log_event(LOG_ERROR, "x", "n=%d", 1);
	assert_non_null(strstr(written(), " error x n=1\n"));
}

static void a_line_too_long_stays_well_formed(void **state)
{
	(void)state;
	static const char fillers[] = {'a', ' ', '\n', '\xff'};
	char huge[5000];
	for (size_t i = 0; i < sizeof fillers; i++)
		for (size_t n = 600; n < sizeof huge; n += 173) {
			memset(huge, fillers[i], n);
			huge[n] = '\0';
			log_setup(LOG_INFO, LOG_JSON);
			log_event(LOG_INFO, "x", "huge=%s n=%d", huge, 7);
			const char *line = written();
			const size_t len = strlen(line);
			assert_true(len <= 4096 && line[len - 1] == '\n');
			assert_int_equal(strcspn(line, "\n"), len - 1);
			json_error_t error;
			json_t *root = json_loads(line, 0, &error);
			assert_non_null(root);
			json_decref(root);
			log_setup(LOG_INFO, LOG_TEXT);
			log_event(LOG_INFO, "x", "huge=%s n=%d", huge, 7);
			line = written();
			assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_is_one_line_of_pairs, capture, release),
		cmocka_unit_test_setup_teardown(values_are_quoted_where_they_must_be, capture,
						release),
		cmocka_unit_test_setup_teardown(a_hostile_value_forges_neither_pair_nor_line,
						capture, release),
		cmocka_unit_test_setup_teardown(json_tells_numbers_from_text, capture, release),
		cmocka_unit_test_setup_teardown(
			the_journal_gets_its_priority_and_keeps_its_own_time, capture, release),
		cmocka_unit_test_setup_teardown(what_is_below_the_level_is_not_written, capture,
						release),
		cmocka_unit_test_setup_teardown(a_line_too_long_stays_well_formed, capture,
						release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

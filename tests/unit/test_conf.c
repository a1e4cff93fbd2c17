/* test_conf.c -- common/conf.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { LISTEN, PORT, TLS, FRAME, IDLE, FORMAT, N };

static const struct conf_def defs[N] = {
	[LISTEN] = {"listen-address", CONF_TEXT, "::", 0, 0, NULL, false, "where to listen"},
	[PORT] = {"listen-port", CONF_INT, "7483", 1, 65535, NULL, false, "port"},
	[TLS] = {"tls", CONF_BOOL, "yes", 0, 0, NULL, false, "whether to encrypt"},
	[FRAME] = {"frame-max", CONF_SIZE, "1M", 4096, 1 << 24, NULL, true, "largest frame"},
	[IDLE] = {"idle-timeout", CONF_DURATION, "15m", 1000, 86400000, NULL, true, "idle time"},
	[FORMAT] = {"log-format", CONF_ENUM, "text", 0, 0, "text|json|journal", true, "of logs"},
};

struct fixture {
	struct conf conf;
	struct err err;
	char path[64];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	if (!f || conf_init(&f->conf, defs, N, &f->err) < 0)
		return -1;
	snprintf(f->path, sizeof f->path, "/tmp/seve-conf-XXXXXX");
	int fd = mkstemp(f->path);
	if (fd < 0)
		return -1;
	close(fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	unlink(f->path);
	conf_fini(&f->conf);
	conf_fini(&f->conf);
	free(f);
	return 0;
}

static int read_text(struct fixture *f, const char *text, size_t n)
{
	FILE *file = fopen(f->path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	fclose(file);
	return conf_read_file(&f->conf, f->path, &f->err);
}

static void defaults_stand_until_something_else_is_said(void **state)
{
	struct fixture *f = *state;
	const struct conf_value *v = f->conf.values;
	assert_string_equal(v[LISTEN].text, "::");
	assert_int_equal(v[PORT].number, 7483);
	assert_int_equal(v[TLS].number, 1);
	assert_int_equal(v[FRAME].number, 1048576);
	assert_int_equal(v[IDLE].number, 900000);
	assert_int_equal(v[FORMAT].number, 0);
	for (size_t i = 0; i < N; i++)
		assert_string_equal(v[i].origin, "default");
}

static void a_file_is_read_with_comments_and_blanks(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "# a comment\n"
				   "\n"
				   "listen-port = 9000\n"
				   "   tls=no\n"
				   "listen-address = 10.0.0.1 ; not # a comment\r\n"
				   "log-format =  json  \n"
				   "idle-timeout = 2h";
	assert_int_equal(read_text(f, text, sizeof text - 1), 0);
	const struct conf_value *v = f->conf.values;
	assert_int_equal(v[PORT].number, 9000);
	assert_int_equal(v[TLS].number, 0);
	assert_string_equal(v[LISTEN].text, "10.0.0.1 ; not # a comment");
	assert_int_equal(v[FORMAT].number, 1);
	assert_int_equal(v[IDLE].number, 7200000);
	assert_string_equal(v[PORT].origin, "file");
	assert_string_equal(v[FRAME].origin, "default");
}

static void a_long_value_is_read_whole_and_one_too_long_refused(void **state)
{
	struct fixture *f = *state;
	char text[5000];
	const size_t key = strlen("listen-address=");
	memcpy(text, "listen-address=", key + 1);
	memset(text + key, 'a', sizeof text - key);
	text[3500] = '\n';
	assert_int_equal(read_text(f, text, 3501), 0);
	assert_int_equal(strlen(f->conf.values[LISTEN].text), 3500 - key);
	text[3500] = 'a';
	text[4999] = '\n';
	assert_int_equal(read_text(f, text, 5000), -ERR_CONFIG);
	assert_non_null(strstr(f->err.text, ":1: longer than"));
}

static void a_bad_line_is_named(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"tls = no\nlisten-prot = 1\n", ":2: there is no setting \"listen-prot\""},
		{"\n\n[server]\nlisten-port = 1\n", ":3: there are no sections"},
		{"listen-port\n\ntls = no\n", ":1: not \"key = value\""},
		{"tls = perhaps\n", ":1: tls: \"perhaps\" is neither yes nor no"},
		{"listen-port = 65536\n", ":1: listen-port: 65536 is not between 1 and 65535"},
		{"listen-port = \n", ":1: listen-port: \"\" is not a whole number"},
		{"log-format = xml", ":1: log-format: \"xml\" is none of text|json|journal"},
		{"tls = \xff\n", ":1: not UTF-8"},
		{"tls = no\nlisten-port = x\ntls = maybe\n", ":2: listen-port"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_text(f, rows[i].text, strlen(rows[i].text)), -ERR_CONFIG);
		assert_int_equal(f->err.code, ERR_CONFIG);
		assert_non_null(strstr(f->err.text, f->path));
		assert_non_null(strstr(f->err.text, rows[i].says));
	}
	assert_int_equal(read_text(f, "tls = n\0o\nlisten-port = 1\n", 26), -ERR_CONFIG);
	assert_int_equal(f->conf.values[PORT].number, 7483);
}

static void the_nearest_setting_is_suggested(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(conf_set(&f->conf, "listen-prot", "1", "flag", &f->err), -ERR_CONFIG);
	assert_string_equal(f->err.remedy, "did you mean \"listen-port\"?");
	assert_int_equal(conf_set(&f->conf, "something-else", "1", "flag", &f->err), -ERR_CONFIG);
	assert_string_equal(f->err.remedy, "");
}

static void a_missing_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(conf_read_file(&f->conf, "/nowhere/seved.conf", &f->err), -ERR_CONFIG);
	assert_non_null(strstr(f->err.text, "No such file"));
	assert_int_equal(conf_read_file(&f->conf, "/tmp", &f->err), -ERR_CONFIG);
	assert_non_null(strstr(f->err.text, "directory"));
}

static void the_stronger_origin_wins_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct conf_value *v = &f->conf.values[PORT];
	assert_int_equal(conf_set(&f->conf, "listen-port", "1", "environment", NULL), 0);
	assert_int_equal(conf_set(&f->conf, "listen-port", "2", "file", NULL), 0);
	assert_int_equal(v->number, 1);
	assert_string_equal(v->origin, "environment");
	assert_int_equal(conf_set(&f->conf, "listen-port", "3", "flag", NULL), 0);
	assert_int_equal(conf_set(&f->conf, "listen-port", "4", "environment", NULL), 0);
	assert_int_equal(v->number, 3);
	assert_int_equal(conf_set(&f->conf, "listen-port", "5", "flag", NULL), 0);
	assert_int_equal(v->number, 5);
	/* What loses must be right all the same. */
	assert_int_equal(conf_set(&f->conf, "listen-port", "x", "file", NULL), -ERR_CONFIG);
	assert_int_equal(conf_set(&f->conf, "listen-port", "6", "rumour", NULL), -ERR_INTERNAL);
	assert_int_equal(v->number, 5);
}

static void variables_are_read_by_their_upper_case_names(void **state)
{
	struct fixture *f = *state;
	setenv("SEVETEST_LISTEN_PORT", "1234", 1);
	setenv("SEVETEST_FRAME_MAX", "64k", 1);
	int rc = conf_read_env(&f->conf, "SEVETEST", &f->err);
	setenv("SEVETEST_LISTEN_PORT", "many", 1);
	int bad = conf_read_env(&f->conf, "SEVETEST", &f->err);
	unsetenv("SEVETEST_LISTEN_PORT");
	unsetenv("SEVETEST_FRAME_MAX");
	assert_int_equal(rc, 0);
	assert_int_equal(f->conf.values[PORT].number, 1234);
	assert_int_equal(f->conf.values[FRAME].number, 65536);
	assert_string_equal(f->conf.values[PORT].origin, "environment");
	assert_int_equal(bad, -ERR_CONFIG);
	assert_non_null(strstr(f->err.text, "variable SEVETEST_LISTEN_PORT: listen-port: "));
}

static void sizes_and_durations_are_bounded(void **state)
{
	struct fixture *f = *state;
	static const char *const sizes[] = {"",
					    "k",
					    "4095",
					    "17M",
					    "1.5M",
					    "1T",
					    "1Mb",
					    "-4096",
					    "99999999999999999999",
					    "9999999999999999G"};
	for (size_t i = 0; i < COUNT(sizes); i++)
		assert_int_equal(conf_set(&f->conf, "frame-max", sizes[i], "flag", &f->err),
				 -ERR_CONFIG);
	assert_int_equal(conf_set(&f->conf, "frame-max", "16M", "flag", NULL), 0);
	assert_int_equal(f->conf.values[FRAME].number, 1 << 24);
	assert_int_equal(conf_set(&f->conf, "frame-max", "4096", "flag", NULL), 0);
	assert_int_equal(conf_set(&f->conf, "idle-timeout", "2d", "flag", &f->err), -ERR_CONFIG);
	assert_int_equal(conf_set(&f->conf, "idle-timeout", "15", "flag", &f->err), -ERR_CONFIG);
	assert_int_equal(conf_set(&f->conf, "idle-timeout", "1d", "flag", NULL), 0);
	assert_int_equal(f->conf.values[IDLE].number, 86400000);
}

static void words_match_whole(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(conf_set(&f->conf, "log-format", "journal", "flag", NULL), 0);
	assert_int_equal(f->conf.values[FORMAT].number, 2);
	static const char *const bad[] = {"", "tex", "texts", "text|json", "|", "JSON"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(conf_set(&f->conf, "log-format", bad[i], "flag", NULL),
				 -ERR_CONFIG);
	assert_int_equal(f->conf.values[FORMAT].number, 2);
}

static void a_wrong_default_is_found_at_start(void **state)
{
	(void)state;
	static const struct conf_def bad[] = {
		{"a", CONF_INT, "1", 1, 5, NULL, false, ""},
		{"b", CONF_INT, "6", 1, 5, NULL, false, ""},
	};
	struct conf c = {.n = 42};
	struct err e;
	assert_int_equal(conf_init(&c, bad, 2, &e), -ERR_CONFIG);
	assert_int_equal(c.n, 42);
	assert_int_equal(strncmp(e.text, "b: ", 3), 0);
}

static void printing_shows_value_origin_and_reload(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	size_t n = 0;
	assert_int_equal(conf_set(&f->conf, "frame-max", "64k", "flag", NULL), 0);
	FILE *out = open_memstream(&text, &n);
	assert_non_null(out);
	conf_print(&f->conf, out);
	fclose(out);
	assert_non_null(
		strstr(text, "listen-port    = 7483                             # default\n"));
	assert_non_null(strstr(text, "frame-max      = 64k                              # flag, "
				     "reloadable\n"));
	free(text);
}

#define WITH_CONF(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONF(defaults_stand_until_something_else_is_said),
		WITH_CONF(a_file_is_read_with_comments_and_blanks),
		WITH_CONF(a_long_value_is_read_whole_and_one_too_long_refused),
		WITH_CONF(a_bad_line_is_named),
		WITH_CONF(the_nearest_setting_is_suggested),
		WITH_CONF(a_missing_file_is_an_error),
		WITH_CONF(the_stronger_origin_wins_in_any_order),
		WITH_CONF(variables_are_read_by_their_upper_case_names),
		WITH_CONF(sizes_and_durations_are_bounded),
		WITH_CONF(words_match_whole),
		cmocka_unit_test(a_wrong_default_is_found_at_start),
		WITH_CONF(printing_shows_value_origin_and_reload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

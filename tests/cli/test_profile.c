/* test_profile.c -- profiles under XDG folders, and files that are there whole or not at all. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "profile.h"

struct home {
	struct arena a;
	char dir[64];
};

static int setup(void **state)
{
	static const char *const variables[] = {"SEVE_PROFILE", "SEVE_SERVER",     "SEVE_CA_FILE",
						"SEVE_STORE",   "SEVE_TOKEN_FILE", "XDG_DATA_HOME"};
	struct home *h = calloc(1, sizeof *h);
	assert_non_null(h);
	arena_init(&h->a, 1024 * 1024);
	snprintf(h->dir, sizeof h->dir, "/tmp/seve-profile.XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv(variables[i]);
	setenv("HOME", h->dir, 1);
	setenv("XDG_CONFIG_HOME", h->dir, 1);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct home *h = *state;
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", h->dir);
	const int rc = system(command);
	arena_fini(&h->a);
	free(h);
	return rc;
}

static void log_in(struct home *h, const char *name)
{
	struct profile p;
	struct err e = {0};
	assert_int_equal(profile_find(&h->a, name, &p, &e), 0);
	assert_int_equal(profile_make(&p, &e), 0);
	assert_int_equal(file_write(p.server_file, "example.org:7443\n", 0600, &e), 0);
}

static void without_a_login_there_is_a_name_and_no_server(void **state)
{
	struct home *h = *state;
	struct profile p;
	struct err e = {0};
	assert_int_equal(profile_find(&h->a, NULL, &p, &e), 0);
	assert_string_equal(p.name, "default");
	assert_string_equal(p.origin, "default");
	assert_null(p.server);
	assert_false(p.has_ca);
}

static void option_then_variable_then_use_then_default(void **state)
{
	struct home *h = *state;
	struct profile p;
	struct err e = {0};
	assert_int_equal(profile_use(&h->a, "flandre", &e), 0);
	assert_int_equal(profile_find(&h->a, NULL, &p, &e), 0);
	assert_string_equal(p.name, "flandre");
	setenv("SEVE_PROFILE", "bretagne", 1);
	assert_int_equal(profile_find(&h->a, NULL, &p, &e), 0);
	assert_string_equal(p.name, "bretagne");
	assert_int_equal(profile_find(&h->a, "option", &p, &e), 0);
	assert_string_equal(p.name, "option");
}

static void variables_replace_single_values(void **state)
{
	struct home *h = *state;
	struct profile p;
	struct err e = {0};
	log_in(h, "default");
	assert_int_equal(profile_find(&h->a, NULL, &p, &e), 0);
	assert_string_equal(p.server, "example.org:7443");
	setenv("SEVE_SERVER", "other:1", 1);
	setenv("SEVE_STORE", ":memory:", 1);
	assert_int_equal(profile_find(&h->a, NULL, &p, &e), 0);
	assert_string_equal(p.server, "other:1");
	assert_string_equal(p.store, ":memory:");
	assert_int_equal(profile_make(&p, &e), 0);
}

static void names_that_would_leave_the_folder_are_refused(void **state)
{
	static const char *const names[] = {"", "..", ".hidden", "a/b", "../x", "a b", "é"};
	struct home *h = *state;
	struct profile p;
	struct err e = {0};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(profile_find(&h->a, names[i], &p, &e), -ERR_INVALID);
}

static void profiles_are_listed_by_name_and_closed_to_others(void **state)
{
	struct home *h = *state;
	struct words names = {0};
	struct stat st;
	struct profile p;
	struct err e = {0};
	assert_int_equal(profile_names(&h->a, &names, &e), 0);
	assert_int_equal(names.n, 0);
	log_in(h, "b");
	log_in(h, "a");
	assert_int_equal(profile_names(&h->a, &names, &e), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.at[0], "a");
	assert_int_equal(profile_find(&h->a, "a", &p, &e), 0);
	assert_int_equal(stat(p.dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_draft_that_is_dropped_leaves_the_old_file(void **state)
{
	struct home *h = *state;
	char path[128], *text = NULL;
	struct file_draft d;
	struct err e = {0};
	snprintf(path, sizeof path, "%s/out", h->dir);
	assert_int_equal(file_write(path, "old", 0600, &e), 0);
	assert_int_equal(file_draft_open(&d, path, 0600, &e), 0);
	fputs("half", d.file);
	file_draft_drop(&d);
	file_draft_drop(&d);
	assert_int_equal(file_read(&h->a, path, 10, &text, &e), 0);
	assert_string_equal(text, "old");
	assert_int_equal(access(d.path, F_OK), 0);
}

/* Root's --report /dev/null would take the place of the device. */
static void what_is_no_file_is_written_to_and_stays_what_it_is(void **state)
{
	struct home *h = *state;
	char path[128], got[8] = "";
	struct stat st;
	struct err e = {0};
	snprintf(path, sizeof path, "%s/pipe", h->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_write(path, "told", 0600, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(read(fd, got, 4), 4);
	assert_string_equal(got, "told");
	close(fd);
}

/* The write fails in the middle; what is left to flush at the end is nothing, and succeeds. */
static void what_standard_output_did_not_take_is_an_error(void **state)
{
	(void)state;
	struct file_draft d;
	struct err e = {0};
	const int kept = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(kept >= 0 && full >= 0);
	fflush(stdout);
	assert_true(dup2(full, STDOUT_FILENO) >= 0);
	int rc = file_draft_open(&d, "-", 0600, &e);
	if (rc == 0) {
		fputs("lost", d.file);
		fflush(d.file);
		rc = file_draft_keep(&d, &e);
	}
	clearerr(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	close(full);
	assert_int_equal(rc, -ERR_IO);
	assert_non_null(strstr(e.text, "standard output"));
}

static void what_is_too_large_or_no_text_is_not_read(void **state)
{
	struct home *h = *state;
	char path[128], *text = NULL;
	struct err e = {0};
	snprintf(path, sizeof path, "%s/x", h->dir);
	assert_int_equal(file_read(&h->a, path, 10, &text, &e), -ERR_NOT_FOUND);
	assert_int_equal(file_write(path, "12345678901", 0600, &e), 0);
	assert_int_equal(file_read(&h->a, path, 10, &text, &e), -ERR_TOO_BIG);
	assert_int_equal(file_read(&h->a, path, 11, &text, &e), 0);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fwrite("a\0b", 1, 3, file);
	fclose(file);
	assert_int_equal(file_read(&h->a, path, 10, &text, &e), -ERR_INVALID);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(file_read_line(&h->a, file, 10, &text, &e), -ERR_INVALID);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_a_login_there_is_a_name_and_no_server,
						setup, teardown),
		cmocka_unit_test_setup_teardown(option_then_variable_then_use_then_default, setup,
						teardown),
		cmocka_unit_test_setup_teardown(variables_replace_single_values, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_would_leave_the_folder_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(profiles_are_listed_by_name_and_closed_to_others,
						setup, teardown),
		cmocka_unit_test(what_standard_output_did_not_take_is_an_error),
		cmocka_unit_test_setup_teardown(a_draft_that_is_dropped_leaves_the_old_file, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_written_to_and_stays_what_it_is,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_large_or_no_text_is_not_read, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

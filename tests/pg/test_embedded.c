/* test_embedded.c -- a private PostgreSQL in a folder: made, used, stopped, found again, and
 * refused with a remedy. */
#include "fixture.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster.h"

static void sleep_a_little(void)
{
	usleep(20000);
}

static struct embedded start(const char *dir)
{
	struct embedded em;
	struct err e = {0};
	if (embedded_start(dir, &em, &e) < 0)
		fail_msg("%s (%s)", e.text, e.remedy);
	return em;
}

static void assert_refused(const char *dir, enum err_code code, const char *word)
{
	struct embedded em;
	struct err e = {0};
	assert_int_equal(embedded_start(dir, &em, &e), -(int)code);
	if (!strstr(e.text, word))
		fail_msg("\"%s\" does not tell of \"%s\"", e.text, word);
	assert_string_not_equal(e.remedy, "");
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool exists(const char *dir, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void a_cluster_is_made_and_keeps_its_data(void **state)
{
	(void)state;
	char dir[256], sub[300];
	fixture_folder(dir);
	snprintf(sub, sizeof sub, "%s/data", dir); /* which is not there yet */
	struct embedded em = start(sub);
	assert_int_equal(kill(em.postmaster, 0), 0);
	assert_string_equal(fixture_text(em.conninfo, "SHOW data_checksums"), "on");
	assert_string_equal(fixture_text(em.conninfo, "SHOW server_encoding"), "UTF8");
	assert_string_equal(fixture_text(em.conninfo, "SHOW listen_addresses"), "");
	assert_string_equal(fixture_text(em.conninfo, "SHOW wal_level"), "replica");
	assert_string_equal(fixture_text(em.conninfo, "SHOW fsync"), "on");
	assert_string_equal(fixture_text(em.conninfo, "SHOW is_superuser"), "off");
	assert_string_equal(fixture_text(em.admin_conninfo, "SHOW is_superuser"), "on");
	fixture_sql(em.conninfo, "CREATE TABLE kept (v int); INSERT INTO kept VALUES (7)");
	embedded_stop(&em);
	assert_int_equal(em.postmaster, 0);
	embedded_stop(&em);
	assert_false(exists(sub, "postgres/postmaster.pid"));
	em = start(sub);
	assert_int_equal(fixture_number(em.conninfo, "SELECT v FROM kept"), 7);
	embedded_stop(&em);
}

static void the_administrators_settings_are_kept(void **state)
{
	(void)state;
	char dir[256];
	fixture_folder(dir);
	struct embedded em = start(dir);
	embedded_stop(&em);
	write_file(dir, "postgres/seve.conf", "max_connections = 33\n");
	em = start(dir);
	assert_string_equal(fixture_text(em.conninfo, "SHOW max_connections"), "33");
	embedded_stop(&em);
	write_file(dir, "postgres/seve.conf", "max_connections = many\n");
	assert_refused(dir, ERR_UNAVAILABLE, "ended");
	write_file(dir, "postgres/seve.conf", "");
	em = start(dir);
	embedded_stop(&em);
}

static void a_folder_in_use_is_refused(void **state)
{
	(void)state;
	assert_refused(fixture_cluster()->dir, ERR_CONFIG, "another server");
	/* and goes on unharmed */
	assert_int_equal(fixture_number(fixture_cluster()->conninfo, "SELECT 1"), 1);
}

static void postgresql_never_runs_as_root(void **state)
{
	(void)state;
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d", (int)fixture_cluster()->postmaster);
	assert_int_equal(stat(path, &st), 0);
	assert_int_not_equal(st.st_uid, 0);
	assert_int_equal(stat(fixture_cluster()->run, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_closed_path_is_refused_with_the_remedy(void **state)
{
	(void)state;
	char dir[256], sub[300], remedy[400];
	struct embedded em;
	struct err e;
	if (geteuid() != 0)
		skip(); /* only root starts it as somebody else */
	fixture_folder(dir);
	assert_int_equal(chmod(dir, 0700), 0);
	snprintf(sub, sizeof sub, "%s/data", dir);
	assert_int_equal(embedded_start(sub, &em, &e), -ERR_CONFIG);
	snprintf(remedy, sizeof remedy, "chmod o+x %s,", dir);
	assert_non_null(strstr(e.remedy, remedy));
	assert_int_equal(chmod(dir, 0711), 0);
	em = start(sub);
	embedded_stop(&em);
}

static void a_long_path_gets_a_short_socket(void **state)
{
	(void)state;
	char dir[256], sub[400];
	fixture_folder(dir);
	snprintf(sub, sizeof sub, "%s/%0100d'x", dir, 7);
	struct embedded em = start(sub);
	assert_true(exists(sub, "run.path"));
	assert_true(strlen(em.run) < 90);
	assert_int_equal(fixture_number(em.conninfo, "SELECT 1"), 1);
	embedded_stop(&em);
	assert_false(exists(sub, "run.path"));
	assert_int_not_equal(access(em.run, F_OK), 0);
}

/* A server in a process of its own, which is killed once it runs. */
static void start_and_kill_server(const char *dir)
{
	int fds[2];
	char byte;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct embedded em;
		struct err e;
		int rc = embedded_start(dir, &em, &e);
		if (write(fds[1], rc < 0 ? "-" : "+", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, '+');
	close(fds[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_killed_server_takes_its_postgresql_along(void **state)
{
	(void)state;
	char dir[256];
	fixture_folder(dir);
	start_and_kill_server(dir);
	for (int i = 0; i < 500 && exists(dir, "postgres/postmaster.pid"); i++)
		sleep_a_little();
	assert_false(exists(dir, "postgres/postmaster.pid"));
	start_and_kill_server(dir);
	struct embedded em = start(dir); /* at once: the old one may still be on its way out */
	assert_int_equal(fixture_number(em.conninfo, "SELECT 1"), 1);
	embedded_stop(&em);
}

static void a_postgresql_that_is_still_there_is_adopted(void **state)
{
	(void)state;
	char dir[256], program[400], options[512];
	struct cluster c;
	struct err e;
	fixture_folder(dir);
	struct embedded em = start(dir);
	embedded_stop(&em);
	assert_int_equal(cluster_init(&c, dir, &e), 0);
	snprintf(program, sizeof program, "%s/pg_ctl", c.bin);
	snprintf(options, sizeof options, "-h '' -k %s", em.run);
	const char *const argv[] = {program, "-w", "-D", c.data, "-o", options, "start", NULL};
	int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(child_run(&c.account, argv, log_fd, &e), 0);
	close(log_fd);
	em = start(dir);
	assert_true(em.adopted);
	assert_int_equal(fixture_number(em.conninfo, "SELECT 1"), 1);
	pid_t pid = em.postmaster;
	assert_int_equal(kill(pid, 0), 0);
	embedded_stop(&em);
	assert_false(exists(dir, "postgres/postmaster.pid"));
}

static void a_crashed_cluster_recovers(void **state)
{
	(void)state;
	char dir[256];
	fixture_folder(dir);
	struct embedded em = start(dir);
	fixture_sql(em.conninfo, "CREATE TABLE kept (v int); INSERT INTO kept VALUES (7)");
	kill(em.postmaster, SIGKILL);
	embedded_stop(&em);
	assert_true(exists(dir, "postgres/postmaster.pid"));
	for (int i = 0; i < 20; i++) /* its children notice */
		sleep_a_little();
	em = start(dir);
	assert_false(em.adopted);
	assert_int_equal(fixture_number(em.conninfo, "SELECT v FROM kept"), 7);
	embedded_stop(&em);
}

static void a_postgresql_that_died_is_revived(void **state)
{
	(void)state;
	char dir[256];
	struct err e;
	fixture_folder(dir);
	struct embedded em = start(dir);
	fixture_sql(em.conninfo, "CREATE TABLE kept (v int); INSERT INTO kept VALUES (7)");
	assert_int_equal(embedded_revive(&em, &e), 0);
	pid_t first = em.postmaster;
	kill(first, SIGKILL);
	for (int i = 0; i < 1000 && PQping(em.conninfo) != PQPING_OK; i++) {
		assert_true(embedded_revive(&em, &e) >= 0);
		sleep_a_little();
	}
	assert_int_not_equal(em.postmaster, first);
	assert_int_equal(embedded_revive(&em, &e), 0);
	assert_int_equal(fixture_number(em.conninfo, "SELECT v FROM kept"), 7);
	embedded_stop(&em);
	assert_int_equal(embedded_revive(&em, &e), 0);
}

static void a_stale_pid_of_another_process_does_not_matter(void **state)
{
	(void)state;
	char dir[256], text[1024];
	fixture_folder(dir);
	struct embedded em = start(dir);
	embedded_stop(&em);
	snprintf(text, sizeof text, "%d\n%s/postgres\n1\n5432\n%s\n\n\nready   \n", (int)getpid(),
		 dir, em.run);
	write_file(dir, "postgres/postmaster.pid", text);
	em = start(dir);
	assert_false(em.adopted);
	embedded_stop(&em);
}

static void an_interrupted_initdb_is_begun_again(void **state)
{
	(void)state;
	char dir[256], sub[300];
	fixture_folder(dir);
	snprintf(sub, sizeof sub, "%s/postgres.new", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file(dir, "postgres.new/PG_VERSION", "15\n");
	struct embedded em = start(dir);
	assert_false(exists(dir, "postgres.new"));
	embedded_stop(&em);
}

static void a_cluster_of_a_missing_version_is_refused(void **state)
{
	(void)state;
	char dir[256], sub[300];
	fixture_folder(dir);
	snprintf(sub, sizeof sub, "%s/postgres", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_file(dir, "postgres/PG_VERSION", "99\n");
	assert_refused(dir, ERR_CONFIG, "PostgreSQL 99");
}

static void a_folder_that_cannot_be_made_is_refused(void **state)
{
	(void)state;
	assert_refused("/proc/nowhere", ERR_CONFIG, "/proc/nowhere");
	assert_refused("/nonexistent/a", ERR_CONFIG, "/nonexistent/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cluster_is_made_and_keeps_its_data),
		cmocka_unit_test(the_administrators_settings_are_kept),
		cmocka_unit_test(a_folder_in_use_is_refused),
		cmocka_unit_test(postgresql_never_runs_as_root),
		cmocka_unit_test(a_closed_path_is_refused_with_the_remedy),
		cmocka_unit_test(a_long_path_gets_a_short_socket),
		cmocka_unit_test(a_killed_server_takes_its_postgresql_along),
		cmocka_unit_test(a_postgresql_that_is_still_there_is_adopted),
		cmocka_unit_test(a_crashed_cluster_recovers),
		cmocka_unit_test(a_postgresql_that_died_is_revived),
		cmocka_unit_test(a_stale_pid_of_another_process_does_not_matter),
		cmocka_unit_test(an_interrupted_initdb_is_begun_again),
		cmocka_unit_test(a_cluster_of_a_missing_version_is_refused),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_refused),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

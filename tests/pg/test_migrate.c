/* test_migrate.c -- the schema arrives whole, once, and is never taken for another one. */
#include "fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pg/migrate.h"

static void a_database_is_brought_to_this_version(void **state)
{
	(void)state;
	struct err e;
	unsigned applied = 0;
	struct fixture_db db = fixture_empty_database();
	assert_int_equal(migrate_check(db.conninfo, &e), -ERR_PRECONDITION);
	assert_string_not_equal(e.remedy, "");
	assert_int_equal(migrate_run(db.conninfo, &applied, &e), 0);
	assert_int_equal(applied, migrate_version());
	assert_int_equal(migrate_check(db.conninfo, &e), 0);
	assert_int_equal(migrate_run(db.conninfo, &applied, &e), 0);
	assert_int_equal(applied, 0);
	assert_int_equal(
		fixture_number(db.conninfo,
			       "SELECT count(*) FROM schema_migrations WHERE "
			       "length(sha256) = 64 AND program LIKE 'seved %' AND ms >= 0"),
		migrate_version());
}

static void checking_changes_nothing(void **state)
{
	(void)state;
	struct err e;
	struct fixture_db db = fixture_empty_database();
	assert_int_equal(migrate_check(db.conninfo, &e), -ERR_PRECONDITION);
	assert_int_equal(fixture_number(db.conninfo, "SELECT count(*) FROM pg_tables WHERE "
						     "schemaname = 'public'"),
			 0);
}

/* Exit status: how many migrations this process has applied, 100 for a failure. */
static pid_t migrate_in_child(const char *conninfo)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct err e;
		unsigned applied;
		_exit(migrate_run(conninfo, &applied, &e) < 0 ? 100 : (int)applied);
	}
	return pid;
}

static void four_at_once_apply_each_migration_once(void **state)
{
	(void)state;
	enum { PROCESSES = 4 };
	struct fixture_db db = fixture_empty_database();
	pid_t pids[PROCESSES];
	int total = 0;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = migrate_in_child(db.conninfo);
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, migrate_version());
	assert_int_equal(fixture_number(db.conninfo, "SELECT count(*) FROM schema_migrations"),
			 migrate_version());
}

static void one_that_was_killed_is_finished_by_the_next(void **state)
{
	(void)state;
	struct err e;
	for (useconds_t us = 2000; us < 80000; us += 6000) {
		struct fixture_db db = fixture_empty_database();
		pid_t pid = migrate_in_child(db.conninfo);
		usleep(us); /* anywhere in its work: the result must not depend on where */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(migrate_run(db.conninfo, NULL, &e), 0);
		assert_int_equal(
			fixture_number(db.conninfo, "SELECT count(*) FROM schema_migrations"),
			migrate_version());
	}
}

static void assert_both_refuse(const struct fixture_db *db, enum err_code code, const char *word)
{
	struct err e = {0};
	assert_int_equal(migrate_run(db->conninfo, NULL, &e), -(int)code);
	assert_non_null(strstr(e.text, word));
	assert_string_not_equal(e.remedy, "");
	e = (struct err){0};
	assert_int_equal(migrate_check(db->conninfo, &e), -(int)code);
	assert_non_null(strstr(e.text, word));
}

static void an_edited_migration_is_refused(void **state)
{
	(void)state;
	struct fixture_db db = fixture_database();
	fixture_sql(db.conninfo, "UPDATE schema_migrations SET sha256 = repeat('0', 64) "
				 "WHERE version = 1");
	assert_both_refuse(&db, ERR_PRECONDITION, "0001_core");
}

static void a_newer_schema_is_refused(void **state)
{
	(void)state;
	struct fixture_db db = fixture_database();
	fixture_sql(db.conninfo,
		    "INSERT INTO schema_migrations (version, name, sha256, ms, program)"
		    " VALUES (9000, '9000_future', '', 0, 'seved 9')");
	assert_both_refuse(&db, ERR_PRECONDITION, "9000_future");
}

static void a_missing_migration_is_refused(void **state)
{
	(void)state;
	struct fixture_db db = fixture_database();
	fixture_sql(db.conninfo, "DELETE FROM schema_migrations WHERE version = 1");
	assert_both_refuse(&db, ERR_PRECONDITION, "missing");
}

static void a_server_that_may_lose_work_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"fsync", "full_page_writes"};
	struct fixture_db db = fixture_database();
	char sql[100];
	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s TO off", names[i]);
		fixture_sql(db.admin, sql);
		fixture_restart(SIGINT);
		assert_both_refuse(&db, ERR_CONFIG, names[i]);
		fixture_sql(db.admin, "ALTER SYSTEM RESET ALL");
		fixture_restart(SIGINT);
	}
	snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit TO off", db.name);
	fixture_sql(db.admin, sql);
	assert_both_refuse(&db, ERR_CONFIG, "synchronous_commit");
}

static void a_user_without_the_right_learns_what_to_do(void **state)
{
	(void)state;
	struct err e;
	struct fixture_db db = fixture_empty_database();
	char stranger[512];
	const char *at = strstr(db.conninfo, "user=seve");
	fixture_sql(db.admin, "CREATE ROLE stranger LOGIN");
	snprintf(stranger, sizeof stranger, "%.*suser=stranger%s", (int)(at - db.conninfo),
		 db.conninfo, at + strlen("user=seve"));
	assert_int_equal(migrate_run(stranger, NULL, &e), -ERR_DENIED);
	assert_non_null(strstr(e.remedy, "CREATE ROLE seve_app"));
}

static void an_unreachable_server_is_unavailable(void **state)
{
	(void)state;
	struct err e;
	assert_int_equal(migrate_run("host=/nonexistent dbname=seve", NULL, &e), -ERR_UNAVAILABLE);
	assert_string_not_equal(e.remedy, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_is_brought_to_this_version),
		cmocka_unit_test(checking_changes_nothing),
		cmocka_unit_test(four_at_once_apply_each_migration_once),
		cmocka_unit_test(one_that_was_killed_is_finished_by_the_next),
		cmocka_unit_test(an_edited_migration_is_refused),
		cmocka_unit_test(a_newer_schema_is_refused),
		cmocka_unit_test(a_missing_migration_is_refused),
		cmocka_unit_test(a_server_that_may_lose_work_is_refused),
		cmocka_unit_test(a_user_without_the_right_learns_what_to_do),
		cmocka_unit_test(an_unreachable_server_is_unavailable),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

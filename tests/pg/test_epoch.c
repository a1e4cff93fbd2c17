/* test_epoch.c -- the incarnation of the database: it stays when the server restarts, and changes
 * when history is rewound. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "epoch.h"

static uint64_t ask(const struct fixture_db *db)
{
	struct err e = {0};
	uint64_t epoch = 0;
	if (epoch_ask(db->conninfo, &epoch, &e) < 0)
		fail_msg("%s", e.text);
	return epoch;
}

static void it_survives_a_restart_and_not_a_new_salt(void **state)
{
	(void)state;
	const struct fixture_db db = fixture_database();
	const uint64_t first = ask(&db);
	assert_true(first != 0);
	assert_true(ask(&db) == first);
	fixture_restart(SIGINT);
	assert_true(ask(&db) == first);
	fixture_restart(SIGQUIT); /* crash recovery stays on the timeline */
	assert_true(ask(&db) == first);
	fixture_sql(db.conninfo, "UPDATE instance SET epoch_salt = gen_random_uuid()");
	assert_true(ask(&db) != first);
}

/* Two databases of one cluster differ by their salt. */
static void a_copy_of_the_schema_is_another_database(void **state)
{
	(void)state;
	const struct fixture_db a = fixture_database(), b = fixture_database();
	fixture_sql(b.conninfo, "UPDATE instance SET epoch_salt = gen_random_uuid()");
	assert_true(ask(&a) != ask(&b));
}

static void make_standby(void)
{
	char path[512];
	struct stat owner;
	snprintf(path, sizeof path, "%s/postgres", fixture_cluster()->dir);
	assert_int_equal(stat(path, &owner), 0);
	snprintf(path, sizeof path, "%s/postgres/standby.signal", fixture_cluster()->dir);
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, owner.st_uid, owner.st_gid), 0);
	close(fd);
	fixture_restart(SIGINT);
}

/* The same cluster as a standby of nobody, which then is promoted: a fail-over in one place. */
static void a_standby_has_the_epoch_of_its_primary_until_it_is_promoted(void **state)
{
	(void)state;
	const struct fixture_db db = fixture_database();
	const uint64_t before = ask(&db);
	make_standby();
	assert_string_equal(fixture_text(db.conninfo, "SELECT pg_is_in_recovery()"), "t");
	assert_true(ask(&db) == before);
	fixture_sql(db.admin, "SELECT pg_promote()");
	/* At once: the control file shows the old timeline for some seconds yet. */
	assert_true(ask(&db) != before);
	fixture_sql(db.admin, "CHECKPOINT");
	const uint64_t after = ask(&db);
	assert_true(after != before);
	fixture_restart(SIGINT);
	assert_true(ask(&db) == after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_survives_a_restart_and_not_a_new_salt),
		cmocka_unit_test(a_copy_of_the_schema_is_another_database),
		cmocka_unit_test(a_standby_has_the_epoch_of_its_primary_until_it_is_promoted),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

/* test_takeover.c -- another database takes over: no connection serves sessions under an epoch that
 * is not its own.  A new salt stands for the other database: what was connected before it is
 * connected to the primary of before, which is alive. */
#include "scene.h"

struct taking {
	struct scene *scene;
	struct server *server;
	uint64_t epoch; /* of before */
	bool lost, too_early;
};

/* Else the poll would find out too, a little later. */
static const char *const never_polls[] = {"poll-interval", "1h", NULL};

static int set_up(void **state)
{
	static struct taking t;
	void *scene;
	const int rc = scene_start(&scene, never_polls);
	t = (struct taking){.scene = scene};
	t.server = t.scene->host.server;
	t.epoch = t.server->epoch;
	*state = &t;
	return rc;
}

static int tear_down(void **state)
{
	struct taking *t = *state;
	void *scene = t->scene;
	return scene_tear_down(&scene);
}

static void take_over(const struct taking *t, const char *lost)
{
	char sql[300];
	snprintf(sql, sizeof sql,
		 "UPDATE instance SET epoch_salt = gen_random_uuid();"
		 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
		 " current_database() AND application_name LIKE 'seved %s%%'",
		 lost);
	fixture_sql(t->scene->host.db.admin, sql);
}

static int64_t backend(const struct taking *t, const char *link)
{
	char sql[200];
	snprintf(sql, sizeof sql,
		 "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname ="
		 " current_database() AND application_name = 'seved %s'",
		 link);
	return fixture_number(t->scene->host.db.admin, sql);
}

static bool epoch_is_another(void *ctx)
{
	const struct taking *t = ctx;
	return t->server->epoch != t->epoch;
}

/* Also holds when a reader has come back before the new epoch was known. */
static bool readers_are_back(void *ctx)
{
	struct taking *t = ctx;
	const bool up = pg_pool_up(t->server->readers) > 0;
	t->lost = t->lost || !up;
	t->too_early = t->too_early || (t->lost && up && !epoch_is_another(t));
	return t->lost && up;
}

static bool readers_are_up(void *ctx)
{
	const struct taking *t = ctx;
	return pg_pool_up(t->server->readers) > 0;
}

static void expect_welcome(const struct taking *t)
{
	struct peer p;
	Seve__Welcome *w = peer_open(&p, &t->scene->host, t->scene->token, NULL);
	assert_non_null(w);
	assert_true(w->epoch == t->server->epoch);
	peer_free(w);
	peer_close(&p);
}

/* The connection that listens is not lost, so nothing else tells the server. */
static void readers_come_back_when_the_epoch_is_known(void **state)
{
	struct taking *t = *state;
	struct peer p;
	scene_open(t->scene, &p);
	take_over(t, "reader");
	fixture_run_until(&t->scene->host.loop, readers_are_back, t);
	assert_false(t->too_early);
	peer_expect_error(&p, "UNAVAILABLE");
	peer_close(&p);
	expect_welcome(t);
}

/* The backend of a link, once it is another one than `old`. */
static int64_t await_backend(const struct taking *t, const char *link, int64_t old)
{
	int64_t pid = backend(t, link);
	for (int i = 0; i < 500 && (!pid || pid == old); i++) {
		host_turn(&t->scene->host, 10);
		pid = backend(t, link);
	}
	if (!pid || pid == old)
		fail_msg("no other backend of the %s", link);
	return pid;
}

static void connections_of_the_epoch_before_are_renewed(void **state)
{
	struct taking *t = *state;
	const int64_t writer = await_backend(t, "writer", 0);
	const int64_t reader = await_backend(t, "reader-1", 0);
	take_over(t, "bell");
	fixture_run_until(&t->scene->host.loop, epoch_is_another, t);
	assert_int_equal(pg_pool_up(t->server->readers), 0);
	await_backend(t, "reader-1", reader);
	await_backend(t, "writer", writer);
	fixture_run_until(&t->scene->host.loop, readers_are_up, t);
	expect_welcome(t);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(readers_come_back_when_the_epoch_is_known),
		ROW(connections_of_the_epoch_before_are_renewed),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

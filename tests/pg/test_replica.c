/* test_replica.c -- pulls that are read from a streaming standby: while it has caught up, and never
 * while it has not.  Two servers over one database: the first writes, the second has the standby.
 */
#include "fixture.h"

#include <string.h>

#include "replica.h"
#include "scene.h"
#include "standby.h"

static struct standby standby;

struct stage {
	struct scene *scene; /* the first server */
	struct host second;
	struct peer p; /* of the second */
	uint64_t view;
	char admin[512]; /* of the standby */
};

static int group_start(void **state)
{
	if (fixture_start(state) < 0)
		return -1;
	standby_start(&standby);
	return 0;
}

static int group_stop(void **state)
{
	standby_stop(&standby);
	return fixture_stop(state);
}

static bool serves(void *ctx)
{
	return replica_serves(((struct stage *)ctx)->second.server);
}

static void join(struct stage *g, const char *conninfo, const char *wait)
{
	const char *const flags[] = {
		"replica-database", conninfo, "replica-wait", wait, "poll-interval", "1h", NULL};
	host_join(&g->second, &g->scene->host, flags);
	fixture_run_until(&g->scene->host.loop, serves, g);
	Seve__Welcome *w = peer_open(&g->p, &g->second, g->scene->token, NULL);
	assert_non_null(w);
	for (size_t i = 0; i < w->n_grants; i++)
		if (w->grants[i]->territory == 1)
			g->view = w->grants[i]->view;
	peer_free(w);
}

static int set_up(void **state)
{
	static struct stage g;
	memset(&g, 0, sizeof g);
	scene_set_up((void **)&g.scene);
	const struct fixture_db *db = &g.scene->host.db;
	fixture_sql(db->admin,
		    "INSERT INTO territory_head (slug) VALUES ('nord');"
		    "INSERT INTO account_grant (account_id, role, territory_id) SELECT account_id, "
		    "3, 1 FROM account");
	standby_catch_up(&standby, db);
	standby_admin(&standby, db, g.admin);
	*state = &g;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *g = *state;
	void *scene = g->scene;
	fixture_sql(g->admin, "SELECT pg_wal_replay_resume()");
	if (g->second.server) {
		peer_close(&g->p);
		host_stop(&g->second);
	}
	return scene_tear_down(&scene);
}

static void join_standby(struct stage *g, const char *wait)
{
	char conninfo[512];
	standby_conninfo(&standby, &g->scene->host.db, conninfo);
	join(g, conninfo, wait);
}

static const struct metrics *counted(const struct stage *g)
{
	return &g->second.server->priv->metrics;
}

/* ---- writing and pulling ----------------------------------------------------------------------
 */

/* What any server commits, without a bell. */
static void commit(const struct fixture_db *db, unsigned records)
{
	char sql[400];
	snprintf(sql, sizeof sql,
		 "INSERT INTO record (territory_id, id, kind, rev, level, changed_at, field_revs,"
		 " body) SELECT 1, gen_random_uuid(), 13, h.rev + n, 1, 0, '', '\\x00'"
		 " FROM territory_head h, generate_series(1, %u) n WHERE h.territory_id = 1;"
		 "UPDATE territory_head SET rev = rev + %u WHERE territory_id = 1",
		 records, records);
	fixture_sql(db->admin, sql);
}

static void commit_here(const struct stage *g, unsigned records)
{
	commit(&g->scene->host.db, records);
}

static void pause_replay(const struct stage *g)
{
	standby_catch_up(&standby, &g->scene->host.db);
	fixture_sql(g->admin, "SELECT pg_wal_replay_pause()");
	while (strcmp(fixture_text(g->admin, "SELECT pg_get_wal_replay_pause_state()"), "paused"))
		commit_here(g, 0);
}

static void resume_replay(const struct stage *g)
{
	fixture_sql(g->admin, "SELECT pg_wal_replay_resume()");
}

struct pulled {
	unsigned records;
	uint64_t head;
	char refused[32];
};

static void ask_pull_by(struct stage *g, struct peer *p, uint64_t rev)
{
	Seve__Request r = SEVE__REQUEST__INIT;
	Seve__PullRequest q = SEVE__PULL_REQUEST__INIT;
	q.has_territory = q.has_epoch = q.has_view = q.has_rev = q.has_count = true;
	q.territory = 1;
	q.epoch = rev ? g->second.server->epoch : 0;
	q.view = rev ? g->view : 0;
	q.rev = rev;
	q.count = true;
	r.body_case = SEVE__REQUEST__BODY_PULL;
	r.pull = &q;
	peer_request(p, &r);
}

static void ask_pull(struct stage *g, uint64_t rev)
{
	ask_pull_by(g, &g->p, rev);
}

static struct pulled hear_pull(struct stage *g)
{
	struct pulled out = {0};
	struct frame f;
	struct err e = {0};
	for (;;) {
		while (frame_next(&g->p.plain, FRAME_MAX, &f, &e) == 0)
			peer_pump(&g->p);
		if (f.type == FRAME_REPLY)
			break;
		Seve__Page *page =
			(Seve__Page *)peer_expect(&g->p, FRAME_PAGE, &seve__page__descriptor);
		out.records += (unsigned)page->n_records;
		peer_free(page);
	}
	Seve__Reply *reply = peer_reply(&g->p);
	if (reply->error)
		snprintf(out.refused, sizeof out.refused, "%s", reply->error->detail);
	else
		out.head = reply->pull->head_rev;
	peer_free(reply);
	return out;
}

static struct pulled pull(struct stage *g, uint64_t rev)
{
	ask_pull(g, rev);
	return hear_pull(g);
}

static void expect_pull(struct stage *g, uint64_t rev, unsigned records, uint64_t head)
{
	const struct pulled got = pull(g, rev);
	assert_string_equal(got.refused, "");
	assert_int_equal(got.records, records);
	assert_int_equal(got.head, head);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_standby_that_has_caught_up_answers_pulls(void **state)
{
	struct stage *g = *state;
	join_standby(g, "30s");
	commit_here(g, 10);
	expect_pull(g, 0, 10, 10);
	commit_here(g, 2);
	expect_pull(g, 10, 2, 12);
	expect_pull(g, 12, 0, 12);
	assert_int_equal(counted(g)->pages_standby, 3);
	assert_int_equal(counted(g)->pages_primary, 0);
}

/* Several windows ahead, and the tail. */
static void a_large_load_comes_from_the_standby_as_a_whole(void **state)
{
	struct stage *g = *state;
	join_standby(g, "30s");
	commit_here(g, 9000);
	expect_pull(g, 0, 9000, 9000);
	assert_true(counted(g)->pages_standby > 4);
	assert_int_equal(counted(g)->pages_primary, 0);
}

static void a_pull_waits_for_a_standby_that_is_behind(void **state)
{
	struct stage *g = *state;
	join_standby(g, "30s");
	commit_here(g, 3);
	expect_pull(g, 0, 3, 3);
	pause_replay(g);
	commit_here(g, 1);
	ask_pull(g, 3);
	host_turn(&g->second, 300);
	assert_int_equal(buf_len(&g->p.plain), 0);
	assert_true(counted(g)->replica_waits > 0);
	resume_replay(g);
	const struct pulled got = hear_pull(g);
	assert_int_equal(got.records, 1);
	assert_int_equal(got.head, 4);
	assert_int_equal(counted(g)->pages_primary, 0);
}

/* Nobody has told the second server of the commit: it asks the primary for the head. */
static void what_waits_in_vain_comes_from_the_primary(void **state)
{
	struct stage *g = *state;
	join_standby(g, "100ms");
	commit_here(g, 3);
	pause_replay(g);
	expect_pull(g, 0, 3, 3);
	assert_int_equal(counted(g)->replica_waits, 0);
	commit_here(g, 1);
	expect_pull(g, 3, 1, 4);
	assert_int_equal(counted(g)->replica_waits, 1);
	assert_int_equal(counted(g)->replica_missed, 1);
	assert_int_equal(counted(g)->pages_primary, 1);
	/* The next ones do not wait as well. */
	expect_pull(g, 0, 4, 4);
	assert_int_equal(counted(g)->replica_waits, 1);
	assert_int_equal(counted(g)->pages_primary, 2);
	const uint64_t before = counted(g)->pages_standby;
	resume_replay(g);
	fixture_run_until(&g->scene->host.loop, serves, g);
	expect_pull(g, 0, 4, 4);
	assert_int_equal(counted(g)->pages_standby, before + 1);
}

/* A purge moves no head: a standby that has not replayed it would tell of nothing missed. */
static void what_the_primary_has_begun_to_answer_it_ends(void **state)
{
	struct stage *g = *state;
	struct peer other;
	enum { RECORDS = 40000 };
	join_standby(g, "100ms");
	fixture_sql(g->scene->host.db.admin,
		    "INSERT INTO record (territory_id, id, kind, rev, level, changed_at, "
		    "field_revs, body) SELECT 1, gen_random_uuid(), 13, n, 1, 0, '', "
		    "decode(repeat('ab', 1000), 'hex') FROM generate_series(1, 40000) n;"
		    "UPDATE territory_head SET rev = 40000 WHERE territory_id = 1");
	standby_catch_up(&standby, &g->scene->host.db);
	ask_pull(g, 0);
	host_turn(&g->second, 300); /* nobody reads: it stands still with windows to go */
	assert_true(counted(g)->pages_standby > 0);
	/* Another one's pull finds the standby behind. */
	pause_replay(g);
	commit_here(g, 1);
	peer_free(peer_open(&other, &g->second, g->scene->token, NULL));
	ask_pull_by(g, &other, RECORDS);
	peer_free(peer_expect(&other, FRAME_PAGE, &seve__page__descriptor));
	peer_free(peer_reply(&other));
	peer_close(&other);
	assert_false(replica_serves(g->second.server));
	const uint64_t primary = counted(g)->pages_primary;
	while (counted(g)->pages_primary == primary)
		peer_pump(&g->p);
	resume_replay(g);
	fixture_run_until(&g->scene->host.loop, serves, g);
	const uint64_t before = counted(g)->pages_standby;
	const struct pulled got = hear_pull(g);
	assert_int_equal(got.records, RECORDS + 1);
	assert_true(counted(g)->pages_primary > primary + 4);
	assert_int_equal(counted(g)->pages_standby, before);
}

/* The session's cursor is ahead of the standby, and of nothing else. */
static void a_cursor_ahead_of_the_standby_is_not_ahead_of_the_server(void **state)
{
	struct stage *g = *state;
	join_standby(g, "100ms");
	pause_replay(g);
	commit_here(g, 5);
	expect_pull(g, 5, 0, 5);
	assert_string_equal(pull(g, 6).refused, "RESET_REQUIRED");
	assert_int_equal(counted(g)->pages_standby, 0);
}

static void allow_connections(const struct stage *g, bool allowed)
{
	char sql[200];
	snprintf(sql, sizeof sql,
		 "ALTER DATABASE %s ALLOW_CONNECTIONS %s;"
		 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
		 g->scene->host.db.name, allowed ? "true" : "false", g->scene->host.db.name);
	fixture_sql(fixture_cluster()->admin_conninfo, sql);
}

static bool has_lost_the_primary(void *ctx)
{
	return pg_pool_up(((struct stage *)ctx)->second.server->readers) == 0;
}

static bool has_the_primary(void *ctx)
{
	return pg_pool_up(((struct stage *)ctx)->second.server->readers) > 0;
}

static void without_the_primary_nobody_is_told_to_be_up_to_date(void **state)
{
	struct stage *g = *state;
	join_standby(g, "1s");
	commit_here(g, 3);
	expect_pull(g, 0, 3, 3);
	pause_replay(g);
	commit_here(g, 1);
	ask_pull(g, 3);
	host_turn(&g->second, 200); /* it waits for the standby */
	allow_connections(g, false);
	fixture_run_until(&g->scene->host.loop, has_lost_the_primary, g);
	assert_string_equal(hear_pull(g).refused, "UNAVAILABLE");
	assert_string_equal(pull(g, 3).refused, "UNAVAILABLE");
	assert_string_equal(pull(g, 0).refused, "UNAVAILABLE");
	allow_connections(g, true);
	resume_replay(g);
	fixture_run_until(&g->scene->host.loop, has_the_primary, g);
	expect_pull(g, 3, 1, 4);
}

/* A lock that the standby has replayed, and whose end it has not: queries there fail. */
static void what_fails_on_the_standby_comes_from_the_primary(void **state)
{
	struct stage *g = *state;
	join_standby(g, "30s");
	commit_here(g, 3);
	PGconn *pg = PQconnectdb(g->scene->host.db.admin);
	PQclear(PQexec(pg, "BEGIN"));
	PQclear(PQexec(pg, "LOCK TABLE record IN ACCESS EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(pg), PQTRANS_INTRANS);
	fixture_sql(fixture_cluster()->admin_conninfo, "CHECKPOINT");
	pause_replay(g);
	PQfinish(pg);
	expect_pull(g, 0, 3, 3);
	assert_int_equal(counted(g)->pages_primary, 1);
	assert_int_equal(counted(g)->replica_missed, 1);
}

static void another_history_is_not_read(void **state)
{
	struct stage *g = *state;
	const struct fixture_db other = fixture_database();
	fixture_sql(other.admin, "UPDATE instance SET epoch_salt = gen_random_uuid();"
				 "INSERT INTO territory_head (slug) VALUES ('nord')");
	commit(&other, 50);
	join(g, other.conninfo, "30s");
	commit_here(g, 3);
	expect_pull(g, 0, 3, 3);
	assert_int_equal(counted(g)->pages_standby, 0);
	assert_false(replica_serves(g->second.server));
	expect_pull(g, 3, 0, 3);
}

static void a_standby_that_is_away_costs_nothing(void **state)
{
	struct stage *g = *state;
	join_standby(g, "30s");
	commit_here(g, 3);
	expect_pull(g, 0, 3, 3);
	standby_stop(&standby);
	commit_here(g, 1);
	expect_pull(g, 3, 1, 4);
	assert_int_equal(counted(g)->pages_primary, 1);
	struct err e = {0};
	assert_int_equal(cluster_start(&standby.cluster, &e), 0);
	fixture_run_until(&g->scene->host.loop, serves, g);
	expect_pull(g, 3, 1, 4);
	assert_int_equal(counted(g)->pages_primary, 1);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_standby_that_has_caught_up_answers_pulls),
		ROW(a_large_load_comes_from_the_standby_as_a_whole),
		ROW(a_pull_waits_for_a_standby_that_is_behind),
		ROW(what_waits_in_vain_comes_from_the_primary),
		ROW(what_the_primary_has_begun_to_answer_it_ends),
		ROW(a_cursor_ahead_of_the_standby_is_not_ahead_of_the_server),
		ROW(without_the_primary_nobody_is_told_to_be_up_to_date),
		ROW(what_fails_on_the_standby_comes_from_the_primary),
		ROW(another_history_is_not_read),
		ROW(a_standby_that_is_away_costs_nothing),
	};
	return cmocka_run_group_tests(tests, group_start, group_stop);
}

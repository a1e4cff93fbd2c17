/* test_pool.c -- many units over few links. */
#include "fixture.h"

#include "pg/pool.h"

enum { UNITS = 10000, AT_ONCE = 64, LINKS = 2 };

struct pool_fixture;
struct job {
	struct pool_fixture *f;
	struct arena arena;
	int64_t number;
	bool fails, done;
};

struct pool_fixture {
	uv_loop_t loop;
	struct fixture_db db;
	struct pg_pool *pool;
	bool closed;
	size_t next, n_done, n_wrong, n_exhausted, n_unavailable;
	struct job *jobs;
};

static const struct pg_query add_one = {"add_one", "SELECT $1::int8 + 1"};
static const struct pg_query invert = {"invert", "SELECT 1 / $1::int8"};
static const struct pg_query insert = {"insert", "INSERT INTO t VALUES ($1)"};

static void on_closed(void *ctx)
{
	struct pool_fixture *f = ctx;
	f->closed = true;
}

static bool is_closed(void *ctx)
{
	return ((struct pool_fixture *)ctx)->closed;
}

static bool is_up(void *ctx)
{
	return pg_pool_up(((struct pool_fixture *)ctx)->pool) > 0;
}

static bool all_links_up(void *ctx)
{
	return pg_pool_up(((struct pool_fixture *)ctx)->pool) == LINKS;
}

static bool all_done(void *ctx)
{
	return ((struct pool_fixture *)ctx)->n_done == UNITS;
}

static int set_up(void **state)
{
	struct pool_fixture *f = calloc(1, sizeof *f);
	struct err e;
	f->jobs = calloc(UNITS, sizeof *f->jobs);
	uv_loop_init(&f->loop);
	f->db = fixture_database();
	fixture_sql(f->db.conninfo, "CREATE TABLE t (v int8)");
	*state = f;
	const struct pg_link_options o = {.conninfo = f->db.conninfo, .name = "reader"};
	return pg_pool_open(&f->loop, &o, LINKS, &f->pool, &e);
}

static int tear_down(void **state)
{
	struct pool_fixture *f = *state;
	pg_pool_close(f->pool, on_closed, f);
	fixture_run_until(&f->loop, is_closed, f);
	int rc = uv_loop_close(&f->loop);
	free(f->jobs);
	free(f);
	return rc;
}

static void submit_next(struct pool_fixture *f);

static void on_done(struct pg_unit *u)
{
	struct job *j = u->owner;
	struct pool_fixture *f = j->f;
	bool failed = u->err.code != 0;
	f->n_done++;
	f->n_wrong += j->done || failed != j->fails;
	f->n_exhausted += u->err.code == ERR_EXHAUSTED;
	f->n_unavailable += u->err.code == ERR_UNAVAILABLE;
	if (!failed && pg_get_int8(u->first->result, 0, 0) != j->number + 1)
		f->n_wrong++;
	j->done = true;
	pg_unit_clear(u);
	arena_fini(&j->arena);
	submit_next(f);
}

/* Every seventh unit writes and then fails. */
static void submit_job(struct pool_fixture *f, struct job *j)
{
	j->f = f;
	j->number = j - f->jobs;
	j->fails = j->number % 7 == 3;
	arena_init(&j->arena, 64 * 1024);
	struct pg_unit *u = pg_unit_new(&j->arena, j, on_done);
	struct pg_stmt *s = pg_unit_add(u, add_one);
	pg_params_int8(&s->params, j->number);
	s = pg_unit_add(u, insert);
	pg_params_int8(&s->params, j->number);
	if (j->fails) {
		s = pg_unit_add(u, invert);
		pg_params_int8(&s->params, 0);
	}
	pg_pool_submit(f->pool, u);
}

static void submit_next(struct pool_fixture *f)
{
	if (f->next < UNITS)
		submit_job(f, &f->jobs[f->next++]);
}

static void ten_thousand_units_take_effect_once(void **state)
{
	struct pool_fixture *f = *state;
	fixture_run_until(&f->loop, is_up, f);
	for (int i = 0; i < AT_ONCE; i++)
		submit_next(f);
	fixture_run_until(&f->loop, all_done, f);
	assert_int_equal(f->n_wrong, 0);
	assert_int_equal(pg_pool_up(f->pool), LINKS);
	assert_int_equal(fixture_number(f->db.conninfo, "SELECT count(*) FROM t"),
			 UNITS - (UNITS + 3) / 7);
	assert_int_equal(fixture_number(f->db.conninfo, "SELECT count(DISTINCT v) FROM t"),
			 UNITS - (UNITS + 3) / 7);
	assert_int_equal(pg_pool_load(f->pool), 0);
}

static void links_are_opened_when_there_is_work(void **state)
{
	struct pool_fixture *f = *state;
	fixture_run_until(&f->loop, is_up, f);
	submit_next(f);
	f->next = UNITS - 3 * PG_POOL_BUSY;
	assert_int_equal(pg_pool_up(f->pool), 1);
	for (int i = 0; i < 2 * PG_POOL_BUSY; i++)
		submit_next(f);
	fixture_run_until(&f->loop, all_links_up, f);
	assert_string_equal(pg_pool_trouble(f->pool), "");
}

static void more_than_the_queue_holds_is_refused(void **state)
{
	struct pool_fixture *f = *state;
	fixture_run_until(&f->loop, is_up, f);
	for (int i = 0; i < UNITS; i++)
		submit_next(f);
	assert_int_equal(f->n_done, 0); /* refused, but not before submit has returned */
	fixture_run_until(&f->loop, all_done, f);
	assert_int_equal(f->n_exhausted, UNITS - PG_POOL_QUEUE_MAX);
}

static void without_a_server_every_unit_fails(void **state)
{
	struct pool_fixture *f = *state;
	struct err e;
	pg_pool_close(f->pool, on_closed, f);
	fixture_run_until(&f->loop, is_closed, f);
	f->closed = false;
	const struct pg_link_options o = {.conninfo = "host=/nonexistent", .name = "reader"};
	assert_int_equal(pg_pool_open(&f->loop, &o, 1, &f->pool, &e), 0);
	f->next = UNITS - 10;
	f->n_done = UNITS - 10;
	for (int i = 0; i < 10; i++)
		submit_next(f);
	fixture_run_until(&f->loop, all_done, f);
	assert_int_equal(f->n_unavailable, 10);
	assert_int_equal(pg_pool_up(f->pool), 0);
	assert_string_not_equal(pg_pool_trouble(f->pool), "");
}

/* A unit that fails as the pool closes leads to the next, while links go one after the other. */
static void what_is_submitted_while_the_pool_closes_fails(void **state)
{
	struct pool_fixture *f = *state;
	struct err e;
	fixture_run_until(&f->loop, is_up, f);
	f->next = f->n_done = UNITS - 20 * PG_POOL_BUSY;
	for (int i = 0; i < 2 * PG_POOL_BUSY; i++)
		submit_next(f);
	fixture_run_until(&f->loop, all_links_up, f);
	for (int i = 0; i < PG_POOL_BUSY; i++)
		submit_next(f);
	f->n_unavailable = 0;
	pg_pool_close(f->pool, on_closed, f);
	fixture_run_until(&f->loop, is_closed, f);
	assert_true(f->n_unavailable > 0);
	assert_int_equal(f->n_done, UNITS);
	f->closed = false;
	const struct pg_link_options o = {.conninfo = "host=/nonexistent", .name = "reader"};
	assert_int_equal(pg_pool_open(&f->loop, &o, 1, &f->pool, &e), 0);
}

static void a_pool_without_links_is_refused(void **state)
{
	struct pool_fixture *f = *state;
	struct pg_pool *p = NULL;
	struct err e;
	const struct pg_link_options o = {.conninfo = "", .name = "reader"};
	assert_int_equal(pg_pool_open(&f->loop, &o, 0, &p, &e), -ERR_CONFIG);
	assert_int_equal(pg_pool_open(&f->loop, &o, PG_POOL_LINKS_MAX + 1, &p, &e), -ERR_CONFIG);
	assert_null(p);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(ten_thousand_units_take_effect_once),
		ROW(links_are_opened_when_there_is_work),
		ROW(more_than_the_queue_holds_is_refused),
		ROW(without_a_server_every_unit_fails),
		ROW(what_is_submitted_while_the_pool_closes_fails),
		ROW(a_pool_without_links_is_refused),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

/* test_link.c -- units on one connection: their transactions, their failures, and what happens when
 * the connection goes. */
#include "fixture.h"

#include <signal.h>

#include "pg/link.h"

enum { JOBS = 64 };

/* One unit and what became of it. */
struct job {
	struct link_fixture *f;
	struct arena arena;
	struct pg_unit *unit;
	unsigned done;
	struct err err;
	char sqlstate[6];
	int64_t value; /* of the last statement's result */
};

struct link_fixture {
	uv_loop_t loop;
	struct fixture_db db;
	struct pg_link *link;
	bool closed;
	unsigned ups, downs, notes;
	char note[64];
	struct job jobs[JOBS];
	size_t n_jobs, n_done;
};

static const struct pg_query select_one = {"one", "SELECT 1::int8"};
static const struct pg_query select_id = {"id", "SELECT $1::int8"};
static const struct pg_query divide = {"divide", "SELECT 1 / $1::int8"};
static const struct pg_query insert = {"insert", "INSERT INTO t VALUES ($1)"};
static const struct pg_query begin = {"begin", "BEGIN"};
static const struct pg_query commit = {"commit", "COMMIT"};
static const struct pg_query nap = {"nap", "SELECT 1::int8 FROM pg_sleep(20)"};
static const struct pg_query backend = {"backend", "SELECT pg_backend_pid()::int8"};

static void on_state(void *ctx, struct pg_link *l, bool up)
{
	struct link_fixture *f = ctx;
	(void)l;
	if (up)
		f->ups++;
	else
		f->downs++;
}

static void on_notify(void *ctx, const char *channel, const char *payload)
{
	struct link_fixture *f = ctx;
	f->notes++;
	snprintf(f->note, sizeof f->note, "%s %s", channel, payload);
}

static void on_closed(void *ctx)
{
	struct link_fixture *f = ctx;
	f->closed = true;
}

static void open_with(struct link_fixture *f, const char *setup, unsigned silence_ms)
{
	struct err e;
	struct pg_link_options o = {.conninfo = f->db.conninfo,
				    .name = "test",
				    .setup = setup,
				    .silence_ms = silence_ms,
				    .on_state = on_state,
				    .on_notify = on_notify,
				    .ctx = f};
	assert_int_equal(pg_link_open(&f->loop, &o, &f->link, &e), 0);
}

static bool is_up(void *ctx)
{
	struct link_fixture *f = ctx;
	return pg_link_up(f->link);
}

static bool all_done(void *ctx)
{
	struct link_fixture *f = ctx;
	return f->n_done == f->n_jobs;
}

static bool is_closed(void *ctx)
{
	struct link_fixture *f = ctx;
	return f->closed;
}

static int set_up(void **state)
{
	struct link_fixture *f = calloc(1, sizeof *f);
	uv_loop_init(&f->loop);
	f->db = fixture_database();
	fixture_sql(f->db.conninfo,
		    "CREATE TABLE t (v int8 UNIQUE DEFERRABLE INITIALLY IMMEDIATE)");
	*state = f;
	return 0;
}

static int set_up_open(void **state)
{
	set_up(state);
	struct link_fixture *f = *state;
	open_with(f, NULL, 0);
	fixture_run_until(&f->loop, is_up, f);
	return 0;
}

static int tear_down(void **state)
{
	struct link_fixture *f = *state;
	if (f->link && !f->closed) {
		pg_link_close(f->link, on_closed, f);
		fixture_run_until(&f->loop, is_closed, f);
	}
	for (size_t i = 0; i < f->n_jobs; i++)
		arena_fini(&f->jobs[i].arena);
	int rc = uv_loop_close(&f->loop);
	free(f);
	return rc;
}

static void on_done(struct pg_unit *u)
{
	struct job *j = u->owner;
	j->done++;
	j->f->n_done++;
	j->err = u->err;
	memcpy(j->sqlstate, u->sqlstate, sizeof j->sqlstate);
	const PGresult *r = u->last ? u->last->result : NULL;
	if (!u->err.code && PQntuples(r) == 1 && PQgetlength(r, 0, 0) == 8)
		j->value = pg_get_int8(r, 0, 0);
	pg_unit_clear(u);
}

static struct job *new_job(struct link_fixture *f)
{
	assert_true(f->n_jobs < JOBS);
	struct job *j = &f->jobs[f->n_jobs++];
	j->f = f;
	arena_init(&j->arena, 64 * 1024 * 1024);
	j->unit = pg_unit_new(&j->arena, j, on_done);
	return j;
}

static void add(struct job *j, struct pg_query q)
{
	assert_non_null(pg_unit_add(j->unit, q));
}

static void add_number(struct job *j, struct pg_query q, int64_t v)
{
	struct pg_stmt *s = pg_unit_add(j->unit, q);
	pg_params_int8(&s->params, v);
}

static struct job *submit(struct job *j)
{
	pg_link_submit(j->f->link, j->unit);
	assert_int_equal(j->done, 0); /* never before submit has returned */
	return j;
}

static struct job *submit_number(struct link_fixture *f, struct pg_query q, int64_t v)
{
	struct job *j = new_job(f);
	add_number(j, q, v);
	return submit(j);
}

static struct job *submit_plain(struct link_fixture *f, struct pg_query q)
{
	struct job *j = new_job(f);
	add(j, q);
	return submit(j);
}

static void wait_all(struct link_fixture *f)
{
	fixture_run_until(&f->loop, all_done, f);
	for (size_t i = 0; i < f->n_jobs; i++)
		assert_int_equal(f->jobs[i].done, 1);
}

static void assert_fails(const struct job *j, enum err_code code, const char *sqlstate)
{
	if (j->err.code != code)
		fail_msg("%s instead of %s: %s", err_name(j->err.code), err_name(code),
			 j->err.text);
	assert_string_equal(j->sqlstate, sqlstate);
}

static void assert_works(struct link_fixture *f)
{
	fixture_run_until(&f->loop, is_up, f);
	struct job *j = submit_number(f, select_id, 42);
	wait_all(f);
	assert_int_equal(j->err.code, 0);
	assert_int_equal(j->value, 42);
}

static int64_t rows(const struct link_fixture *f)
{
	return fixture_number(f->db.conninfo, "SELECT count(*) FROM t");
}

/* ---- transactions ---- */

static void units_come_back_with_their_results_in_order(void **state)
{
	struct link_fixture *f = *state;
	for (int i = 0; i < 20; i++) {
		struct job *j = new_job(f);
		add(j, select_one);
		add_number(j, select_id, i);
		submit(j);
	}
	wait_all(f);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(f->jobs[i].err.code, 0);
		assert_int_equal(f->jobs[i].value, i);
	}
}

static void a_failing_unit_leaves_its_neighbours_committed(void **state)
{
	struct link_fixture *f = *state;
	submit_number(f, insert, 1);
	struct job *bad = new_job(f);
	add_number(bad, insert, 2);
	add_number(bad, divide, 0);
	add_number(bad, insert, 3);
	submit(bad);
	submit_number(f, insert, 4);
	wait_all(f);
	assert_int_equal(f->jobs[0].err.code, 0);
	assert_fails(bad, ERR_INVALID, "22012");
	assert_int_equal(f->jobs[2].err.code, 0);
	assert_string_equal(fixture_text(f->db.conninfo, "SELECT string_agg(v::text, ',') FROM t"),
			    "1,4");
}

static void a_statement_prepared_beside_a_failure_stays_prepared(void **state)
{
	struct link_fixture *f = *state;
	struct job *bad = new_job(f);
	add_number(bad, divide, 0);
	add_number(bad, insert, 1); /* first use, behind the failure */
	submit(bad);
	submit_number(f, insert, 2); /* in the same pipeline */
	wait_all(f);
	assert_fails(bad, ERR_INVALID, "22012");
	assert_int_equal(f->jobs[1].err.code, 0);
	assert_int_equal(f->downs, 0);
}

static void a_statement_that_cannot_be_prepared_fails_each_time(void **state)
{
	struct link_fixture *f = *state;
	static const struct pg_query nonsense = {"nonsense", "SELECT missing FROM t"};
	struct job *first = submit_plain(f, nonsense);
	wait_all(f);
	struct job *second = submit_plain(f, nonsense);
	wait_all(f);
	assert_fails(first, ERR_DATABASE, "42703");
	assert_fails(second, ERR_DATABASE, "42703");
	assert_works(f);
	assert_int_equal(f->downs, 0);
}

static void a_failed_transaction_block_is_left(void **state)
{
	struct link_fixture *f = *state;
	struct job *bad = new_job(f);
	add(bad, begin);
	add_number(bad, divide, 0);
	submit(bad);
	struct job *behind = submit_number(f, insert, 1); /* under way already: refused, not lost */
	wait_all(f);
	assert_fails(bad, ERR_INVALID, "22012");
	assert_fails(behind, ERR_UNAVAILABLE, "25P02");
	struct job *next = submit_number(f, insert, 2);
	wait_all(f);
	assert_int_equal(next->err.code, 0);
	assert_int_equal(rows(f), 1);
}

static void a_commit_that_rolls_back_is_a_failure(void **state)
{
	struct link_fixture *f = *state;
	struct job *first = new_job(f);
	add(first, begin);
	add_number(first, divide, 0);
	submit(first);
	struct job *second = submit_plain(f, commit);
	wait_all(f);
	assert_fails(second, ERR_UNAVAILABLE, "25P02");
	assert_works(f);
}

static void a_transaction_may_span_units(void **state)
{
	struct link_fixture *f = *state;
	struct job *first = new_job(f);
	add(first, begin);
	add_number(first, insert, 1);
	submit(first);
	wait_all(f);
	assert_int_equal(rows(f), 0);
	struct job *second = new_job(f);
	add_number(second, insert, 2);
	add(second, commit);
	second->unit->session = pg_link_session(f->link);
	submit(second);
	wait_all(f);
	assert_int_equal(second->err.code, 0);
	assert_int_equal(rows(f), 2);
}

static void a_failure_at_the_sync_is_the_units(void **state)
{
	struct link_fixture *f = *state;
	static const struct pg_query later = {"later", "SET CONSTRAINTS ALL DEFERRED"};
	struct job *bad = new_job(f);
	add(bad, later);
	add_number(bad, insert, 1);
	add_number(bad, insert, 1); /* found out at commit */
	submit(bad);
	submit_number(f, insert, 2);
	wait_all(f);
	assert_fails(bad, ERR_EXISTS, "23505");
	assert_int_equal(f->jobs[1].err.code, 0);
	assert_int_equal(rows(f), 1);
}

static void a_unit_without_statements_succeeds(void **state)
{
	struct link_fixture *f = *state;
	struct job *j = submit(new_job(f));
	wait_all(f);
	assert_int_equal(j->err.code, 0);
}

/* ---- what is refused before it is sent ---- */

static void other_parameter_types_are_refused(void **state)
{
	struct link_fixture *f = *state;
	submit_number(f, select_id, 1);
	struct job *bad = new_job(f);
	struct pg_stmt *s = pg_unit_add(bad->unit, select_id);
	pg_params_int4(&s->params, 1);
	submit(bad);
	wait_all(f);
	assert_fails(bad, ERR_INTERNAL, "");
	assert_false(bad->unit->sent);
	assert_works(f);
}

static void bad_parameters_are_refused(void **state)
{
	struct link_fixture *f = *state;
	struct job *bad = new_job(f);
	struct pg_stmt *fresh = pg_unit_add(bad->unit, divide);
	pg_params_int8(&fresh->params, 1);
	struct pg_stmt *s = pg_unit_add(bad->unit, select_id);
	s->params.bad = true;
	submit(bad);
	wait_all(f);
	assert_fails(bad, ERR_NOMEM, "");
	/* the first statement was not noted as prepared */
	struct job *good = submit_number(f, divide, 1);
	wait_all(f);
	assert_int_equal(good->err.code, 0);
}

/* ---- losing the connection ---- */

static int64_t backend_pid(struct link_fixture *f)
{
	struct job *j = submit_plain(f, backend);
	wait_all(f);
	return j->value;
}

static void signal_backend(struct link_fixture *f, const char *function, int64_t pid)
{
	char sql[80];
	snprintf(sql, sizeof sql, "SELECT %s(%lld)", function, (long long)pid);
	fixture_sql(f->db.admin, sql);
}

static bool is_napping(void *ctx)
{
	struct link_fixture *f = ctx;
	return fixture_number(f->db.admin, "SELECT count(*) FROM pg_stat_activity WHERE "
					   "wait_event = 'PgSleep' AND datname = "
					   "current_database()") == 1;
}

static void a_terminated_backend_makes_outcomes_unknown(void **state)
{
	struct link_fixture *f = *state;
	int64_t pid = backend_pid(f);
	struct job *first = submit_number(f, insert, 1);
	struct job *asleep = submit_plain(f, nap);
	struct job *behind = submit_number(f, insert, 2);
	fixture_run_until(&f->loop, is_napping, f);
	signal_backend(f, "pg_terminate_backend", pid);
	wait_all(f);
	assert_int_equal(first->err.code, 0);
	assert_int_equal(asleep->err.code, ERR_OUTCOME);
	assert_int_equal(behind->err.code, ERR_OUTCOME);
	assert_true(behind->unit->sent);
	assert_int_equal(f->downs, 1);
	assert_works(f);
	assert_int_not_equal(backend_pid(f), pid);
	assert_int_equal(f->ups, 2);
}

static void a_killed_backend_makes_outcomes_unknown(void **state)
{
	struct link_fixture *f = *state;
	int64_t pid = backend_pid(f);
	struct job *asleep = submit_plain(f, nap);
	fixture_run_until(&f->loop, is_napping, f);
	kill((pid_t)pid, SIGKILL);
	wait_all(f);
	assert_fails(asleep, ERR_OUTCOME, asleep->sqlstate);
	assert_works(f);
}

static bool is_down(void *ctx)
{
	return !is_up(ctx);
}

static void units_fail_at_once_while_the_server_is_away(void **state)
{
	struct link_fixture *f = *state;
	static const int ways[] = {SIGINT, SIGQUIT};
	for (size_t i = 0; i < 2; i++) {
		fixture_restart(ways[i]);
		fixture_run_until(&f->loop, is_down, f);
		struct job *j = submit_number(f, insert, (int64_t)i);
		wait_all(f);
		assert_fails(j, ERR_UNAVAILABLE, "");
		assert_false(j->unit->sent);
		assert_works(f);
	}
	assert_int_equal(rows(f), 0);
}

static void a_unit_of_a_former_session_is_refused(void **state)
{
	struct link_fixture *f = *state;
	uint32_t session = pg_link_session(f->link);
	assert_int_not_equal(session, 0);
	fixture_restart(SIGINT);
	fixture_run_until(&f->loop, is_down, f);
	assert_int_equal(pg_link_session(f->link), 0);
	fixture_run_until(&f->loop, is_up, f);
	struct job *j = new_job(f);
	add_number(j, insert, 1);
	j->unit->session = session;
	submit(j);
	wait_all(f);
	assert_fails(j, ERR_UNAVAILABLE, "");
	assert_int_equal(rows(f), 0);
}

static void a_changed_plan_renews_the_session(void **state)
{
	struct link_fixture *f = *state;
	static const struct pg_query star = {"star", "SELECT * FROM t"};
	submit_plain(f, star);
	wait_all(f);
	fixture_sql(f->db.conninfo, "ALTER TABLE t ADD COLUMN w text");
	struct job *j = submit_plain(f, star);
	wait_all(f);
	assert_fails(j, ERR_UNAVAILABLE, "0A000");
	assert_works(f);
	struct job *again = submit_plain(f, star);
	wait_all(f);
	assert_int_equal(again->err.code, 0);
	assert_int_equal(f->downs, 1);
}

static void a_silent_server_is_given_up(void **state)
{
	struct link_fixture *f = *state;
	open_with(f, NULL, 1000);
	fixture_run_until(&f->loop, is_up, f);
	pid_t pid = (pid_t)backend_pid(f);
	kill(pid, SIGSTOP);
	struct job *j = submit_number(f, insert, 1);
	wait_all(f);
	kill(pid, SIGCONT);
	assert_fails(j, ERR_OUTCOME, "");
	assert_works(f);
}

/* ---- setting up ---- */

static bool has_trouble(void *ctx)
{
	struct link_fixture *f = ctx;
	return *pg_link_trouble(f->link) != 0;
}

static void the_setup_is_there_before_the_first_unit(void **state)
{
	struct link_fixture *f = *state;
	static const struct pg_query who = {
		"who", "SELECT 1::int8 WHERE current_user = 'seve_app' AND "
		       "current_setting('TimeZone') = 'UTC' AND "
		       "current_setting('statement_timeout') = '10s' AND "
		       "current_setting('plan_cache_mode') = 'force_generic_plan' AND "
		       "current_setting('application_name') = 'seved test'"};
	open_with(f, PG_SETUP_APP, 0);
	fixture_run_until(&f->loop, is_up, f);
	struct job *j = submit_plain(f, who);
	wait_all(f);
	assert_int_equal(j->err.code, 0);
	assert_int_equal(j->value, 1);
}

static void a_setup_that_fails_never_comes_up(void **state)
{
	struct link_fixture *f = *state;
	open_with(f, "SET ROLE nobody_knows", 0);
	fixture_run_until(&f->loop, has_trouble, f);
	assert_int_equal(f->ups, 0);
	assert_non_null(strstr(pg_link_trouble(f->link), "nobody_knows"));
	struct job *j = submit_plain(f, select_one);
	wait_all(f);
	assert_fails(j, ERR_UNAVAILABLE, "");
	assert_non_null(strstr(j->err.text, "nobody_knows"));
}

static void synchronous_commit_off_is_refused(void **state)
{
	struct link_fixture *f = *state;
	char sql[100];
	snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit TO off", f->db.name);
	fixture_sql(f->db.admin, sql);
	open_with(f, NULL, 0);
	fixture_run_until(&f->loop, has_trouble, f);
	assert_int_equal(f->ups, 0);
	assert_non_null(strstr(pg_link_trouble(f->link), "synchronous_commit"));
}

static bool is_noted(void *ctx)
{
	struct link_fixture *f = ctx;
	return f->notes > 0;
}

static void notifications_come_also_after_a_loss(void **state)
{
	struct link_fixture *f = *state;
	open_with(f, "LISTEN bell", 0);
	for (int i = 0; i < 2; i++) {
		fixture_run_until(&f->loop, is_up, f);
		fixture_sql(f->db.conninfo, "NOTIFY bell, 'ding'");
		fixture_run_until(&f->loop, is_noted, f);
		assert_string_equal(f->note, "bell ding");
		f->notes = 0;
		signal_backend(f, "pg_terminate_backend", backend_pid(f));
		fixture_run_until(&f->loop, is_down, f);
	}
}

/* ---- size, closing ---- */

static void much_in_both_directions_does_not_block(void **state)
{
	struct link_fixture *f = *state;
	static const struct pg_query echo = {"echo",
					     "SELECT length($1)::int8, $1, repeat('x', 4000000)"};
	static char text[4 * 1024 * 1024];
	memset(text, 'a', sizeof text - 1);
	for (int i = 0; i < 6; i++) {
		struct job *j = new_job(f);
		struct pg_stmt *s = pg_unit_add(j->unit, echo);
		pg_params_text(&s->params, text);
		submit(j);
	}
	wait_all(f);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(f->jobs[i].err.code, 0);
	}
}

static void closing_ends_each_unit_once(void **state)
{
	struct link_fixture *f = *state;
	struct job *asleep = submit_plain(f, nap);
	fixture_run_until(&f->loop, is_napping, f);
	struct job *waiting = submit_number(f, insert, 1);
	pg_link_close(f->link, on_closed, f);
	pg_link_close(f->link, NULL, NULL);
	struct job *late = submit_number(f, insert, 2);
	fixture_run_until(&f->loop, is_closed, f);
	wait_all(f);
	assert_fails(asleep, ERR_OUTCOME, "");
	assert_fails(waiting, ERR_UNAVAILABLE, "");
	assert_fails(late, ERR_UNAVAILABLE, "");
}

static void close_in_done(struct pg_unit *u)
{
	struct job *j = u->owner;
	pg_link_close(j->f->link, on_closed, j->f);
	on_done(u);
}

static void a_unit_may_close_its_link(void **state)
{
	struct link_fixture *f = *state;
	struct job *j = new_job(f);
	j->unit->done = close_in_done;
	add(j, select_one);
	submit(j);
	struct job *behind = submit_number(f, select_id, 1);
	fixture_run_until(&f->loop, is_closed, f);
	wait_all(f);
	assert_int_equal(j->err.code, 0);
	assert_int_equal(behind->done, 1);
}

static void a_link_that_never_connects_closes(void **state)
{
	struct link_fixture *f = *state;
	snprintf(f->db.conninfo, sizeof f->db.conninfo, "host=/nonexistent dbname=seve");
	open_with(f, NULL, 0);
	fixture_run_until(&f->loop, has_trouble, f);
	struct job *j = submit_plain(f, select_one);
	wait_all(f);
	assert_fails(j, ERR_UNAVAILABLE, "");
}

static void an_idle_link_does_not_spin(void **state)
{
	struct link_fixture *f = *state;
	assert_works(f);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	/* the next thing to wait for is the watch's timer: the loop would sleep */
	assert_true(uv_backend_timeout(&f->loop) > 0);
}

int main(void)
{
#define OPEN(test)  cmocka_unit_test_setup_teardown(test, set_up_open, tear_down)
#define PLAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OPEN(units_come_back_with_their_results_in_order),
		OPEN(a_failing_unit_leaves_its_neighbours_committed),
		OPEN(a_statement_prepared_beside_a_failure_stays_prepared),
		OPEN(a_statement_that_cannot_be_prepared_fails_each_time),
		OPEN(a_failed_transaction_block_is_left),
		OPEN(a_commit_that_rolls_back_is_a_failure),
		OPEN(a_transaction_may_span_units),
		OPEN(a_failure_at_the_sync_is_the_units),
		OPEN(a_unit_without_statements_succeeds),
		OPEN(other_parameter_types_are_refused),
		OPEN(bad_parameters_are_refused),
		OPEN(a_terminated_backend_makes_outcomes_unknown),
		OPEN(a_killed_backend_makes_outcomes_unknown),
		OPEN(units_fail_at_once_while_the_server_is_away),
		OPEN(a_unit_of_a_former_session_is_refused),
		OPEN(a_changed_plan_renews_the_session),
		PLAIN(a_silent_server_is_given_up),
		PLAIN(the_setup_is_there_before_the_first_unit),
		PLAIN(a_setup_that_fails_never_comes_up),
		PLAIN(synchronous_commit_off_is_refused),
		PLAIN(notifications_come_also_after_a_loss),
		OPEN(much_in_both_directions_does_not_block),
		OPEN(closing_ends_each_unit_once),
		OPEN(a_unit_may_close_its_link),
		PLAIN(a_link_that_never_connects_closes),
		OPEN(an_idle_link_does_not_spin),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

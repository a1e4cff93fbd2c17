/* test_writer.c -- the group-commit writer on a real PostgreSQL: what it acknowledges is there,
 * once; one bad job harms no other. */
#include "fixture.h"

#include <signal.h>
#include <string.h>

#include "epoch.h"
#include "pg/writer.h"
#include "server_private.h"

enum { JOBS = 700, ACTION_TITLE = 1, KIND_ACTION = SEVE__BODY__KIND_ACTION };

struct bench {
	uv_loop_t loop;
	struct server server;
	struct server_private priv;
	struct fixture_db db;
	struct writer *writer;
	bool closed;
	size_t left;
};

/* A job that creates one action, with all that it needs. */
struct creation {
	struct writer_job job;
	Seve__Mutation mutation;
	Seve__Change change, *changes[1];
	Seve__Body body;
	Seve__Action action;
	uint32_t mask[1];
	uint8_t id[16];
	char title[32];
	struct bench *bench;
	Seve__Verdict__Code code;
	char violation[24];
};

static void job_done(struct writer_job *j)
{
	struct creation *c = j->owner;

	c->code = SEVE__VERDICT__CODE__UNSPECIFIED;
	if (!j->err.code) {
		c->code = j->work.verdict->code;
		if (j->work.verdict->n_violations)
			snprintf(c->violation, sizeof c->violation, "%s",
				 j->work.verdict->violations[0]->code);
	}
	c->bench->left--;
}

static void creation_init(struct creation *c, struct bench *b, const struct uuid *client,
			  uint64_t mid, const char *title)
{
	struct uuid id = uuid_v7();

	memset(c, 0, sizeof *c);
	c->bench = b;
	memcpy(c->id, id.b, 16);
	snprintf(c->title, sizeof c->title, "%s", title);
	seve__action__init(&c->action);
	c->action.title = c->title;
	seve__body__init(&c->body);
	c->body.kind_case = SEVE__BODY__KIND_ACTION;
	c->body.action = &c->action;
	seve__change__init(&c->change);
	c->change.has_op = c->change.has_id = c->change.has_kind = 1;
	c->change.op = SEVE__CHANGE__OP__OP_CREATE;
	c->change.id = (ProtobufCBinaryData){16, c->id};
	c->change.kind = KIND_ACTION;
	c->mask[0] = ACTION_TITLE;
	c->change.mask = c->mask;
	c->change.n_mask = 1;
	c->change.set = &c->body;
	c->changes[0] = &c->change;
	seve__mutation__init(&c->mutation);
	c->mutation.has_mid = 1;
	c->mutation.mid = mid;
	c->mutation.n_changes = 1;
	c->mutation.changes = c->changes;
	c->job.work.territory = 1;
	c->job.work.mutation = &c->mutation;
	c->job.work.author = (struct apply_author){.account = "test",
						   .client = *client,
						   .client_short = uuid_short(client),
						   .reads = SEVE__LEVEL__LEVEL_TEAM,
						   .writes = KIND_BY_F};
	c->job.bytes = 200;
	c->job.owner = c;
	c->job.done = job_done;
}

static bool none_left(void *ctx)
{
	return ((struct bench *)ctx)->left == 0;
}

static void submit(struct bench *b, struct creation *c)
{
	struct err e;

	b->left++;
	assert_int_equal(writer_submit(b->writer, &c->job, &e), 0);
}

static void await_all(struct bench *b)
{
	fixture_run_until(&b->loop, none_left, b);
}

static void writer_is_closed(void *ctx)
{
	((struct bench *)ctx)->closed = true;
}

static bool is_closed(void *ctx)
{
	return ((struct bench *)ctx)->closed;
}

/* Submits the job again until the database has taken it: the first ones find the connection not yet
 * up. */
static void submit_until_taken(struct bench *b, struct creation *c)
{
	do {
		submit(b, c);
		await_all(b);
	} while (c->job.err.code && err_class(c->job.err.code) != ERR_PERMANENT);
	assert_int_equal(c->job.err.code, 0);
}

static void open_writer(struct bench *b)
{
	struct creation c;
	struct uuid client = uuid_v7();
	struct err e;

	b->closed = false;
	assert_int_equal(writer_open(&b->loop, &b->server, b->db.conninfo, &b->writer, &e), 0);
	creation_init(&c, b, &client, 1, "warm");
	c.job.work.territory = 99; /* refused, but only once the database is there */
	do {
		submit(b, &c);
		await_all(b);
	} while (c.job.err.code == ERR_UNAVAILABLE);
}

static void close_writer(struct bench *b)
{
	writer_close(b->writer, writer_is_closed, b);
	fixture_run_until(&b->loop, is_closed, b);
}

static struct bench *bench_open(void)
{
	struct bench *b = calloc(1, sizeof *b);

	uv_loop_init(&b->loop);
	b->server.loop = &b->loop;
	b->server.priv = &b->priv;
	b->db = fixture_database();
	fixture_sql(b->db.admin, "INSERT INTO territory_head (slug) VALUES ('nord')");
	open_writer(b);
	return b;
}

static void bench_close(struct bench *b)
{
	close_writer(b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	free(b);
}

/* ---- the tests
 * ---------------------------------------------------------------------------------------- */

static void many_jobs_get_consecutive_revisions_and_references(void **state)
{
	struct bench *b = bench_open();
	struct creation *list = calloc(JOBS, sizeof *list);
	struct uuid client = uuid_v7();

	(void)state;
	for (size_t i = 0; i < JOBS; i++) {
		char title[32];

		snprintf(title, sizeof title, "action %zu", i);
		creation_init(&list[i], b, &client, i + 1, title);
		submit(b, &list[i]);
	}
	await_all(b);
	for (size_t i = 0; i < JOBS; i++)
		assert_int_equal(list[i].code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM record WHERE territory_id = 1"),
		JOBS);
	assert_int_equal(fixture_number(b->db.admin, "SELECT max(rev) - min(rev) + 1 FROM record"),
			 JOBS);
	assert_int_equal(fixture_number(b->db.admin, "SELECT max(ref_no) FROM record"), JOBS);
	assert_int_equal(fixture_number(b->db.admin,
					"SELECT rev FROM territory_head WHERE territory_id = 1"),
			 JOBS);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM action WHERE status = 'idea'"),
		JOBS);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM mutation WHERE code = 1"), JOBS);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record_version"), 0);
	free(list);
	bench_close(b);
}

static void a_job_that_the_database_refuses_harms_no_other(void **state)
{
	struct bench *b = bench_open();
	struct creation list[64];
	struct uuid client = uuid_v7();

	(void)state;
	fixture_sql(b->db.admin, "ALTER TABLE action ADD CHECK (title <> 'poison')");
	for (size_t i = 0; i < 64; i++) {
		creation_init(&list[i], b, &client, i + 1, i == 41 ? "poison" : "fine");
		submit(b, &list[i]);
	}
	await_all(b);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(list[i].code, i == 41 ? SEVE__VERDICT__CODE__REJECTED
						       : SEVE__VERDICT__CODE__APPLIED);
	assert_string_equal(list[41].violation, "DATABASE");
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 63);
	assert_int_equal(
		fixture_number(b->db.admin,
			       "SELECT count(*) FROM mutation WHERE code = 5 AND territory_id = 1"),
		1);
	bench_close(b);
}

static void a_retry_reads_the_stored_verdict(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c;

	(void)state;
	creation_init(&c, b, &client, 1, "once");
	submit(b, &c);
	await_all(b);
	close_writer(b);
	open_writer(b);
	submit(b, &c);
	await_all(b);
	assert_int_equal(c.code, SEVE__VERDICT__CODE__APPLIED);
	assert_true(c.job.work.replayed);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 1);
	snprintf(c.title, sizeof c.title, "twice");
	submit(b, &c);
	await_all(b);
	assert_int_equal(c.job.err.code, ERR_MID_REUSED);
	bench_close(b);
}

static void a_dry_run_leaves_nothing(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c;

	(void)state;
	creation_init(&c, b, &client, 1, "dry");
	c.job.batch_key = &c;
	c.job.rollback = true;
	submit(b, &c);
	await_all(b);
	assert_int_equal(c.code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(fixture_number(b->db.admin,
					"SELECT count(*) + (SELECT count(*) FROM mutation "
					"WHERE territory_id = 1) FROM record"),
			 0);
	assert_int_equal(fixture_number(b->db.admin,
					"SELECT rev FROM territory_head WHERE territory_id = 1"),
			 0);
	bench_close(b);
}

static void after_a_restart_of_the_database_the_same_jobs_go_through_once(void **state)
{
	struct bench *b = bench_open();
	struct creation list[40];
	struct uuid client = uuid_v7();

	(void)state;
	for (size_t i = 0; i < 40; i++)
		creation_init(&list[i], b, &client, i + 1, "safe");
	for (size_t i = 0; i < 20; i++)
		submit(b, &list[i]);
	uv_run(&b->loop, UV_RUN_NOWAIT); /* some of it is under way */
	fixture_restart(SIGQUIT);
	await_all(b);
	for (size_t i = 0; i < 40; i++)
		submit_until_taken(b, &list[i]);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 40);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM mutation WHERE territory_id = 1"),
		40);
	bench_close(b);
}

static void two_writers_share_a_territory_without_a_gap(void **state)
{
	struct bench *one = bench_open();
	struct creation *list = calloc(400, sizeof *list);
	struct uuid clients[2] = {uuid_v7(), uuid_v7()};

	(void)state;
	struct writer *first = one->writer;
	open_writer(one); /* a second one on the same loop */
	struct writer *second = one->writer;
	for (size_t i = 0; i < 400; i++) {
		one->writer = i % 2 ? second : first;
		creation_init(&list[i], one, &clients[i % 2], i / 2 + 1, "shared");
		submit(one, &list[i]);
		if (i % 16 == 0)
			uv_run(&one->loop, UV_RUN_NOWAIT);
	}
	await_all(one);
	for (size_t i = 0; i < 400; i++)
		assert_int_equal(list[i].code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(fixture_number(one->db.admin, "SELECT count(DISTINCT rev) FROM record"),
			 400);
	assert_int_equal(fixture_number(one->db.admin, "SELECT max(rev) FROM record"), 400);
	one->writer = second;
	close_writer(one);
	one->closed = false;
	one->writer = first;
	free(list);
	bench_close(one);
}

/* ---- what the writer remembers of its clients ---- */

static void push(struct bench *b, struct creation *c)
{
	submit(b, c);
	await_all(b);
	assert_int_equal(c->job.err.code, 0);
	assert_int_equal(c->code, SEVE__VERDICT__CODE__APPLIED);
}

static void a_client_that_pushes_again_is_not_looked_up(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		creation_init(&c[i], b, &client, i + 1, "one of three");
	push(b, &c[0]);
	fixture_sql(b->db.admin, "DELETE FROM mutation");
	push(b, &c[1]);
	/* a connection that was lost may have been to a database that has since gone back */
	fixture_sql(b->db.admin, "DELETE FROM mutation; SELECT pg_terminate_backend(pid) FROM "
				 "pg_stat_activity WHERE application_name = 'seved writer'");
	do {
		submit(b, &c[2]);
		await_all(b);
	} while (c[2].job.err.code == ERR_UNAVAILABLE || c[2].job.err.code == ERR_OUTCOME);
	assert_int_equal(c[2].job.err.code, ERR_OUT_OF_ORDER);
	bench_close(b);
}

static void a_client_that_went_on_with_another_process_gets_that_verdict(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		creation_init(&c[i], b, &client, i + 1, "one of three");
	struct writer *here = b->writer;
	push(b, &c[0]);
	open_writer(b);
	push(b, &c[1]);
	close_writer(b);
	b->closed = false;
	b->writer = here;
	push(b, &c[1]);
	assert_true(c[1].job.work.replayed);
	push(b, &c[2]);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 3);
	bench_close(b);
}

/* ---- what the records of a batch leave out ---- */

static void columns_that_no_record_fills_are_null(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c[2];
	uint32_t mask[] = {ACTION_TITLE, 17};
	char step[] = "call them";

	(void)state;
	for (size_t i = 0; i < 2; i++)
		creation_init(&c[i], b, &client, i + 1, i ? "with a step" : "bare");
	c[1].change.mask = mask;
	c[1].change.n_mask = 2;
	c[1].action.next_step = step;
	push(b, &c[0]);
	push(b, &c[1]);
	assert_int_equal(fixture_number(b->db.admin,
					"SELECT count(*) FROM action WHERE next_step IS NULL AND "
					"title = 'bare' AND effort IS NULL"),
			 1);
	assert_int_equal(fixture_number(b->db.admin,
					"SELECT count(*) FROM action WHERE next_step = 'call them' "
					"AND title = 'with a step' AND effort IS NULL"),
			 1);
	bench_close(b);
}

/* ---- two batches under way: the first in its STORE, held there by a slow statement, the LOAD of
 * the second behind it ---- */

enum { AHEAD = 8 };

static void prepare_pair(struct bench *b, struct creation *list, const struct uuid *client,
			 const char *special)
{
	for (size_t i = 0; i < 2 * AHEAD; i++)
		creation_init(&list[i], b, client, i + 1, i == 3 ? special : "fine");
}

/* Submits both halves, the second once the first is being stored; returns when its LOAD has been
 * sent. */
static void submit_pair(struct bench *b, struct creation *list)
{
	for (size_t i = 0; i < AHEAD; i++)
		submit(b, &list[i]);
	while (!fixture_number(b->db.admin, "SELECT count(*) FROM pg_stat_activity WHERE "
					    "wait_event = 'PgSleep' AND datname = "
					    "current_database()"))
		uv_run(&b->loop, UV_RUN_NOWAIT);
	for (size_t i = AHEAD; i < 2 * AHEAD; i++)
		submit(b, &list[i]);
	for (size_t i = 0; i < 4; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(b->left, 2 * AHEAD);
}

/* All but the poisoned one are there, in the order of their mids. */
static void assert_poison_alone_refused(struct bench *b, const struct creation *list)
{
	for (size_t i = 0; i < 2 * AHEAD; i++)
		assert_int_equal(list[i].code, i == 3 ? SEVE__VERDICT__CODE__REJECTED
						      : SEVE__VERDICT__CODE__APPLIED);
	assert_string_equal(list[3].violation, "DATABASE");
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 2 * AHEAD - 1);
	assert_int_equal(fixture_number(b->db.admin, "SELECT max(rev) FROM record"), 2 * AHEAD - 1);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM mutation WHERE territory_id = 1"),
		2 * AHEAD);
}

static void a_refused_batch_goes_before_the_next_which_loads_already(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation list[2 * AHEAD];

	(void)state;
	fixture_sql(b->db.admin, "ALTER TABLE action ADD CHECK "
				 "(title <> 'poison' OR pg_sleep(0.3)::text = 'never')");
	prepare_pair(b, list, &client, "poison");
	submit_pair(b, list);
	await_all(b);
	assert_poison_alone_refused(b, list);
	bench_close(b);
}

/* The refusal comes with COMMIT: the next batch has loaded, in a transaction of its own. */
static void a_batch_refused_at_its_commit_goes_before_the_next(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation list[2 * AHEAD];

	(void)state;
	fixture_sql(b->db.admin,
		    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		    "PERFORM pg_sleep(0.3); RAISE check_violation USING MESSAGE = 'late'; END $$");
	fixture_sql(b->db.admin, "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON action DEFERRABLE "
				 "INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.title = 'poison') "
				 "EXECUTE FUNCTION refuse()");
	prepare_pair(b, list, &client, "poison");
	submit_pair(b, list);
	await_all(b);
	assert_poison_alone_refused(b, list);
	bench_close(b);
}

static void two_batches_under_way_survive_a_lost_connection(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation list[2 * AHEAD];

	(void)state;
	fixture_sql(b->db.admin,
		    "ALTER TABLE action ADD CHECK (title <> 'slow' OR pg_sleep(0.3)::text = '')");
	prepare_pair(b, list, &client, "slow");
	submit_pair(b, list);
	fixture_sql(b->db.admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
				 "application_name = 'seved writer' AND datname = "
				 "current_database()");
	await_all(b);
	for (size_t i = 0; i < 2 * AHEAD; i++)
		assert_int_not_equal(list[i].job.err.code, 0);
	for (size_t i = 0; i < 2 * AHEAD; i++)
		submit_until_taken(b, &list[i]);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 2 * AHEAD);
	assert_int_equal(
		fixture_number(b->db.admin, "SELECT count(*) FROM mutation WHERE territory_id = 1"),
		2 * AHEAD);
	bench_close(b);
}

static void a_writer_that_closes_ends_both_of_its_batches(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation list[2 * AHEAD];

	(void)state;
	fixture_sql(b->db.admin,
		    "ALTER TABLE action ADD CHECK (title <> 'slow' OR pg_sleep(0.3)::text = '')");
	prepare_pair(b, list, &client, "slow");
	submit_pair(b, list);
	close_writer(b);
	assert_int_equal(b->left, 0);
	for (size_t i = 0; i < 2 * AHEAD; i++)
		assert_int_not_equal(list[i].job.err.code, 0);
	open_writer(b);
	for (size_t i = 0; i < 2 * AHEAD; i++)
		submit_until_taken(b, &list[i]);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 2 * AHEAD);
	bench_close(b);
}

/* A connection that comes back may lead to a standby that was promoted: what sessions of the
 * history before have seen is not true there. */
static void nothing_is_written_under_an_epoch_that_the_server_does_not_know(void **state)
{
	struct bench *b = bench_open();
	struct uuid client = uuid_v7();
	struct creation c;
	uint64_t epoch;
	struct err e;

	(void)state;
	assert_int_equal(epoch_ask(b->db.conninfo, &epoch, &e), 0);
	b->server.epoch = epoch + 1;
	fixture_sql(b->db.admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
				 "usename = 'seve' AND datname = current_database()");
	creation_init(&c, b, &client, 1, "too early");
	c.job.work.territory = 99; /* until the connection has gone and come back */
	do {
		submit(b, &c);
		await_all(b);
	} while (!strstr(c.job.err.text, "another database has taken over"));
	c.job.work.territory = 1;
	submit(b, &c);
	await_all(b);
	assert_int_equal(c.job.err.code, ERR_UNAVAILABLE);
	assert_int_equal(fixture_number(b->db.admin, "SELECT count(*) FROM record"), 0);
	b->server.epoch = epoch;
	submit_until_taken(b, &c);
	assert_int_equal(c.code, SEVE__VERDICT__CODE__APPLIED);
	bench_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_jobs_get_consecutive_revisions_and_references),
		cmocka_unit_test(a_job_that_the_database_refuses_harms_no_other),
		cmocka_unit_test(a_retry_reads_the_stored_verdict),
		cmocka_unit_test(a_dry_run_leaves_nothing),
		cmocka_unit_test(after_a_restart_of_the_database_the_same_jobs_go_through_once),
		cmocka_unit_test(two_writers_share_a_territory_without_a_gap),
		cmocka_unit_test(columns_that_no_record_fills_are_null),
		cmocka_unit_test(a_client_that_pushes_again_is_not_looked_up),
		cmocka_unit_test(a_client_that_went_on_with_another_process_gets_that_verdict),
		cmocka_unit_test(a_refused_batch_goes_before_the_next_which_loads_already),
		cmocka_unit_test(a_batch_refused_at_its_commit_goes_before_the_next),
		cmocka_unit_test(two_batches_under_way_survive_a_lost_connection),
		cmocka_unit_test(nothing_is_written_under_an_epoch_that_the_server_does_not_know),
		cmocka_unit_test(a_writer_that_closes_ends_both_of_its_batches),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

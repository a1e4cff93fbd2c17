/* test_writer_rows.c -- chunks of an import through the writer on a real PostgreSQL: stored in
 * portions and yet all or nothing; rows that are taken for new without a look get the verdicts that
 * a look would have given. */
#include "fixture.h"

#include <string.h>

#include "pg/writer.h"
#include "server_private.h"

enum { LINES = 300 };

struct bench {
	uv_loop_t loop;
	struct server server;
	struct server_private priv;
	struct fixture_db db;
	struct writer *writer;
	bool closed;
	size_t left;
};

/* A row of an actor or an action, with all that it needs. */
struct line {
	struct writer_job job;
	Seve__ImportRow row;
	Seve__Body body;
	Seve__Actor actor;
	Seve__Action action;
	uint32_t mask[2];
	char key[16], name[24];
	struct bench *bench;
	int code;
	uint8_t id[16], into[16];
	char violation[24];
};

static void line_done(struct writer_job *j)
{
	struct line *l = j->owner;
	const Seve__RowVerdict *v = j->work.row;

	l->code = -1;
	l->bench->left--;
	if (j->err.code)
		return;
	l->code = v->code;
	if (v->has_id)
		memcpy(l->id, v->id.data, sizeof l->id);
	if (v->n_violations)
		snprintf(l->violation, sizeof l->violation, "%s", v->violations[0]->code);
}

static void line_init(struct line *l, struct bench *b, const char *kind, size_t n, bool hopeful)
{
	const struct kind *k = kind_by_name(kind);
	const bool actor = k->number == SEVE__BODY__KIND_ACTOR;

	memset(l, 0, sizeof *l);
	l->bench = b;
	snprintf(l->key, sizeof l->key, "K-%zu", n);
	snprintf(l->name, sizeof l->name, "line %zu", n);
	seve__import_row__init(&l->row);
	seve__body__init(&l->body);
	seve__actor__init(&l->actor);
	seve__action__init(&l->action);
	l->actor.name = l->action.title = l->name;
	l->body.kind_case = actor ? SEVE__BODY__KIND_ACTOR : SEVE__BODY__KIND_ACTION;
	if (actor)
		l->body.actor = &l->actor;
	else
		l->body.action = &l->action;
	l->mask[0] = field_by_name(k, actor ? "name" : "title")->id;
	l->mask[1] = field_by_name(k, actor ? "siret" : "merged_into_id")->id;
	l->row.key = l->key;
	l->row.mask = l->mask;
	l->row.n_mask = 2;
	l->row.set = &l->body;
	l->job.work.territory = 1;
	l->job.work.hopeful = hopeful;
	l->job.work.author = (struct apply_author){
		.account = "test", .reads = SEVE__LEVEL__LEVEL_TEAM, .writes = KIND_BY_F};
	l->job.work.import = (struct apply_import){.kind = k, .source = "partner", .row = &l->row};
	l->job.bytes = 200;
	l->job.owner = l;
	l->job.done = line_done;
}

static void set(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

static struct line *lines_make(struct bench *b, const char *kind, size_t n, bool hopeful)
{
	struct line *list = calloc(n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		line_init(&list[i], b, kind, i, hopeful);
	return list;
}

static void submit(struct bench *b, struct line *list, size_t n)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		list[i].job.batch_key = list;
		b->left++;
		assert_int_equal(writer_submit(b->writer, &list[i].job, &e), 0);
	}
}

static bool none_left(void *ctx)
{
	return ((struct bench *)ctx)->left == 0;
}

static void bring(struct bench *b, struct line *list, size_t n)
{
	submit(b, list, n);
	fixture_run_until(&b->loop, none_left, b);
}

static bool is_closed(void *ctx)
{
	return ((struct bench *)ctx)->closed;
}

static void writer_is_closed(void *ctx)
{
	((struct bench *)ctx)->closed = true;
}

/* A row of a territory that is not there is refused, but only once the database is. */
static void await_database(struct bench *b)
{
	struct line l;

	do {
		line_init(&l, b, "actor", 0, false);
		l.job.work.territory = 99;
		bring(b, &l, 1);
	} while (l.job.err.code == ERR_UNAVAILABLE);
}

static struct bench *bench_open(void)
{
	struct bench *b = calloc(1, sizeof *b);
	struct err e;

	uv_loop_init(&b->loop);
	b->server.loop = &b->loop;
	b->server.priv = &b->priv;
	b->db = fixture_database();
	fixture_sql(b->db.admin, "INSERT INTO territory_head (slug) VALUES ('nord')");
	assert_int_equal(writer_open(&b->loop, &b->server, b->db.conninfo, &b->writer, &e), 0);
	await_database(b);
	return b;
}

static void bench_close(struct bench *b, struct line *list)
{
	if (!b->closed)
		writer_close(b->writer, writer_is_closed, b);
	fixture_run_until(&b->loop, is_closed, b);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	free(b);
	free(list);
}

static void assert_codes(const struct line *list, size_t n, size_t but, int code)
{
	for (size_t i = 0; i < n; i++)
		if (i != but && list[i].code != code)
			fail_msg("line %zu: %d instead of %d (%s)", i, list[i].code, code,
				 list[i].violation);
}

static long number(struct bench *b, const char *sql)
{
	return fixture_number(b->db.admin, sql);
}

/* Runs the loop until a statement of the writer sleeps. */
static void await_sleep(struct bench *b)
{
	while (!number(b, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND "
			  "datname = current_database()"))
		uv_run(&b->loop, UV_RUN_NOWAIT);
}

/* ---- portions ---- */

/* The poison stands in this line; the other portions are on their way when it is found. */
static void poison(size_t at)
{
	struct bench *b = bench_open();
	struct line *list = lines_make(b, "actor", LINES, true);

	fixture_sql(b->db.admin, "ALTER TABLE actor ADD CHECK "
				 "(name <> 'poison' OR pg_sleep(0.05)::text = 'never')");
	set(list[at].name, sizeof list[at].name, "poison");
	bring(b, list, LINES);
	assert_codes(list, LINES, at, SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(list[at].code, SEVE__ROW_VERDICT__CODE__REJECTED);
	assert_string_equal(list[at].violation, "DATABASE");
	assert_int_equal(number(b, "SELECT count(*) FROM record"), LINES - 1);
	assert_int_equal(number(b, "SELECT max(rev) FROM record"), LINES - 1);
	assert_int_equal(number(b, "SELECT max(ref_no) FROM record"), LINES - 1);
	assert_int_equal(number(b, "SELECT rev FROM territory_head"), LINES - 1);
	assert_int_equal(number(b, "SELECT count(*) FROM actor"), LINES - 1);
	assert_int_equal(number(b, "SELECT count(*) FROM import_ref"), LINES - 1);
	bench_close(b, list);
}

static void a_row_that_the_database_refuses_harms_no_portion(void **state)
{
	(void)state;
	poison(3);
	poison(LINES - 1);
}

static void a_dry_run_in_portions_leaves_nothing(void **state)
{
	struct bench *b = bench_open();
	struct line *list = lines_make(b, "actor", LINES, true);

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		list[i].job.rollback = true;
	bring(b, list, LINES);
	assert_codes(list, LINES, LINES, SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(number(b, "SELECT count(*) + (SELECT count(*) FROM import_ref) + "
				   "(SELECT count(*) FROM actor) FROM record"),
			 0);
	assert_int_equal(number(b, "SELECT rev FROM territory_head"), 0);
	bench_close(b, list);
}

/* A later line changes what an earlier portion has made. */
static void a_portion_changes_what_another_has_made(void **state)
{
	struct bench *b = bench_open();
	struct line *list = lines_make(b, "actor", LINES, true);

	(void)state;
	set(list[LINES - 1].key, sizeof list[LINES - 1].key, list[0].key);
	bring(b, list, LINES);
	assert_codes(list, LINES - 1, LINES, SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(list[LINES - 1].code, SEVE__ROW_VERDICT__CODE__UPDATED);
	assert_int_equal(number(b, "SELECT count(*) FROM record"), LINES - 1);
	assert_int_equal(number(b, "SELECT max(rev) FROM record"), LINES);
	assert_int_equal(number(b, "SELECT count(*) FROM actor WHERE name = 'line 299'"), 1);
	assert_int_equal(number(b, "SELECT count(*) FROM actor WHERE name = 'line 0'"), 0);
	assert_int_equal(number(b, "SELECT count(*) FROM record_version"), 1);
	assert_true(list[0].job.work.hopeful); /* the database refused nothing */
	bench_close(b, list);
}

static void a_lost_connection_between_portions_leaves_nothing(void **state)
{
	struct bench *b = bench_open();
	struct line *list = lines_make(b, "actor", LINES, true);

	(void)state;
	fixture_sql(b->db.admin,
		    "ALTER TABLE actor ADD CHECK (name <> 'slow' OR pg_sleep(0.3)::text = '')");
	set(list[100].name, sizeof list[100].name, "slow");
	submit(b, list, LINES);
	await_sleep(b);
	fixture_sql(b->db.admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
				 "application_name = 'seved writer' AND datname = "
				 "current_database()");
	fixture_run_until(&b->loop, none_left, b);
	for (size_t i = 0; i < LINES; i++)
		assert_int_not_equal(list[i].job.err.code, 0);
	assert_int_equal(number(b, "SELECT count(*) FROM record"), 0);
	await_database(b);
	bring(b, list, LINES);
	assert_codes(list, LINES, LINES, SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(number(b, "SELECT count(*) FROM record"), LINES);
	bench_close(b, list);
}

/* At several points of a chunk's way. */
static void a_writer_that_closes_ends_every_row(void **state)
{
	(void)state;
	for (int turns = 1; turns < 9; turns += 2) {
		struct bench *b = bench_open();
		struct line *list = lines_make(b, "actor", LINES, true);

		submit(b, list, LINES);
		for (int i = 0; i < turns; i++)
			uv_run(&b->loop, UV_RUN_ONCE);
		writer_close(b->writer, writer_is_closed, b);
		fixture_run_until(&b->loop, is_closed, b);
		assert_int_equal(b->left, 0);
		assert_true(number(b, "SELECT count(*) FROM record") % LINES == 0);
		bench_close(b, list);
	}
}

/* ---- hope ---- */

static char siret[] = "73282932000074";

/* The lines with and without hope: the same verdicts, the same records. */
static void compare(const char *kind, const char *between,
		    void (*twist)(struct line *list, const struct line *first))
{
	struct line *lists[2];
	long records[2], keys[2];

	for (int hopeful = 0; hopeful < 2; hopeful++) {
		struct bench *b = bench_open();
		struct line *first = lines_make(b, kind, 3, false);

		lists[hopeful] = lines_make(b, kind, LINES, hopeful);
		lists[hopeful][1].actor.siret = first[1].actor.siret = siret;
		bring(b, first, 3);
		assert_codes(first, 3, 3, SEVE__ROW_VERDICT__CODE__CREATED);
		fixture_sql(b->db.admin, between);
		twist(lists[hopeful], first);
		bring(b, lists[hopeful], LINES);
		records[hopeful] = number(b, "SELECT count(*) FROM record");
		keys[hopeful] = number(b, "SELECT count(*) FROM import_ref");
		bench_close(b, first);
	}
	assert_int_equal(records[0], records[1]);
	assert_int_equal(keys[0], keys[1]);
	for (size_t i = 0; i < LINES; i++) {
		assert_int_not_equal(lists[0][i].code, -1);
		assert_int_equal(lists[0][i].code, lists[1][i].code);
		assert_memory_equal(lists[0][i].id, lists[1][i].id, 16);
		assert_false(lists[1][i].job.work.hopeful); /* lost: the case is one that matters */
	}
	free(lists[0]);
	free(lists[1]);
}

static void another_key_for_the_siret(struct line *list, const struct line *first)
{
	(void)first;
	set(list[LINES / 2].key, sizeof list[LINES / 2].key, "other");
	list[LINES / 2].actor.siret = siret;
}

static void nothing_else(struct line *list, const struct line *first)
{
	(void)list;
	(void)first;
}

/* So that the batch loads the record, but not in full. */
static void a_line_points_at_a_forgotten_record(struct line *list, const struct line *first)
{
	memcpy(list[0].into, first[1].id, 16);
	list[0].action.has_merged_into_id = 1;
	list[0].action.merged_into_id = (ProtobufCBinaryData){16, list[0].into};
}

static void rows_that_hope_get_the_verdicts_of_a_look(void **state)
{
	(void)state;
	compare("actor", "SELECT 1", another_key_for_the_siret);
	compare("actor", "DELETE FROM import_ref", nothing_else);
	compare("actor",
		"DELETE FROM import_ref; UPDATE record SET deleted = true, body = NULL; "
		"DELETE FROM actor",
		nothing_else);
	compare("action", "DELETE FROM import_ref", a_line_points_at_a_forgotten_record);
}

/* What hope stands on: a unique index for every unique field. */
static void every_unique_field_has_a_unique_index(void **state)
{
	struct bench *b = bench_open();
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);

		for (unsigned f = 0; f < k->desc->n_fields; f++) {
			const field_desc *fd = &k->desc->fields[f];
			char sql[256];

			if (!(field_rule(k, fd).flags & FIELD_UNIQUE))
				continue;
			found++;
			snprintf(sql, sizeof sql,
				 "SELECT count(*) FROM pg_indexes WHERE tablename = '%s' AND "
				 "indexdef LIKE 'CREATE UNIQUE INDEX %% (territory_id, %s)%%'",
				 k->table, fd->name);
			assert_int_equal(number(b, sql), 1);
		}
	}
	assert_true(found > 0);
	bench_close(b, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_the_database_refuses_harms_no_portion),
		cmocka_unit_test(a_dry_run_in_portions_leaves_nothing),
		cmocka_unit_test(a_portion_changes_what_another_has_made),
		cmocka_unit_test(a_lost_connection_between_portions_leaves_nothing),
		cmocka_unit_test(a_writer_that_closes_ends_every_row),
		cmocka_unit_test(rows_that_hope_get_the_verdicts_of_a_look),
		cmocka_unit_test(every_unique_field_has_a_unique_index),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

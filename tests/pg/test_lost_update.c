/* test_lost_update.c -- why the head's lock stands in a statement of its own: with the comparison
 * in the same statement, PostgreSQL compares with what was there before the wait, and the second of
 * two writers overwrites the first unseen.  Ours reads after it has the lock. */
#include "fixture.h"

#include <libpq-fe.h>
#include <string.h>

#include "pg/sql.h"
#include "pg/unit.h"

/* One statement: locks the head, compares the revision that the author saw with the record's, and
 * writes where they are equal.  Returns the revisions written. */
static const char folded[] =
	"WITH h AS (SELECT rev FROM territory_head WHERE territory_id = 1 FOR UPDATE), "
	"r AS (SELECT v.rev FROM victim v, h WHERE v.id = 1), "
	"w AS (UPDATE victim v SET rev = h.rev + 1, body = $1 FROM h, r "
	"      WHERE v.id = 1 AND r.rev = $2::bigint RETURNING v.rev), "
	"n AS (UPDATE territory_head SET rev = rev + 1 WHERE territory_id = 1 AND EXISTS (SELECT "
	"FROM w)) "
	"SELECT rev FROM w";

static const char compare[] = "SELECT rev FROM victim WHERE id = 1";
static const char write_it[] =
	"WITH n AS (UPDATE territory_head SET rev = rev + 1 WHERE territory_id = 1 RETURNING rev) "
	"UPDATE victim SET rev = n.rev, body = $1 FROM n WHERE id = 1";

struct writers {
	struct fixture_db db;
	PGconn *one, *two;
};

static void run(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);

	assert_true(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
	PQclear(r);
}

static void writers_open(struct writers *w)
{
	w->db = fixture_database();
	fixture_sql(w->db.admin, "INSERT INTO territory_head (slug, rev) VALUES ('nord', 1); "
				 "CREATE TABLE victim (id int PRIMARY KEY, rev bigint, body text); "
				 "INSERT INTO victim VALUES (1, 1, 'at first')");
	w->one = PQconnectdb(w->db.admin);
	w->two = PQconnectdb(w->db.admin);
	assert_int_equal(PQstatus(w->one), CONNECTION_OK);
	assert_int_equal(PQstatus(w->two), CONNECTION_OK);
}

static void writers_close(struct writers *w)
{
	PQfinish(w->one);
	PQfinish(w->two);
}

static void ask(PGconn *c, const char *sql, const char *body, const char *seen)
{
	const char *values[] = {body, seen};

	assert_true(PQsendQueryParams(c, sql,
				      seen   ? 2
				      : body ? 1
					     : 0,
				      NULL, values, NULL, NULL, 0));
}

/* Rows of the statement under way. */
static int rows(PGconn *c)
{
	PGresult *r = PQgetResult(c), *end;
	int n;

	assert_true(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK);
	n = PQntuples(r);
	PQclear(r);
	while ((end = PQgetResult(c)) != NULL)
		PQclear(end);
	return n;
}

static void await_waiting(const struct writers *w)
{
	while (!fixture_number(w->db.admin, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
		;
}

/* Both have seen revision 1; the first holds the lock when the second asks. */
static void lock_and_comparison_in_one_statement_lose_an_update(void **state)
{
	struct writers w;

	(void)state;
	writers_open(&w);
	run(w.one, "BEGIN");
	ask(w.one, folded, "first", "1");
	assert_int_equal(rows(w.one), 1);
	ask(w.two, folded, "second", "1");
	await_waiting(&w);
	run(w.one, "COMMIT");
	/* It saw the record as it was before the wait, and wrote over what it had not seen. */
	assert_int_equal(rows(w.two), 1);
	assert_string_equal(fixture_text(w.db.admin, "SELECT body FROM victim"), "second");
	writers_close(&w);
}

/* The server's own statement takes the lock; the comparison comes in the next one. */
static void a_lock_in_a_statement_of_its_own_sees_the_update(void **state)
{
	struct writers w;
	PGresult *r;

	(void)state;
	writers_open(&w);
	run(w.one, "BEGIN");
	ask(w.one, pg_sql("load_heads").text, "{1}", NULL);
	assert_int_equal(rows(w.one), 1);
	run(w.two, "BEGIN");
	ask(w.two, pg_sql("load_heads").text, "{1}", NULL);
	await_waiting(&w);
	ask(w.one, write_it, "first", NULL);
	rows(w.one);
	run(w.one, "COMMIT");
	assert_int_equal(rows(w.two), 1);
	r = PQexec(w.two, compare);
	assert_string_equal(PQgetvalue(r, 0, 0), "2"); /* not the revision that its author saw */
	PQclear(r);
	run(w.two, "ROLLBACK");
	assert_string_equal(fixture_text(w.db.admin, "SELECT body FROM victim"), "first");
	writers_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_and_comparison_in_one_statement_lose_an_update),
		cmocka_unit_test(a_lock_in_a_statement_of_its_own_sees_the_update),
	};

	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

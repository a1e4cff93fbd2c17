/* fixture.h -- what the tests with PostgreSQL share: one private cluster per test program, a fresh
 * database per test, and waiting on the loop.  Failures end the test.
 *
 *   int main(void)
 *   {
 *           const struct CMUnitTest tests[] = {cmocka_unit_test(…)};
 *           return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
 *   } */
#ifndef TESTS_PG_FIXTURE_H
#define TESTS_PG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <uv.h>

#include "embedded.h"

/* Group set-up and tear-down: the cluster, in a temporary folder that is removed. */
int fixture_start(void **state);
int fixture_stop(void **state);
const struct embedded *fixture_cluster(void);
/* Ends PostgreSQL by a signal (SIGINT fast, SIGQUIT immediate) and starts it again. */
void fixture_restart(int signal_number);

struct fixture_db {
	char name[32];
	char conninfo[512]; /* the owner, as the server would connect */
	char admin[512];    /* the superuser */
};
/* A database with the schema of the migrations, of this test alone. */
struct fixture_db fixture_database(void);
/* One without any schema. */
struct fixture_db fixture_empty_database(void);

/* Runs SQL, several statements allowed, on a connection of its own. */
void fixture_sql(const char *conninfo, const char *sql);
/* The first value of the result; "" for NULL or no row.  Borrowed until the next call. */
const char *fixture_text(const char *conninfo, const char *sql);
int64_t fixture_number(const char *conninfo, const char *sql);

/* Runs the loop until the condition holds; fails the test after two minutes. */
void fixture_run_until(uv_loop_t *loop, bool (*holds)(void *ctx), void *ctx);
/* A folder of its own for a test; open to other accounts. Removed with the cluster. */
void fixture_folder(char out[static 256]);

#endif

/* standby.h -- a streaming standby of the fixture's cluster, on a unix socket of its own.  Failures
 * end the test. */
#ifndef TESTS_PG_STANDBY_H
#define TESTS_PG_STANDBY_H

#include "fixture.h"

#include "cluster.h"

struct standby {
	struct cluster cluster;
};

/* Copies the running cluster and starts the copy, which follows it. */
void standby_start(struct standby *s);
void standby_stop(struct standby *s);
/* As the server would connect to a database of the fixture there, and the superuser. */
void standby_conninfo(const struct standby *s, const struct fixture_db *db, char out[static 512]);
void standby_admin(const struct standby *s, const struct fixture_db *db, char out[static 512]);
/* Waits until it shows all that is committed. */
void standby_catch_up(const struct standby *s, const struct fixture_db *db);

#endif

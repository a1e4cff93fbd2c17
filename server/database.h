/* database.h -- the database that the settings name: a foreign one, or a private PostgreSQL that is
 * started, or found running. Knows no schema.  Blocking: start-up and shut-down only. */
#ifndef SEVED_DATABASE_H
#define SEVED_DATABASE_H

#include "config.h"
#include "embedded.h"

struct database {
	const char *conninfo; /* borrowed from the settings or from `embedded` */
	struct embedded embedded;
	bool started; /* by us, to be stopped by us */
};

/* To serve: starts an embedded one. */
int database_open(const struct conf *conf, struct database *out, struct err *e);
/* For a command beside the server: uses an embedded one that runs, else starts it. */
int database_visit(const struct conf *conf, struct database *out, struct err *e);
/* Puts the certificates of an embedded one where the settings have none. */
int database_certificates(const struct database *d, struct conf *conf, struct err *e);
/* Whether a PostgreSQL that was started has ended by itself: it is then no longer ours to stop.
 * Does not block. */
bool database_has_died(struct database *d);
/* Stops what was started.  Idempotent. */
void database_close(struct database *d);

#endif

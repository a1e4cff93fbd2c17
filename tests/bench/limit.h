/* limit.h -- what bench_limit can do: one row of the table in limit.c each; and what the rows
 * share. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <libpq-fe.h>

#include "err.h"

/* All take their arguments (as many as the table says) and print one JSON object, or nothing. */
int limit_quiet(char **arg, struct err *e);
int limit_settle(char **arg, struct err *e);
int limit_copy(char **arg, struct err *e);
int limit_select(char **arg, struct err *e);
int limit_insert(char **arg, struct err *e);
int limit_unnest(char **arg, struct err *e);
int limit_notify(char **arg, struct err *e);
int limit_start(char **arg, struct err *e);

/* The argument as a number of 1 to 2^31 - 1, or a negative error. */
int limit_number(const char *text, const char *what, struct err *e);

/* Opens a connection.  PQfinish() it, whatever this returned. */
int limit_connect(const char *conninfo, PGconn **out, struct err *e);
/* Runs statements that give no rows. */
int limit_run(PGconn *c, const char *sql, struct err *e);
/* -ERR_DATABASE with what the connection says. */
int limit_failed(const PGconn *c, const char *what, struct err *e);

#endif

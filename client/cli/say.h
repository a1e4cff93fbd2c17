/* say.h -- standard error: what went wrong and what to do, in words or, with --json, as one JSON
 * object. Knows no command.  Text from records is shown without control characters. */
#ifndef SEVE_CLI_SAY_H
#define SEVE_CLI_SAY_H

#include <seve.h>
#include <stdbool.h>

#include "err.h"

struct cli;

/* Each returns the exit status. */
int say_err(const struct cli *c, const struct err *e);
/* The value of an option or argument is none: a usage error, whatever the code of `e`. */
int say_misuse(const struct cli *c, struct err *e);
/* Frees `e`.  A NULL `e` is an out-of-memory of the library. */
int say_seve(const struct cli *c, struct seve_error *e);
/* The same with the server's remarks on a mutation: columns field, code, text.  `e` NULL: remarks
 * alone, status 0. */
int say_refusal(const struct cli *c, struct seve_error *e, const struct seve_table *remarks);
int say_usage(const struct cli *c, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int say_failure(const struct cli *c, enum err_code code, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int say_nomem(const struct cli *c);

/* One line for people: nothing with --quiet, nothing with --json. */
void say_note(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, also with --quiet. */
void say_warning(const struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Rewrites control characters (C0, DEL, C1) to '?', in place. */
void say_clean(char *s);
/* Whether standard error is a terminal. */
bool say_to_terminal(void);

#endif

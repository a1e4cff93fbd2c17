/* opts.h -- a command's options: one table for parsing (by popt), for --help and for completion.
 * Knows no command. */
#ifndef SEVE_CLI_OPTS_H
#define SEVE_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "err.h"

enum opt_type {
	OPT_END,  /* the table's last row */
	OPT_FLAG, /* target: bool */
	OPT_TEXT, /* target: const char *; the last one given holds */
	OPT_LIST, /* target: struct words; may be given again and again */
};

struct words {
	const char **at;
	size_t n, room;
};

struct opt {
	enum opt_type type;
	const char *name; /* "territory" */
	char letter;      /* or 0 */
	void *target;
	const char *arg;  /* "SLUG"; of a flag NULL */
	const char *help; /* marked with N_(), or text; NULL: works, but help does not tell of it */
};

/* 0 or -ERR_NOMEM.  The array lives in the arena. */
int words_add(struct arena *a, struct words *w, const char *word);
/* Cuts "a,b" at its commas and adds the pieces. */
int words_add_list(struct arena *a, struct words *w, const char *list);

/* How many rows stand before OPT_END. */
size_t opts_count(const struct opt *table);
/* By "--name", "-x", with or without "=value"; NULL if there is none. */
const struct opt *opts_find(const struct opt *table, const char *word);

/* Parses `argv` (n words, without the program's name) with both tables (`more` may be NULL); the
 * words that are no options go to `rest`.  All text is copied into the arena.  0, -ERR_USAGE with
 * the nearest known option as remedy, -ERR_NOMEM. */
int opts_parse(struct arena *a, const struct opt *table, const struct opt *more,
	       const char *const *argv, size_t n, struct words *rest, struct err *e);

#endif

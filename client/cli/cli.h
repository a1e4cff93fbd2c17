/* cli.h -- one run of the command line: its options, its account, its output.
 * Functions that return int return an exit status (enum seve_status), 0 to go on, and have said on
 * standard error what went wrong. */
#ifndef SEVE_CLI_CLI_H
#define SEVE_CLI_CLI_H

#include <seve.h>
#include <stdbool.h>

#include "arena.h"
#include "err.h"
#include "opts.h"
#include "out.h"
#include "profile.h"
#include "scope.h"

enum { CLI_INTERRUPTED = 130 };

enum cli_asking {
	CLI_RUN,
	CLI_HELP,  /* cli_options() shows the command's help instead */
	CLI_WORDS, /* ... its option names, one a line: for completion */
};

struct command;

struct cli {
	struct arena arena; /* lives as long as the run */
	const struct command *command;
	const char *noun;        /* as in the table: "action" */
	const char *const *argv; /* the words behind noun and verb */
	size_t argc;
	enum cli_asking asking;

	/* options of every command */
	const char *format_word, *profile_name, *lang, *timeout, *columns;
	bool json, server, offline, quiet, verbose, no_progress, no_headers, help, version;

	struct words args; /* what is no option */
	int status;        /* set where cli_options() returns false */
	enum out_format format;
	enum seve_where where;
	struct profile profile;
	struct seve *seve;  /* NULL until cli_open() */
	uint32_t territory; /* that a table of the library is about, 0: none or several */
	struct scope scope;
};

/* The options of every command, with `c` as their target. */
const struct opt *cli_globals(struct cli *c);

/* Parses the command's words with `table` (may be NULL) and the options of every command; wants
 * `least` to `most` arguments. False: there is nothing more to do, c->status is the exit status
 * (help was shown, or the command was misused). */
bool cli_options(struct cli *c, const struct opt *table, size_t least, size_t most);

/* Opens profile and store, once. */
int cli_open(struct cli *c);
void cli_init(struct cli *c);
void cli_fini(struct cli *c);

/* Memory of the run.  NULL only where said so: running out ends the program with a message, since
 * nothing sensible is left. */
char *cli_printf(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

/* command.h -- the one table of commands: running, help and completion all read it.
 * Knows no options: those stand in each command's own table (opts.h). */
#ifndef SEVE_CLI_COMMAND_H
#define SEVE_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct cli;

struct command {
	const char *noun; /* NULL: any kind of record */
	const char *verb; /* NULL: the noun is the whole command */
	int (*run)(struct cli *c);
	const char *args;    /* "FILE|-" or "" */
	const char *help;    /* one line, N_() */
	const char *example; /* "seve …" */
};

/* NULL past the end. */
const struct command *command_at(size_t i);
/* Whether this noun is a command by itself or has verbs; kinds of records are nouns too. */
bool command_is_noun(const char *noun);
/* The noun without its plural s, as the table has it; NULL if there is none. */
const char *command_noun(const char *typed);
/* With this verb, else the noun as a whole command; NULL if there is none.  `verb` NULL: the noun
 * alone. */
const struct command *command_find(const char *noun, const char *verb);
/* Whether the command goes with the noun: its own, or any kind's. */
bool command_fits(const struct command *cmd, const char *noun);

#define COMMAND_FUNCTION(f)                     int f(struct cli *c);
#define CMD(noun, verb, f, args, help, example) COMMAND_FUNCTION(f)
#define KIND_CMD(verb, f, args, help, example)  COMMAND_FUNCTION(f)
#include "cmds.def"
#undef CMD
#undef KIND_CMD

#endif

/* options.h -- the command line of seved: the settings of config.def as flags, and the commands.
 * Knows what none of them does. */
#ifndef SEVED_OPTIONS_H
#define SEVED_OPTIONS_H

#include <stdbool.h>

#include "config.h"

enum command {
	COMMAND_SERVE,
	COMMAND_BOOTSTRAP,
	COMMAND_MIGRATE,
	COMMAND_RENEW_EPOCH,
	COMMAND_CHECK_CONFIG,
	COMMAND_PRINT_CONFIG,
	COMMAND_VERSION,
	COMMAND_HELP,
};

struct options {
	enum command command;
	struct config_source source;
	const char *account; /* bootstrap */
	const char *output; /* bootstrap: NULL for the terminal, "-" for standard output whatever it
			       is */
	bool check;         /* migrate */
	struct config_flag flags[64];
	char *texts[64]; /* owned: what flags, account, output and the file point to */
	size_t n_texts;
};

/* 0, or -ERR_USAGE that names what is wrong. */
int options_read(struct options *out, int argc, const char **argv, struct err *e);
void options_fini(struct options *o);
void options_help(FILE *out);

#endif

/* options.h -- what the commands that import have in common. */
#ifndef SEVE_CLI_IMPORT_OPTIONS_H
#define SEVE_CLI_IMPORT_OPTIONS_H

#include "import/run.h"

struct import_options {
	struct run_options run;
	const char *territory, *report;
	bool whole;                                                 /* --all-or-nothing */
	const char *separator, *most_errors, *from_day, *until_day; /* as typed */
};

/* Reads what was typed into `run`.  0 or an exit status. */
int import_options_check(struct cli *c, struct import_options *o);

#endif

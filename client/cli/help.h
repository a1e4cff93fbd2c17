/* help.h -- help in words: the summary, a noun's verbs, a command's options.  Knows only the
 * tables. */
#ifndef SEVE_CLI_HELP_H
#define SEVE_CLI_HELP_H

#include "opts.h"

struct cli;

void help_summary(void);
void help_noun(const char *noun);
/* Of c->command and c->noun; with CLI_WORDS only the names of its options. */
void help_command(const struct cli *c, const struct opt *table, const struct opt *globals);

#endif

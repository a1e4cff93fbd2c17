/* phase.h -- the phases of the method in the reader's words.  Knows no record and no output. */
#ifndef SEVE_CLI_PHASE_H
#define SEVE_CLI_PHASE_H

#include "method/progress.h"

struct cli;

/* "visits", by the key of the phase. */
const char *phase_title(const char *name);
/* How far it is: "3 of 5 members visited", or what it means that there is nothing to count. */
const char *phase_standing(struct cli *c, const struct phase *p);
/* One of phase.missing: a reference as it stands, a word as people say it. */
const char *phase_missing(const char *what);

#endif

/* out_fit.h -- makes a table fit a terminal that is too narrow for it: columns that hold nothing
 * go, long cells are cut with "…" or go on in the next line, at blanks, and every column keeps a
 * width that can be read.  Knows only libsmartcols. */
#ifndef SEVE_CLI_OUT_FIT_H
#define SEVE_CLI_OUT_FIT_H

#include <libsmartcols/libsmartcols.h>

#include "out.h"

/* Changes the table's cells and columns; nothing where it fits, or is not for a terminal.  0, or
 * -ERR_NOMEM. */
int out_fit(struct libscols_table *t, const struct out_column *columns, size_t n);

#endif

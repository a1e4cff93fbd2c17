/* table.h -- building the small tables of seve.h.  Knows nothing of what they hold.  One thread at
 * a time per table.
 *
 * A failure to allocate is remembered in the table: build it whole, then ask table_finish(). */
#ifndef SEVE_LIB_TABLE_H
#define SEVE_LIB_TABLE_H

#include <stdbool.h>

#include "err.h"
#include "seve.h"

/* `columns` ends with NULL and outlives the table.  NULL: out of memory (every function below then
 * does nothing). */
struct seve_table *table_new(const char *const *columns);
/* Begins a row of empty cells. */
void table_row(struct seve_table *t);
/* Sets a cell of the last row. */
void table_put(struct seve_table *t, const char *column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* There is more than the table will tell. */
void table_cut(struct seve_table *t);
/* Gives the table away: 0 and *out (freed at once when `out` is NULL), or -ERR_NOMEM and the table
 * is freed. */
int table_finish(struct seve_table *t, struct seve_table **out, struct err *e);

#endif

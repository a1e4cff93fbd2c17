/* rows.h -- computed rows as output: columns with stable keys, headings in the reader's language,
 * --columns.  Knows no record.  Cells live in the run's arena. */
#ifndef SEVE_CLI_ROWS_H
#define SEVE_CLI_ROWS_H

#include "out.h"

struct cli;

enum { ROWS_MAX = 24 };

enum rows_flags {
	ROWS_HIDDEN = 1,  /* not in a table, unless --columns asks for it */
	ROWS_SHRINKS = 2, /* cut where the terminal is narrow */
	ROWS_MAIN = 4,    /* ... last */
	ROWS_WRAPS = 8,
};

struct rows_column {
	const char *name; /* the key; its heading stands in labels.def */
	enum out_type type;
	unsigned flags;
};

struct rows {
	struct cli *c;
	struct out out;
	struct out_column columns[ROWS_MAX];
	size_t from[ROWS_MAX]; /* which cell stands in the column */
	size_t n;
	bool begun;
};

/* `schema` is that of JSON: "seve.load/1".  0 or an exit status; rows_end() is to be called
 * whatever this returns. */
int rows_begin(struct rows *r, struct cli *c, const char *schema, const struct rows_column *columns,
	       size_t n);
/* One cell for each column, in the order of rows_begin(); NULL is "". */
int rows_put(struct rows *r, const char *const *cells);
/* As view_end(): `rc` is what came before. */
int rows_end(struct rows *r, int rc);

/* Texts for cells. */
const char *rows_number(struct cli *c, double v); /* at most two decimals */
const char *rows_count(struct cli *c, uint64_t v);
const char *rows_date(struct cli *c, int32_t day);
const char *rows_time(struct cli *c, int64_t ms); /* local in tables; "" for 0 */
const char *rows_bool(bool v);                    /* "yes", and "no" */

#define ROWS_N(columns) (sizeof(columns) / sizeof *(columns))

#endif

/* view.h -- records and small tables as rows of output.  Knows no kind by name but for the rows of
 * columns.def. */
#ifndef SEVE_CLI_VIEW_H
#define SEVE_CLI_VIEW_H

#include <seve.h>

#include "out.h"

struct cli;

struct view {
	struct cli *c;
	struct out out;
	const char *kind;
	const char **fields; /* of the columns, whose names are keys of JSON */
	struct out_column *columns;
	const char **cells;
	size_t n;
	bool whole; /* JSON shows the whole record */
	bool tails; /* a table names records by the tails of their ids: the replica knows them so */
	struct buf json;
};

/* Starts a list of records.  `verb` names the schema; `many`: several territories, so a table tells
 * which. */
int view_begin(struct view *v, struct cli *c, const char *kind, const char *verb, bool many);
int view_record(struct view *v, const struct seve_record *r);
/* `rc` is what the rows before came to: where it is not 0, nothing more is printed and it is the
 * answer.  Always to be called. */
int view_end(struct view *v, int rc);

/* A record for people: one field a line. */
int view_sheet(struct cli *c, const struct seve_record *r);

/* Rows of the library's small tables; `columns` "a,b" chooses and orders them, NULL: all.
 * Numbers of territories become slugs, and times local in tables. */
int view_table(struct cli *c, const char *schema, const char *columns, const struct seve_table *t);

/* Columns by name: label, type and width as everywhere. */
void view_columns(struct out_column *out, const char *const *names, size_t n);

#endif

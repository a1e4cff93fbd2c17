/* out.h -- standard output: rows as a table, JSON, JSON Lines or CSV.
 * Knows no record.  Keys and values for programs are never translated; labels of tables are. */
#ifndef SEVE_CLI_OUT_H
#define SEVE_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "buf.h"
#include "err.h"

enum out_format { OUT_TABLE, OUT_JSON, OUT_JSONL, OUT_CSV };

/* How JSON shows a cell; an empty one is left out, whatever its type. */
enum out_type {
	OUT_TEXT,
	OUT_NUMBER, /* digits, as they stand */
	OUT_BOOL,   /* "yes", "no" */
	OUT_LIST,   /* joined with '|' (field.h) */
	OUT_RAW,    /* is JSON already */
};

struct out_column {
	const char *name;  /* key and CSV header */
	const char *label; /* of the table, translated; NULL: the name */
	enum out_type type;
	bool shrinks; /* cut where the terminal is narrow */
	bool main;    /* is cut last */
	bool wraps;   /* goes on in the next line there */
};

struct out;
struct out_ops {
	int (*begin)(struct out *o, struct err *e);
	int (*row)(struct out *o, const char *const *cells, const char *json, struct err *e);
	int (*end)(struct out *o, struct err *e);
};

struct out {
	enum out_format format;
	const struct out_ops *ops;
	FILE *file;
	const char *schema; /* "seve.action.list/1" */
	const struct out_column *columns;
	size_t n, rows;
	bool no_headers;
	struct buf line;
	void *table; /* libsmartcols' */
};

enum { OUT_COLUMNS_MAX = 64 };           /* of a table that is fitted to a terminal */
enum { OUT_LINE_MAX = 4 * 1024 * 1024 }; /* bytes of one row as JSON */

/* By its word; -ERR_USAGE with the words there are. */
int out_format_parse(const char *word, enum out_format *out, struct err *e);

/* Starts; columns and schema are borrowed until out_end(), which is to be called whatever this
 * returns. */
int out_begin(struct out *o, enum out_format format, FILE *file, const char *schema,
	      const struct out_column *columns, size_t n, bool no_headers, struct err *e);
/* One row of n cells (NULL is ""); with `json`, JSON formats print that object instead. */
int out_row(struct out *o, const char *const *cells, const char *json, struct err *e);
/* Prints what waits, frees, and says whether standard output took everything.  To be called even
 * after an error (then with e NULL: it only frees). */
int out_end(struct out *o, struct err *e);

extern const struct out_ops out_table_ops, out_json_ops, out_jsonl_ops, out_csv_ops;

#endif

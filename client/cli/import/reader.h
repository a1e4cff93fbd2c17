/* reader.h -- a partner's file as rows of named text cells, whatever its format.  One file a format
 * stands beside this one (reader_*.c); the table of formats is in reader.c.  Knows no mapping and
 * no record.  One thread. */
#ifndef SEVE_CLI_IMPORT_READER_H
#define SEVE_CLI_IMPORT_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum {
	READER_COLUMNS_MAX = 1024,
	READER_NAME_MAX = 512,        /* bytes of a column's name */
	READER_ROW_MAX = 1024 * 1024, /* bytes of a row, or of an element of a JSON array */
};

struct reader_options {
	const char *format;   /* "csv", "json" …; NULL: found out from name and first bytes */
	char separator;       /* CSV; 0: found out */
	const char *encoding; /* CSV; NULL: found out */
	const char *path;     /* JSON: the array's place in the object, "a.b"; NULL: the first */
	int32_t from_on, until_on; /* days: the window in which repeated events are told; both 0: a
				      year back, two years on */
};

struct reader_row {
	uint32_t line;      /* CSV, JSON Lines: where it begins; else which element, from 1 */
	char *const *cells; /* one a column, "" where the row has none; until the next row */
	size_t n;           /* of CSV perhaps not as many as there are columns */
	unsigned replaced;  /* control characters that became blanks */
	const char *broken; /* why this row cannot be used, or NULL; then there may be no cells */
};

struct reader;

/* `name` is the file's, for its ending.  Reads the header where the format has one.  The file stays
 * the caller's.  -ERR_USAGE: an option that does not go; else as reader_next(). */
int reader_open(FILE *file, const char *name, const struct reader_options *o, struct reader **out,
		struct err *e);
/* 1 with a row; 0 at the end; -ERR_INVALID with line and remedy, -ERR_TOO_BIG, -ERR_IO, -ERR_NOMEM:
 * the file as a whole is no good. */
int reader_next(struct reader *r, struct reader_row *out, struct err *e);
/* To the first row again; the columns that were found stay. */
int reader_rewind(struct reader *r, struct err *e);
void reader_close(struct reader *r); /* NULL is fine */

/* The columns found so far: those of the header, or all that rows had.  Borrowed. */
char *const *reader_columns(const struct reader *r, size_t *n);
/* Which of them rows are to tell (NULL: all); borrowed.  Spares work where a format has more. */
void reader_want(struct reader *r, const bool *wanted);
/* Cells as they stand, with the blanks at their ends. */
void reader_verbatim(struct reader *r);
const char *reader_format(const struct reader *r); /* its word */
char reader_separator(const struct reader *r);     /* of CSV; else ',' */
/* What was found out and may interest people ("windows-1252"), or NULL. */
const char *reader_encoding(const struct reader *r);

/* Words of the formats, NULL past the end. */
const char *reader_format_word(size_t i);

/* ---- for the formats' own files ---- */

struct reader_ops {
	const char *name, *endings; /* ".csv .txt" */
	/* whether a file that begins so is one; NULL: the last that is asked */
	bool (*detect)(const char *head, size_t n);
	int (*open)(struct reader *r, struct err *e); /* the file is at its start */
	int (*next)(struct reader *r, struct reader_row *out, struct err *e);
	void (*close)(struct reader *r); /* also after an open() that failed */
};

struct reader {
	const struct reader_ops *ops;
	FILE *file;
	struct reader_options o;
	void *state; /* the format's own */
	char **names;
	size_t n, room;
	void *index; /* names by their text */
	const bool *wanted;
	size_t n_wanted;
	char **cells; /* of the row that is being built */
	char separator;
	bool verbatim;
	const char *encoding;
};

/* Adds a column behind the others, even if there is one of its name.  -ERR_TOO_BIG: too many. */
int reader_add_column(struct reader *r, const char *name, struct err *e);
/* The number of the column of this name, which is added if there is none; -ERR_x. */
int reader_column(struct reader *r, const char *name, struct err *e);
bool reader_wants(const struct reader *r, size_t column);
/* Takes control characters out, as all formats do: CR LF becomes LF, others a blank.  How many. */
unsigned reader_clean(char *s);

extern const struct reader_ops reader_csv, reader_json, reader_jsonl, reader_geojson, reader_ics;

#endif

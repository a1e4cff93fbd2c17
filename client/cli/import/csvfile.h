/* csvfile.h -- a CSV file as rows of UTF-8 cells, streaming, with the line on which each row
 * begins. Knows no columns and no records.  One thread. */
#ifndef SEVE_CLI_IMPORT_CSVFILE_H
#define SEVE_CLI_IMPORT_CSVFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum {
	CSVFILE_CELLS_MAX = 1024,      /* of a row */
	CSVFILE_ROW_MAX = 1024 * 1024, /* bytes of a row */
};

struct csvfile_options {
	char separator;       /* 0: found out from the first line: comma, semicolon or tab */
	const char *encoding; /* NULL: UTF-8; else a word of csvfile_encoding() */
};

/* Cells are trimmed of blanks, CR LF in them is LF, and control characters other than LF and tab
 * are replaced by blanks. */
struct csvfile_row {
	uint32_t line; /* of its first character, from 1 */
	char *const *cells;
	size_t n;
	unsigned replaced; /* control characters */
};

struct csvfile;

/* Reads from where `file` stands to its end; the header is the first row.  Empty lines are no rows.
 * -ERR_USAGE: no such encoding. */
int csvfile_open(FILE *file, const struct csvfile_options *o, struct csvfile **out, struct err *e);
/* 1 with a row, whose cells live until the next call; 0 at the end; -ERR_INVALID: bytes that are
 * not UTF-8, NUL bytes, a quote that does not end (with line and remedy); -ERR_TOO_BIG; -ERR_IO;
 * -ERR_NOMEM. */
int csvfile_next(struct csvfile *r, struct csvfile_row *out, struct err *e);
/* Once the first row has been read. */
char csvfile_separator(const struct csvfile *r);
bool csvfile_has_bom(const struct csvfile *r);
/* From now on blanks at the ends of cells stay. */
void csvfile_verbatim(struct csvfile *r);
void csvfile_close(struct csvfile *r); /* NULL is fine; the file stays open */

/* Non-zero stops the reading and is handed on. */
typedef int (*csvfile_fn)(void *ctx, const struct csvfile_row *row, struct err *e);
/* All rows, one by one.  0; what `fn` returned; the errors of the two functions above. */
int csvfile_read(FILE *file, const struct csvfile_options *o, csvfile_fn fn, void *ctx,
		 struct err *e);

/* What the bytes of the whole file look like: NULL for UTF-8, else a word of csvfile_encoding().
 * Rewinds. */
const char *csvfile_detect(FILE *file);

/* iconv's name for "utf-8", "latin1", "iso-8859-1", "iso-8859-15", "windows-1252", "cp1252" in any
 * case; NULL: none of ours. */
const char *csvfile_encoding(const char *word);

#endif

/* report.h -- what became of the rows of an import: counts, and the rows that have a remark.
 * Knows no file format and sends nothing. */
#ifndef SEVE_CLI_IMPORT_REPORT_H
#define SEVE_CLI_IMPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "buf.h"

struct cli;

enum {
	REPORT_ROWS_MAX = 1000, /* with their text; all are counted, and all go to the file of
				   rejected rows */
	REPORT_REASONS_MAX = 64,
};

enum report_verdict {
	REPORT_CREATED,
	REPORT_UPDATED,
	REPORT_UNCHANGED,
	REPORT_ATTACHED,
	REPORT_SKIPPED,
	REPORT_DELETED,
	REPORT_REJECTED,
	REPORT_IGNORED, /* by the mapping: not sent */
	REPORT_VERDICTS,
};

struct report_row {
	uint32_t line;
	enum report_verdict verdict;
	const char *operation; /* "upsert", "delete", "ignore" */
	const char *key, *field, *code, *text;
};

/* How many rows had this remark. */
struct report_reason {
	enum report_verdict verdict;
	char field[64], code[24];
	uint64_t rows;
};

struct report {
	struct cli *c;
	const char *source, *territory, *kind, *mapping, *file, *format;
	bool dry_run;
	uint64_t rows, counts[REPORT_VERDICTS];
	char head_rev[24]; /* "" when not known */
	struct report_row *list;
	size_t n, room, dropped;
	struct report_reason reasons[REPORT_REASONS_MAX];
	size_t n_reasons;
	unsigned replaced; /* control characters */
	uint32_t replaced_line;
	bool stopped; /* at --max-errors */
};

/* The verdict with this word; REPORT_VERDICTS for a word of a newer library. */
enum report_verdict report_verdict(const char *word);
/* Counts a row and keeps its remark, if it has one.  0 or an exit status. */
int report_add(struct report *r, const struct report_row *row);
/* Prints it in the chosen format.  0 or an exit status. */
int report_print(struct report *r);
/* The report as one JSON object and an end of line.  0, -ERR_NOMEM, -ERR_TOO_BIG. */
int report_json(struct report *r, struct buf *out);
/* The report as JSON, into a file of this name. 0 or an exit status. */
int report_write(struct report *r, const char *path);
/* What the run came to: 0, SEVE_PARTIAL, or SEVE_INVALID where no row was good. */
int report_status(const struct report *r);

#endif

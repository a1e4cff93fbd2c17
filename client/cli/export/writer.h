/* writer.h -- records as files: one row of the table (writer.c) a format, one file each beside this
 * one.  Knows no server.  Functions return an exit status, 0 to go on, and have said what went
 * wrong. */
#ifndef SEVE_CLI_EXPORT_WRITER_H
#define SEVE_CLI_EXPORT_WRITER_H

#include <seve.h>
#include <stdbool.h>
#include <stdio.h>

#include "kind.h"

struct cli;
struct writer;

struct writer_ops {
	const char *name, *ending;
	const char *only; /* the one kind that it can tell of; NULL: any */
	bool one_kind;    /* a file holds records of one kind */
	bool path;        /* writes to a path, not to a stream */
	int (*begin)(struct writer *w);
	int (*kind)(struct writer *w); /* w->kind begins; or NULL */
	int (*record)(struct writer *w, const struct seve_record *r);
	int (*end)(struct writer *w);
	void (*free)(struct writer *w); /* also after a failure; or NULL */
};

struct writer_column {
	const char *name, *field; /* key of JSON, and what seve_record_get() knows */
	bool number, decimal;
};

struct writer {
	struct cli *c;
	const struct writer_ops *ops;
	FILE *file;
	const char *path;
	const char *link; /* what stands before "nord/M-5" in links; NULL: none */
	bool french;      /* CSV for French spreadsheets */
	const struct kind *kind;
	const char *territory;         /* slug of the records that follow */
	struct writer_column *columns; /* of the kind */
	size_t n_columns;
	size_t records, skipped;
	void *state;
};

/* By its word; NULL: there is none. */
const struct writer_ops *writer_find(const char *word);
const char *writer_word(size_t i); /* NULL past the end */

/* Finds the kind's columns, meta first, then all fields. */
int writer_kind(struct writer *w, const struct kind *k);
/* The text of a column. */
const char *writer_cell(const struct writer *w, const struct writer_column *col,
			const struct seve_record *r);
/* The record as one line of canonical JSON with its territory; the caller frees it.  NULL: memory.
 */
char *writer_json(const struct writer *w, const struct seve_record *r);

extern const struct writer_ops writer_jsonl, writer_json_array, writer_csv, writer_geojson,
	writer_ics, writer_xlsx;

#endif

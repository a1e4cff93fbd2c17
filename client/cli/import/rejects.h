/* rejects.h -- the rows that were not taken, in the columns of their file and with the reason, so
 * that they can be mended and imported again.  Knows no mapping. */
#ifndef SEVE_CLI_IMPORT_REJECTS_H
#define SEVE_CLI_IMPORT_REJECTS_H

#include <stdint.h>

#include "file.h"

struct rejects {
	struct file_draft draft;
	char separator;
	size_t width; /* columns of the file */
	uint64_t rows;
};

/* Writes the header: the file's columns, then seve_line and seve_reason. */
int rejects_open(struct rejects *r, const char *path, char *const *columns, size_t n,
		 char separator, struct err *e);
void rejects_row(struct rejects *r, char *const *cells, size_t n, uint32_t line,
		 const char *reason);
int rejects_keep(struct rejects *r, struct err *e);
void rejects_drop(struct rejects *r); /* idempotent, also after keeping it */

#endif

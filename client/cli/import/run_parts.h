/* run_parts.h -- what the files of a run (run.c, run_open.c, run_row.c, run_verdict.c) have of each
 * other; everybody else uses run.h. */
#ifndef SEVE_CLI_IMPORT_RUN_PARTS_H
#define SEVE_CLI_IMPORT_RUN_PARTS_H

#include "import/run.h"

struct seve_error;

enum { RUN_AGAIN = -1 }; /* no exit status: the rows are to be sent again from the first */

/* The file of rejected rows, from its header on, where one is wanted. */
int run_rejects_open(struct run *r);

/* 0, or an exit status that ends the import; a row that is not good is only reported. */
int run_send_row(struct run *r, const struct reader_row *row);
/* A call of the library has failed: RUN_AGAIN where the loss has been got over.  Frees err. */
int run_failed(struct run *r, struct seve_error *err);

/* Keeps what the verdict will be about: the key, and the cells where they may have to be written.
 * known: what the row refers to went in during this run. */
int run_remember(struct run *r, const struct reader_row *row, const char *key, bool remove,
		 bool known);
/* For seve_import_on_verdict; ctx is the run. */
void run_on_verdict(void *ctx, uint32_t line, const char *verdict, const char *id,
		    const char *field, const char *code, const char *text);
/* Lets go of the rows that still wait. */
void run_forget_sent(struct run *r);

#endif

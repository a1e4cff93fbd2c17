/* run.h -- one file into one kind of record: read through whole to see that it can be read, then
 * sent row by row.  Knows no command line.  Functions return an exit status, 0 to go on, and have
 * said what went wrong. */
#ifndef SEVE_CLI_IMPORT_RUN_H
#define SEVE_CLI_IMPORT_RUN_H

#include "arena.h"
#include "import/keys.h"
#include "import/mapping.h"
#include "import/reader.h"
#include "import/rejects.h"
#include "import/report.h"
#include "kind.h"
#include "opts.h"
#include "progress.h"

struct cli;

struct run_options {
	const char *source, *mapping; /* NULL: the file's own source; the mapping that fits */
	const char *from; /* of our own exports: rows of this territory; NULL: the same */
	struct words set; /* FIELD=TEXT, over what the mapping says */
	bool dry_run, revive;
	bool full, force;             /* delete what the file did not bring */
	uint64_t errors_max;          /* 0: none */
	const char *rejects;          /* path, or NULL */
	const struct mapping *parsed; /* in the place of `mapping`, or NULL */
	struct reader_options reader;
};

struct run_sent;

enum { RUN_BATCHES_MAX = 4 };

/* What a run over the file sends.  Of a workbook, rows that a rule refuses for want of others (an
 * action in progress without its positions) go in bare first, and whole once all files are in:
 * records, then links, then states. */
enum run_pass {
	RUN_WHOLE,
	RUN_BARE, /* the rows put off, without state and links inside their own kind */
	RUN_LATE, /* the same rows, whole */
};

struct run {
	struct cli *c;
	struct run_options o;
	const char *file_name;
	const struct kind *kind;
	uint32_t territory;
	const char *slug;
	FILE *file;
	struct reader *reader;
	struct mapping mapping;
	struct rejects rejects;
	struct report report;
	struct keys *keys; /* of other files of the same run, or NULL */
	struct progress progress;
	uint64_t total;
	struct seve_import *import;
	struct run_sent *first, **last; /* wait for their verdicts */
	int status;                     /* of what a callback has said */
	bool puts_off;                  /* is part of a workbook */
	bool keeps_keys;                /* cells of this run or a later one refer to its rows */
	enum run_pass pass;
	char batches[RUN_BATCHES_MAX][40]; /* of the passes, in order; "": a dry run */
	size_t n_batches;
	struct {
		uint32_t *lines; /* 0: settled */
		size_t n, room, at;
	} late;
};

/* The file, its format and its mapping; reads all of it.  "-" is standard input. */
int run_open(struct run *r, struct cli *c, const struct kind *kind, const char *file_name,
	     const struct run_options *o);
/* Sends it to the territory and waits for the verdicts; r->report tells. */
int run_send(struct run *r, uint32_t territory, struct keys *keys);
/* Of a workbook, once all its files have been sent: the rows that were put off. */
int run_late(struct run *r);
/* Idempotent. */
void run_close(struct run *r);

/* The text of a mapping that comes with the program or stands in a file, parsed. */
int run_mapping(struct cli *c, const char *name, struct mapping *out);

#endif

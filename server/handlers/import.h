/* import.h -- imports under way, for the files of their handlers: import.c takes rows,
 * import_keep.c keeps batches and tells of them, import_full.c deletes what a whole source did not
 * bring, import_revert.c takes a batch back.  Loop thread only. */
#ifndef SEVED_HANDLERS_IMPORT_H
#define SEVED_HANDLERS_IMPORT_H

#include "dispatch.h"
#include "pg/load.h"
#include "pg/writer.h"

struct chunk;
struct imports;
struct seen;

enum { IMPORT_CODES = 8 /* values of RowVerdict.Code */, IMPORT_REMARKS_MAX = 1000 };

struct run {
	uint64_t id;
	int32_t account;
	struct uuid client, batch;
	uint32_t territory;
	const struct kind *kind;
	char source[64];
	bool dry_run;
	bool hopeful; /* no row has turned out yet to be about a record that its key did not lead
			 to: see apply.h */
	uint64_t used_ms;
	struct seen *seen;
	struct chunk *first, *last; /* waiting: only while as many are under way as may be */
	size_t waiting, under_way;
	uint32_t counts[IMPORT_CODES];
	bool ending; /* it is being opened or ended: no rows now */
	struct run *next;
};

/* Whether an earlier row of the run had this key. */
bool run_saw(struct run *r, const char *key);
/* Takes the run out of the list, and frees it. */
void run_drop(struct imports *all, struct run *r);
/* Who writes a run's rows. */
struct apply_author run_author(const struct request *r, uint32_t territory);

/* Asks for the run's batch to be opened, then opened(r, run, err): run is dropped if err is set. */
int keep_open(struct request *r, struct run *run, const Seve__ImportBegin *q,
	      void (*opened)(struct request *r, struct run *run, const struct err *err));
/* Stores the remarks of some verdicts, then kept(ctx, err).  Calls at once where there is none. */
int keep_notes(struct request *r, const struct run *run, Seve__RowVerdict *const *rows, size_t n,
	       void (*kept)(void *ctx, const struct err *err), void *ctx);
/* Ends the batch with its counts, or, of a dry run, only reads the head; then replies and drops the
 * run.  `rows`: verdicts that the reply carries, in the request's arena. */
void keep_close(struct request *r, struct run *run, Seve__RowVerdict **rows, size_t n);

/* Deletes what the run did not bring, then ends it with keep_close(). */
void full_start(struct request *r, struct run *run, bool force);

#endif

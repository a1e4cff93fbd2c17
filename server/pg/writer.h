/* writer.h -- the group-commit writer: what arrives while a commit is under way forms the next
 * batch. Loads what a batch touches, lets the pure core (common/sync/apply.h) decide, stores the
 * effects and the verdicts, commits. Loop thread only; one writer per process, on a link of its
 * own. */
#ifndef SEVED_PG_WRITER_H
#define SEVED_PG_WRITER_H

#include "sync/apply.h"
#include "link.h"

enum {
	WRITER_BATCH_JOBS = 512,
	WRITER_BATCH_BYTES = 1024 * 1024,
	WRITER_QUEUE_JOBS = 20000,
};

struct writer;
struct server;

/* One mutation or one import row on its way through. */
struct writer_job {
	struct apply_job work; /* input and, after done, outcome; the caller's memory until then */
	size_t bytes;          /* rough size of the input */
	void *batch_key;   /* jobs with a key form a batch of their own (an import chunk); NULL: any
			      batch */
	bool rollback;     /* dry run: the batch of this key is rolled back */
	struct uuid run;   /* of an import: kept with its references */
	char refusal[200]; /* the writer's own: what the database said of this job */
	void *owner;
	void (*done)(struct writer_job *j); /* exactly once, after COMMIT; err.code tells of
					       failures of the whole */
	struct err err;
	struct writer_job *next;
};

int writer_open(uv_loop_t *loop, struct server *s, const char *conninfo, struct writer **out,
		struct err *e);
/* Finishes the batch under way, fails what waits with ERR_GOING_AWAY, then calls closed(ctx). */
void writer_close(struct writer *w, void (*closed)(void *ctx), void *ctx);

/* As pg_link_renew(): what is under way fails. */
void writer_renew(struct writer *w);

/* 0, or -ERR_EXHAUSTED when the queue is full (done is then not called). */
int writer_submit(struct writer *w, struct writer_job *j, struct err *e);
/* All jobs of an array, in order, or none. */
int writer_submit_all(struct writer *w, struct writer_job *jobs, size_t n, struct err *e);

#endif

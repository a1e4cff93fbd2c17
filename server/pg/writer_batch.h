/* writer_batch.h -- what the writer's two files share: writer.c takes jobs and forms batches of
 * them, writer_batch.c brings a batch through the database. */
#ifndef SEVED_PG_WRITER_BATCH_H
#define SEVED_PG_WRITER_BATCH_H

#include "load.h"
#include "news.h"
#include "writer.h"

struct batch {
	struct writer *writer;
	struct arena arena;
	struct world world;
	struct load load, more; /* more: what explains the clashes */
	struct writer_job **jobs;
	struct apply_job **stored; /* whose verdicts are new */
	struct pg_unit *undo;      /* ROLLBACK, made before it can be needed */
	uint32_t session;          /* of the link, which holds the open transaction */
	size_t n, n_stored, at;    /* at: the next to decide */
	size_t n_sent;             /* of n_stored: in portions that are on their way */
	struct news *news;         /* of the commit, by territory */
	size_t n_news;
	uint64_t epoch; /* when it was formed */
	size_t units;   /* behind LOAD, under way */
	struct err why; /* the first failure of these */
	bool refused;   /* it is the database's verdict on what a job holds */
	bool rollback;
	bool deciding; /* there is more to decide, and nothing to wait for */
	bool storing;  /* its COMMIT is on its way: the next batch may load behind it */
	bool recalled; /* its jobs wait again: only its LOAD is still to end */
};

/* Jobs that were sent back after a refused batch: they are tried in these groups before anything
 * new. */
struct group {
	struct writer_job *first, *last;
	size_t n;
	struct group *next;
};

struct writer {
	struct server *server;
	struct pg_link *link;
	struct writer_job *first, *last;
	size_t queued;
	struct group *retries;
	struct batch *front, *next; /* under way, or NULL; next only while front is storing */
	struct batch batches[2];    /* the ones that are used again and again */
	struct mids mids;
	uv_idle_t kick; /* starts a batch from the loop, never from a caller's stack */
	bool closing, link_closed, kick_closed;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* Asks for what the batch needs; from then on it goes its way, and ends its jobs. */
int batch_load(struct batch *b);
/* A batch that is `deciding`: its next portion. */
void batch_step(struct batch *b);
/* Ends all its jobs with this error, and the batch. */
void batch_fail(struct batch *b, const struct err *e);
/* The batch fails.  Its transaction, which may hold portions, is ended once all that was sent of
 * it has come back; where the database or the lost connection has ended it this does nothing.
 * Refused: by what one of its jobs holds, which is looked for. */
void batch_give_up(struct batch *b, const struct err *e, bool refused);
/* Goes on with what can go on: from the loop, never from a caller's stack. */
void writer_kick(struct writer *w);

#endif

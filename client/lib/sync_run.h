/* sync_run.h -- the inside of a synchronisation.  Private to sync*.c. */
#ifndef SEVE_LIB_SYNC_RUN_H
#define SEVE_LIB_SYNC_RUN_H

#include "manifest.h"
#include "queue.h"
#include "replica.h"
#include "resume.h"
#include "sync.h"

#define SYNC_REVOKED "TERRITORY_REVOKED"

enum sync_phase {
	SYNC_BEGIN,  /* a session first: its Welcome tells the epoch */
	SYNC_RESUME, /* how far has the server come with our mutations? */
	SYNC_VERIFY, /* a page of the manifest */
	SYNC_FETCH,  /* what the page before showed to differ */
	SYNC_PUSH,
	SYNC_PULL,
};

enum { SYNC_RESETS_MAX = 4, SYNC_RESUMES_MAX = 3 };

struct sync_item {
	uint32_t territory;
	char slug[REPLICA_NAME];
	bool carried; /* has a replica */
	bool ended, revoked;
	uint64_t to_push, pushed, pulled, rev;
	uint64_t again; /* acknowledged edits that the server has lost, and that were sent again */
	uint64_t verified;
	uint64_t withheld;
	bool counted;
	struct queue_counts counts;
	struct err err;
};

struct sync_run {
	struct seve *s;
	struct sync_want want;
	struct sync_item *items;
	size_t n, at;
	enum sync_phase phase;
	size_t chunk; /* mutations in one push; fewer once an answer was too large */
	unsigned tries, resets, resumes; /* of the present territory, since it last got on */
	bool knocked;                    /* a session was begun, and its Welcome is awaited */
	bool rejoin;                     /* the session is of no use any more: another one first */
	/* Of the present territory. */
	struct resume_point point; /* epoch 0: not asked */
	bool refused;              /* the server has another mutation under one of our numbers */
	enum sync_phase after;     /* the comparison */
	uint8_t *fetch;            /* ids that it showed to differ */
	size_t n_fetch, fetched, fetch_chunk;
	uint8_t page_last[16];
	bool page_more;
	uint64_t not_before_ms; /* the back-off's end */
	uint64_t call;          /* under way, 0: none */
	struct arena arena;     /* of the push under way */
	Seve__PushRequest push;
	bool batch; /* a transaction that takes in pages is open */
	size_t batch_rows;
	uint64_t batch_until_ms; /* it is committed by then: others want to write too */
	bool finished;
	/* Of seve_sync_start(): told once, by seve_process(). */
	seve_done done;
	void *ctx;
};

/* sync.c */
void sync_item_end(struct sync_run *r, const struct err *why);
void sync_item_failed(struct sync_run *r, const struct err *err);
int sync_submit(struct sync_run *r, Seve__Request *req, const struct call_want *want,
		struct err *e);
/* The view that the server told with the grant. */
int sync_granted_view(struct sync_run *r, uint64_t *view, struct err *e);

/* sync_verify.c: the steps of those phases. */
void sync_begin_step(struct sync_run *r);
void sync_resume_step(struct sync_run *r);
void sync_verify_step(struct sync_run *r);
void sync_fetch_step(struct sync_run *r);
/* The cursor is of no use: goes over to the comparison, or to a load from rev 0; `after` comes
 * then.  0 or a failure. */
int sync_reset(struct sync_run *r, enum sync_phase after, struct err *e);

/* Fills in the territories of the run. */
int sync_items(struct seve *s, struct sync_run *r, struct err *e);

#endif

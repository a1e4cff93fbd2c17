/* sync_run.h -- the inside of a synchronisation.  Private to sync*.c. */
#ifndef SEVE_LIB_SYNC_RUN_H
#define SEVE_LIB_SYNC_RUN_H

#include "queue.h"
#include "sync.h"

#define SYNC_REVOKED "TERRITORY_REVOKED"

enum sync_phase { SYNC_PUSH, SYNC_PULL };

struct sync_item {
	uint32_t territory;
	char slug[64];
	bool carried; /* has a replica */
	bool ended, revoked;
	uint64_t to_push, pushed, pulled, rev;
	struct queue_counts counts;
	struct err err;
};

struct sync_run {
	struct seve *s;
	struct sync_want want;
	struct sync_item *items;
	size_t n, at;
	enum sync_phase phase;
	size_t chunk;           /* mutations in one push; fewer once an answer was too large */
	unsigned tries, resets; /* of the present territory, since it last got on */
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

/* Fills in the territories of the run. */
int sync_items(struct seve *s, struct sync_run *r, struct err *e);

#endif

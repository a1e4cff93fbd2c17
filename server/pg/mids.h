/* mids.h -- the last mid of clients that push often, as this process committed it: the writer need
 * not look it up again for the next.  Another process may have gone on meanwhile: then the primary
 * key of `mutation` refuses the batch, the writer forgets, and looks.  That key sees no verdict
 * that was purged, so a memory counts only as long as no newer verdict can have been.  Knows no
 * SQL.  Loop thread only. */
#ifndef SEVED_PG_MIDS_H
#define SEVED_PG_MIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "uuid.h"

struct conf;

/* A place for each hash: who comes later displaces who was there. */
enum { MIDS_PLACES = 4096, MIDS_MS = 60000 };

struct mids_place {
	struct uuid client;
	uint32_t territory, age; /* age: of the memory when it was written; see mids.age */
	uint64_t mid, at_ms;
};

struct mids {
	struct mids_place *places; /* NULL: remembers nothing */
	uint32_t age;              /* all written before the last mids_forget() are of another */
};

/* Without memory it remembers nothing. */
void mids_init(struct mids *m);
void mids_fini(struct mids *m);

/* Committed at `now_ms`, of a clock that never goes back. */
void mids_note(struct mids *m, uint32_t territory, const struct uuid *client, uint64_t mid,
	       uint64_t now_ms);
/* For how long a memory counts: verdicts are not purged before.  NULL: there are no settings. */
uint64_t mids_trust_ms(const struct conf *conf);
/* The client's greatest mid; 0: not known, or for longer than `trust_ms`. */
uint64_t mids_last(const struct mids *m, uint32_t territory, const struct uuid *client,
		   uint64_t now_ms, uint64_t trust_ms);
void mids_forget(struct mids *m);

#endif

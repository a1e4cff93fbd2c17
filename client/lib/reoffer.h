/* reoffer.h -- the outbox after the server's history has changed: what it lost of this client's
 * mutations waits again, under fresh numbers.  The rules are those of common/sync/resume.h; knows
 * no network.  Each function is one transaction, or part of the caller's.  One thread at a time per
 * store. */
#ifndef SEVE_LIB_REOFFER_H
#define SEVE_LIB_REOFFER_H

#include "resume.h"
#include "store.h"

/* Acknowledged mutations are kept so long, in case a restored database has lost them: a store keeps
 * what its own machine did, so the bound is that of a backup that would still be put back. */
enum { REOFFER_KEEP_DAYS = 14, REOFFER_KEEP_MAX = 20000 };

struct reoffer {
	uint64_t epoch;            /* under which the numbers are right, 0: none was sent yet */
	uint64_t waiting, settled; /* entries */
};
/* What there is to look at when a session begins. */
int reoffer_state(struct store *s, uint32_t territory, struct reoffer *out, struct err *e);

/* Brings numbers and parents in line with the server's, puts what it lacks into the outbox, and
 * notes the epoch.  `refused`: the server has another mutation under a number of ours.  Adds the
 * number of acknowledged mutations that wait again to `again`. */
int reoffer(struct store *s, uint32_t territory, const struct resume_point *p, bool refused,
	    uint64_t fork, uint64_t *again, struct err *e);

/* A mutation leaves the outbox: kept beside it for a while, with its packed verdict. */
int reoffer_keep(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms, uint64_t epoch,
		 struct span verdict, struct err *e);
/* What has been kept long enough goes; and the numbers are right under this epoch. */
int reoffer_settled(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms,
		    uint64_t epoch, struct err *e);

#endif

/* queue.h -- the outbox in the store: adding edits, taking what is to be sent, settling verdicts.
 * Knows no network; the rules are those of common/sync/outbox.h.  Each function is one transaction,
 * or part of the caller's. One thread at a time per store. */
#ifndef SEVE_LIB_QUEUE_H
#define SEVE_LIB_QUEUE_H

#include "outbox.h"
#include "store.h"

enum { QUEUE_CHUNK_MUTATIONS = 500, QUEUE_CHUNK_BYTES = 512 * 1024 };

/* Puts a mutation into the outbox: client, mid and each change's base_mid are filled in.  bases[i]
 * is what the author of changes[i] was looking at, as the server has it (kind NULL: nothing, or the
 * store knows it already); kept where there is no replica. -ERR_TOO_BIG when it would not fit into
 * one request. */
int queue_add(struct store *s, Seve__Mutation *m, const struct outbox_view *bases, int64_t now_ms,
	      struct err *e);

/* The mutations to send next, at most `most` and no more than fit a request, marked as sent;
 * out->n_mutations 0 when none waits.  Lives in the arena. */
int queue_take(struct store *s, struct arena *a, uint32_t territory, size_t most,
	       Seve__PushRequest *out, struct err *e);

/* Each edit counts once; conflicts: held back in whole or in part, and kept in a conflict record.
 */
struct queue_counts {
	uint64_t applied, merged, unchanged, conflicts, rejected;
};
/* Settles the verdicts on a request, all in one transaction; adds to `counts`.  What is in effect
 * is kept beside the outbox for a while, with the epoch that acknowledged it (reoffer.h). */
int queue_settle(struct store *s, uint32_t territory, const Seve__PushRequest *sent,
		 const Seve__PushReply *reply, const char *account, int64_t now_ms, uint64_t epoch,
		 struct queue_counts *counts, struct err *e);

/* What became of one mutation: OUTBOX_DONE when it left the outbox with its verdict, else its state
 * there; the verdict in the arena, without bodies (NULL: it has none yet, or none tells why).
 * -ERR_NOT_FOUND when nothing is known of it. */
int queue_fate(struct store *s, struct arena *a, uint32_t territory, uint64_t mid,
	       enum outbox_state *state, const Seve__Verdict **verdict, struct err *e);

/* Every waiting mutation of the territory becomes rejected with this code: it cannot be sent any
 * more. */
int queue_reject_all(struct store *s, uint32_t territory, const char *code, uint64_t *n,
		     struct err *e);
/* Puts a rejected entry behind the others under a new mid.  -ERR_NOT_FOUND, -ERR_PRECONDITION for
 * one that waits. */
int queue_retry(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms,
		uint64_t *new_mid, struct err *e);
/* Takes out an entry that does not wait.  -ERR_NOT_FOUND, -ERR_PRECONDITION for one that does. */
int queue_drop(struct store *s, uint32_t territory, uint64_t mid, struct err *e);

/* Entries by state. */
int queue_count(struct store *s, uint32_t territory, uint64_t *waiting, uint64_t *conflicts,
		uint64_t *rejected, struct err *e);

#endif

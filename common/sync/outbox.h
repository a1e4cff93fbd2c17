/* outbox.h -- the rules of the outbox: what waiting edits show, what is sent next, what a verdict
 * does to an entry. Pure: knows no storage, no clock, no sockets; library and simulation run the
 * same code.  Any thread. */
#ifndef SEVE_OUTBOX_H
#define SEVE_OUTBOX_H

#include "merge.h"

enum outbox_state {
	OUTBOX_PENDING,  /* never sent */
	OUTBOX_SENT,     /* sent at least once, no verdict yet: goes again with the same mid and the
			    same bytes */
	OUTBOX_CONFLICT, /* the server kept the record as it was, and does not keep conflicts (an
			    older one): stays until somebody has dealt with it */
	OUTBOX_REJECTED, /* the server refused it; the same */
	OUTBOX_DONE,     /* in effect, or kept by the server in a conflict record: leaves the
			    outbox */
};

const char *outbox_word(enum outbox_state s); /* "pending", … */
/* Whether entries in this state are still to be sent, and so show in what is read. */
bool outbox_waits(enum outbox_state s);

/* A record as somebody sees it. */
struct outbox_view {
	const struct kind *kind; /* NULL: the record is not known at all */
	bool deleted;
	uint64_t rev; /* 0: the server has not confirmed it */
	uint32_t ref_no;
	const Seve__Body *body; /* NULL when deleted */
};

/* Lays one waiting change over the record.  A change that cannot be shown (an edit of what is not
 * known or deleted) leaves it as it is: the server will decide.  The result shares memory with its
 * inputs.  0, -ERR_NOMEM, -ERR_INVALID. */
int outbox_fold(struct arena *a, struct outbox_view *v, const Seve__Change *c, struct err *e);

/* Where the record entered another state since `before`, it has been in it since `at_ms` (wall
 * clock) as far as this machine knows.  0, -ERR_NOMEM. */
int outbox_date_state(struct arena *a, struct outbox_view *v, const struct outbox_view *before,
		      int64_t at_ms, struct err *e);

/* The state that a verdict puts an entry into.  A code that this program does not know counts as
 * rejected: kept, and seen. */
enum outbox_state outbox_judge(const Seve__Verdict *v);
/* The first outcome whose change was held back, in whole or in part, and is kept in a conflict
 * record; NULL: none. */
const Seve__Outcome *outbox_conflict(const Seve__Verdict *v);

/* The verdict without the bodies in it, packed: what is kept to be told again.  at NULL: out of
 * memory. */
struct span outbox_lean(struct arena *a, const Seve__Verdict *v);

/* The outcome of the record, NULL when the verdict tells none. */
const Seve__Outcome *outbox_outcome(const Seve__Verdict *v, const uint8_t id[16]);

/* What is known of one record once a mutation is settled (outbox_judge() == OUTBOX_DONE).  Of one
 * that clashed as a whole, what the server sent and nothing else.  Of one in effect, the body that
 * the server sent, or else its changes laid over `v`, with what the server fills in (author and
 * time; `now_ms` stands for its clock until the record is pulled).  `v` stays as it is where
 * nothing was written, or nothing is known of it. */
int outbox_settle(struct arena *a, struct outbox_view *v, const uint8_t id[16],
		  const Seve__Mutation *m, const Seve__Verdict *verdict, const char *account,
		  int64_t now_ms, struct err *e);

/* How many of the waiting entries, whose packed sizes are given in the order of their mids, go in
 * one request: at least one. */
size_t outbox_chunk(const size_t *sizes, size_t n, size_t max_n, size_t max_bytes);

/* Whether a reply answers exactly these mids, in their order.  0 or -ERR_PROTOCOL. */
int outbox_answers(const uint64_t *mids, size_t n, const Seve__PushReply *r, struct err *e);

#endif

/* check.h -- the invariants of synchronisation, as far as a user's machine shows them; the oracle
 * knows what is true.
 *
 *    1  every replica ends as the server is                      check_user_end
 *    2  all up to the cursor is there, at its rev or later        check_page, all along
 *    3  a snapshot that holds rev n + 1 holds all up to n         check_snapshot, all along
 *    4  a rev is given once, and the head is the greatest         check_snapshot, sim.c check_heads
 *    5  one verdict a mutation, always the same, one effect       check_verdicts, check_results,
 *                                                                 oracle_commit
 *    6  no acknowledged edit is lost: it stands, or was merged,
 *       or overwritten by who knew it, or is in a conflict; what
 *       a database forgets comes again, once                      check_user_end, oracle_commit,
 *                                                                 check_numbers, check_judged
 *    7  each edit is in effect, in a conflict, refused with a
 *       reason, or waits                                          check_user_end, check_settled,
 *                                                                 check_replica_reopened
 *    8  what was deleted comes back by a restoration only         oracle_commit, check_complete
 *    9  who has missed a purged tombstone loads anew              check_complete
 *   10  nobody is sent what the role may not read, and what was
 *       taken is forgotten                                        check_page, check_revoked
 *   11  references of live records lead to live records,
 *       but for restored ones                                     check_snapshot
 *   12  what waits to be sent or read stays below its limit       net.c: buffers have a maximum
 *
 * Whoever looks at a page or a verdict also sees that nothing shown went back to an earlier rev. */
#ifndef SEVE_SIM_CHECK_H
#define SEVE_SIM_CHECK_H

#include "db.h"
#include "outbox.h"

struct sim;

/* The verdict on an edit by its serial number, as the database has it now; NULL: none. */
const struct db_verdict *check_stored(struct sim *s, unsigned user, uint32_t territory,
				      uint64_t serial);

/* Verdicts have come: they are those that the database holds, and no other than heard before. */
void check_verdicts(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r);
/* They are settled: the outbox says so, the records show it. */
void check_settled(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r);
/* A page is written: all up to the cursor is there, nothing shown went back, nothing is above the
 * role. */
void check_page(struct sim *s, unsigned user, const Seve__Page *p, Seve__Role role);
/* A pull is complete: the replica is the territory as of that rev, as this role may see it. */
void check_complete(struct sim *s, unsigned user, uint32_t territory, uint64_t head,
		    Seve__Role role);
void check_revoked(struct sim *s, unsigned user, uint32_t territory);
/* The machine came back. */
void check_replica_reopened(struct sim *s, unsigned user);
/* Somebody has begun to read: what is read is what the territory was at its head. */
void check_snapshot(struct sim *s, uint32_t territory, const struct db_state *d);
/* Whether the record at this rev is what the database had at it. */
bool check_stands(struct sim *s, uint32_t territory, unsigned record, const struct outbox_view *v);
/* A mutation is about to be committed: for the first time in this history, and it says to have seen
 * nothing that was lost. */
void check_judged(struct sim *s, const struct apply_job *j);
/* Commits are lost: what stood in `before` and does not any more is to come again. */
void check_rewound(struct sim *s, const struct db_verdict *before);
/* The outbox is in line with the server's numbers: what was lost waits. */
void check_numbers(struct sim *s, unsigned user, uint32_t territory);
/* All is calm. */
void check_results(struct sim *s);
void check_user_end(struct sim *s, unsigned user);
bool check_user_clean(struct sim *s, unsigned user);

#endif

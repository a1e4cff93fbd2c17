/* check.h -- the invariants of synchronisation, as far as a user's machine shows them; the oracle
 * knows what is true. */
#ifndef SEVE_SIM_CHECK_H
#define SEVE_SIM_CHECK_H

#include "db.h"

struct sim;

/* Verdicts have come: they are those that the database holds, and no other than heard before. */
void check_verdicts(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r);
/* They are settled: the outbox says so, the records show it. */
void check_settled(struct sim *s, unsigned user, uint32_t territory, const Seve__PushReply *r);
/* A page is written: all up to the cursor is there, nothing shown went back. */
void check_page(struct sim *s, unsigned user, uint32_t territory, Seve__Role role);
/* A pull is complete: the replica is the territory as of that rev, as this role may see it. */
void check_complete(struct sim *s, unsigned user, uint32_t territory, uint64_t head,
		    Seve__Role role);
void check_revoked(struct sim *s, unsigned user, uint32_t territory);
/* The machine came back. */
void check_replica_reopened(struct sim *s, unsigned user);
/* All is calm. */
void check_user_end(struct sim *s, unsigned user);
bool check_user_clean(struct sim *s, unsigned user);

#endif

/* quarrel.h -- conflict records in the naive model: what is held back must be kept, in one record
 * per client and record while it is open, and always of the level of what it is about. */
#ifndef SEVE_SIM_QUARREL_H
#define SEVE_SIM_QUARREL_H

#include "oracle.h"

struct sim;
struct outbox_view;

enum { QUARREL_OPEN = 1 }; /* VALUE_CASE; resolved: 1 + the resolution */

/* The mutation has held back its changes of this record (`all`), or a part of them: its verdict
 * names the conflict that keeps it, which is at the head's next revision. */
void quarrel_keep(struct sim *s, const struct apply_job *j, unsigned record, int level, bool all);
/* The level of a record has changed: its conflicts take the next revisions. */
void quarrel_follow(struct sim *s, const struct apply_job *j, unsigned record, int level);
/* Whether some conflict about the record has ever held this mark. */
bool quarrel_held(const struct sim *s, uint32_t territory, unsigned record, unsigned mark);

/* A person decides: the change that closes the conflict, and in *about the record that it is about.
 * NULL: it is not open. */
Seve__Change *quarrel_decide(struct sim *s, const struct uuid *id, const struct outbox_view *v,
			     struct uuid *about);

#endif

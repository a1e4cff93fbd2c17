/* store.h -- writes what a batch did to its world: record, typed tables, links, versions, verdicts,
 * partners' keys, heads. Knows nothing of decisions.  Loop thread only. */
#ifndef SEVED_PG_STORE_H
#define SEVED_PG_STORE_H

#include "sync/apply.h"
#include "unit.h"

/* Adds the statements for what the batch has done and none of its portions has stored yet to `u`,
 * in the order of the tables; it then counts as stored.  `jobs` are those whose verdicts belong to
 * it. */
int store_effects(struct world *w, struct apply_job *const *jobs, size_t n, struct pg_unit *u);
/* Once, behind the last portion; COMMIT is the caller's. */
int store_heads(struct world *w, struct pg_unit *u);

#endif

/* store.h -- writes what a batch did to its world: record, typed tables, links, versions, verdicts,
 * partners' keys, heads. Knows nothing of decisions.  Loop thread only. */
#ifndef SEVED_PG_STORE_H
#define SEVED_PG_STORE_H

#include "sync/apply.h"
#include "unit.h"

/* Adds the statements to `u`, in the order of the tables; not COMMIT.  `jobs` are those whose
 * verdicts are to be stored. */
int store_world(struct world *w, struct apply_job *const *jobs, size_t n, struct pg_unit *u);

#endif

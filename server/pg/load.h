/* load.h -- fills the world of a batch from PostgreSQL: collects what its jobs need, asks in one
 * round trip, lays the answers down. Knows nothing of decisions.  Loop thread only. */
#ifndef SEVED_PG_LOAD_H
#define SEVED_PG_LOAD_H

#include "authz.h"
#include "mids.h"
#include "sync/apply.h"
#include "unit.h"

struct load_item;

struct load {
	struct arena *arena;
	struct world *world;
	const struct mids *mids; /* NULL: every client's last mid is looked up */
	uint64_t mids_now_ms, mids_trust_ms;
	struct load_item *lists[12]; /* enum load_what */
	size_t counts[12];
	struct pg_stmt *stmts[12];
	struct pg_stmt *heads;
	struct load_unique *uniques;
	struct load_all *all;
};

void load_init(struct load *l, struct arena *a, struct world *w);
/* Adds what one job needs. */
int load_collect(struct load *l, const struct apply_job *j);
/* Adds what it takes to explain the clash of one. */
int load_collect_clash(struct load *l, const struct apply_job *j);
/* Adds to `u`: BEGIN, the territories of this transaction, the lock of the heads, then everything
 * collected. */
int load_ask(struct load *l, struct pg_unit *u);
/* Adds what was collected alone: the transaction is open, the heads are locked. */
int load_ask_more(struct load *l, struct pg_unit *u);
/* Reads the results into the world.  -ERR_DATA_LOSS for a stored body that cannot be read. */
int load_read(struct load *l, struct err *e);

/* Who reads, as three parameters: the level, the own actor or NULL, the kinds whose records of the
 * own actor are read whatever their level. */
void load_reader(struct pg_params *p, const struct rights *r);

/* The variable that row-level security looks at, "{1,2}", for the rest of the transaction. */
int load_territories(struct pg_unit *u, const uint32_t *territories, size_t n);
/* Its text, for a statement that sets it on the way.  NULL when memory is out. */
const char *load_territories_text(struct arena *a, const uint32_t *territories, size_t n);

#endif

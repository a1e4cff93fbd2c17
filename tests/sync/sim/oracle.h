/* oracle.h -- the naive model: each record is the list of all that it ever was, and a mutation is
 * judged by looking through that list.  Slow, and shares no code with the merge that it judges. */
#ifndef SEVE_SIM_ORACLE_H
#define SEVE_SIM_ORACLE_H

#include "db.h"
#include "values.h"

/* What a record was from a revision on. */
struct version {
	uint64_t rev;
	uint64_t writer; /* the client, short */
	bool deleted;
	bool whole; /* created, deleted or restored: every field counts as written */
	struct values values;
	const struct version *older;
};

struct oracle_record {
	const struct version *newest; /* NULL: never born */
	bool purged;                  /* the database has forgotten it; this list has not */
};

struct oracle {
	struct oracle_record records[SIM_TERRITORIES][SIM_RECORDS];
	uint64_t heads[SIM_TERRITORIES];
	uint64_t last_commit_ms;
};

/* A mutation is committed, and this is its verdict: fails the history where it should be another.
 */
void oracle_commit(struct sim *s, const struct apply_job *j);
/* What is stored of a record after a batch. */
void oracle_check_record(struct sim *s, const struct world_record *r);
/* The database is what it was before: what came after never was. */
void oracle_rewound(struct sim *s);
void oracle_purged(struct sim *s, uint32_t territory, unsigned record);
/* The record that this one points at: its number + 1, or 0. */
int oracle_link(struct sim *s, uint32_t territory, const Seve__Body *body);
void oracle_read(struct sim *s, uint32_t territory, const Seve__Body *body, struct values *out);
/* Whether somebody else has written the record after `base`. */
bool oracle_foreign(const struct version *newest, uint32_t kind, uint64_t base, uint64_t writer);
/* The record as of a revision; NULL: not born then. */
const struct version *oracle_at(const struct sim *s, uint32_t territory, unsigned record,
				uint64_t rev);

#endif

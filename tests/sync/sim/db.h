/* db.h -- PostgreSQL, modelled: committed states, head locks, transactions that come whole or not
 * at all, a standby, purges, fail-overs.  What is decided inside a transaction is the product's
 * (apply.h). */
#ifndef SEVE_SIM_DB_H
#define SEVE_SIM_DB_H

#include "apply.h"

struct sim;

enum {
	SIM_TERRITORIES = 2,
	SIM_BORN = 48, /* created by people */
	SIM_RECORDS = 128,
	SIM_USERS = 6,
	SIM_SERVERS = 2,
	SIM_EDITS = 60
};

/* Rows, verdicts and what they hold never change: a state is a set of pointers, and a copy of it a
 * snapshot. */
struct db_row {
	uint64_t rev, narrowed_rev, at_ms;
	const struct kind *kind;
	uint32_t ref_no;
	Seve__Level level;
	bool deleted;
	int link;  /* the record that it points at: its number + 1, or 0 */
	int about; /* the same, of a conflict */
	struct span revs, body, last_body;
};

/* A body that was replaced. */
struct db_version {
	uint32_t territory;
	unsigned record;
	uint64_t rev, next_rev;
	const char *by;
	int64_t client_time, at;
	struct span body; /* at == NULL: it was deleted */
	const struct db_version *older;
};

struct db_verdict {
	uint32_t territory;
	struct uuid client;
	uint64_t mid;
	uint64_t serial; /* of its author's, which stays when the number does not */
	uint8_t hash[32];
	Seve__Verdict__Code code;
	struct span bytes;
	const struct db_verdict *older;
};

struct db_head {
	uint64_t rev, purged_rev;
	uint32_t counters[WORLD_KIND_MAX + 1];
};

struct db_state {
	struct db_head heads[SIM_TERRITORIES];
	const struct db_row *rows[SIM_TERRITORIES][SIM_RECORDS];
	const struct db_verdict *verdicts;
	const struct db_version *versions;
};

struct db {
	struct db_state now, standby;
	uint64_t epoch;
	bool up;
	unsigned locked_by[SIM_TERRITORIES]; /* server + 1 */
	unsigned waited_by[SIM_SERVERS];     /* territory, 0: none */
	uint64_t sequence[SIM_TERRITORIES];  /* of the bug that takes revs without the lock */
	struct uuid ids[SIM_TERRITORIES][SIM_RECORDS];
	unsigned n_ids[SIM_TERRITORIES];
	Seve__Role roles[SIM_USERS][SIM_TERRITORIES];
};

void db_begin(struct sim *s);

/* The record's number, made when `add`; SIM_RECORDS: unknown. */
unsigned db_record(struct sim *s, uint32_t territory, const uint8_t id[16], bool add);

/* Takes the lock of a head.  False: another server has it. */
bool db_lock(struct sim *s, uint32_t territory, unsigned server);
/* Whoever holds locks for this server gives them back. */
void db_unlock(struct sim *s, unsigned server);
/* Fills the world with what the jobs need. */
void db_load(struct sim *s, struct world *w, const struct apply_job *const *jobs, unsigned n);
/* The same for what explains the clashes of these jobs. */
void db_explain(struct sim *s, struct world *w, const struct apply_job *const *jobs, unsigned n);
/* What has been decided takes its revs from the sequence: only with the bug that does without
 * locks. */
void db_sequence(struct sim *s, const struct world *w);
/* Writes what the batch did. */
void db_commit(struct sim *s, struct world *w, struct apply_job *const *jobs, unsigned n);

/* Events. */
void db_purge(struct sim *s, uint64_t older_than_ms);
void db_replay(struct sim *s); /* the standby catches up */
void db_rewind(struct sim *s); /* it takes over as it is */

/* Rights: what a role reads and writes; the view of a cursor. */
Seve__Level db_reads(Seve__Role role);
unsigned db_writes(Seve__Role role);
uint64_t db_view(Seve__Role role);

#endif

/* sim.h -- one history: a database, two servers, several users, a network that loses and delays,
 * and the oracle that knows better.  A seed is a history: the same on every machine.  Knows no
 * sockets, no clock, no files.
 *
 * Every step that could fail on a real machine is counted (sim_step()): a run may name steps at
 * which whoever takes them dies. */
#ifndef SEVE_SIM_H
#define SEVE_SIM_H

#include <setjmp.h>

#include "agenda.h"
#include "db.h"
#include "net.h"
#include "oracle.h"
#include "seved.h"
#include "user.h"

enum { SIM_DEATHS = 3, SIM_FORKS = 64 };

/* What may go wrong, and what people may do: each can be left out, so that a failing history can be
 * made smaller. */
enum sim_feature {
#define FEATURE(name, text) SIM_##name,
#include "features.def"
#undef FEATURE
	SIM_FEATURES
};

/* Each history has its own: what is rare in one is common in another. */
struct sim_climate {
	unsigned step_ms;      /* of the database, at most: slow ones have writers that queue */
	unsigned read_ms;      /* between the pages of a pull, at most */
	unsigned page_rows;    /* at most */
	unsigned tick_ms;      /* between two synchronisations of a user, at most */
	unsigned tombstone_ms; /* younger ones are not purged */
	unsigned records;      /* of a territory, at most */
	/* One time in so many. */
	unsigned purge_sides, level_sides, delete_sides, restart_sides, failover_sides, grant_sides;
	unsigned checkpoint_pages; /* of SQLite's log, where stores are real */
};

struct sim_plan {
	uint64_t seed;
	unsigned without;  /* 1 << enum sim_feature */
	unsigned edits;    /* of all users together */
	unsigned crash_at; /* this step only; 0: drawn */
	unsigned virtual_ms;
	bool verbose;
	const char *folder; /* where real stores are named; NULL: they are in memory */
};

struct sim_counts {
	unsigned long verdicts[8], replayed, edits, steps, crashes, cuts, resets, revocations,
		failovers, manifests, purges, pulls, pages, restarts, overlaps, rewound, again;
	unsigned long drawn[SIM_DEATHS + 1], deaths[SIM_DEATHS + 1]; /* histories by number */
	unsigned long writes, syncs, truncates, deletes, cuts_of_power, losses, tears; /* disk.h */
};

struct sim {
	struct sim_plan plan;
	struct sim_climate climate;
	struct arena arena, scratch; /* of the whole history; of one check */
	uint64_t random;
	struct agenda agenda;
	struct db db;
	struct net net;
	struct seved servers[SIM_SERVERS];
	struct user users[SIM_USERS];
	unsigned n_users;
	struct oracle oracle;
	bool calm;                                  /* nothing goes wrong any more, nobody edits */
	unsigned rewinds;                           /* fail-overs that lost commits */
	uint64_t forks[SIM_FORKS][SIM_TERRITORIES]; /* and where the histories part */
	unsigned step, crash_at[SIM_DEATHS], n_crashes, edits_left;
	struct sim_counts counts;
	jmp_buf failed;
	char why[512];
};

/* Plays the history.  True: nothing is wrong; else `why` tells. */
bool sim_run(struct sim *s, const struct sim_plan *plan);
/* Frees. */
void sim_end(struct sim *s);

/* Ends the history as failed. */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
void sim_trace(const struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Passes a pointer on, or ends the history: memory is out. */
void *sim_need(struct sim *s, void *p);
#define SIM_NEED(s, p) ((__typeof__(p))sim_need((s), (void *)(uintptr_t)(p)))

/* A number from 0 to sides - 1. */
unsigned sim_dice(struct sim *s, unsigned sides);
bool sim_has(const struct sim *s, enum sim_feature f);
/* One time in `sides`, where the feature is in and the weather is not calm. */
bool sim_strikes(struct sim *s, enum sim_feature f, unsigned sides);
/* Counts a step; true: whoever takes it dies here. */
bool sim_step(struct sim *s);
/* Adds what a disk has seen. */
struct disk_counts;
void sim_count_disk(struct sim *s, const struct disk_counts *c);

#endif

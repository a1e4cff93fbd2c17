/* seved.h -- a server process, modelled: sessions, the group-commit writer step by step, pulls page
 * by page, the doorbell. Each verdict is the product's (apply.h). */
#ifndef SEVE_SIM_SEVED_H
#define SEVE_SIM_SEVED_H

#include "net.h"

enum { SEVED_BATCH = 12 };

struct seved_push; /* one request */

struct seved_job {
	struct apply_job work;
	struct seved_push *push;
	unsigned index;
	struct seved_job *next;
};

enum seved_state { SEVED_IDLE, SEVED_LOCK, SEVED_LOAD, SEVED_COMMIT };

struct seved {
	bool up;
	unsigned generation; /* of the process */
	struct seved_job *first, *last;
	/* The batch under way. */
	enum seved_state state;
	struct seved_job *jobs[SEVED_BATCH];
	unsigned n_jobs, n_locks, locked;
	uint32_t locks[SEVED_BATCH];
	struct arena arena;
	struct world world;
	bool open; /* the world holds something */
	/* The doorbell. */
	bool listens;
	uint64_t listens_since_ms;
	uint64_t known[SIM_TERRITORIES];
};

void seved_start(struct sim *s, unsigned server, unsigned generation);
void seved_crash(struct sim *s, unsigned server);
/* Bytes have arrived. */
void seved_hears(struct sim *s, unsigned link);
/* The database went away under the server. */
void seved_db_lost(struct sim *s, unsigned server);
/* Another database has taken over: all sessions end, and nothing that waited goes there. */
void seved_epoch_changed(struct sim *s, unsigned server);
/* LISTEN is lost, and comes back by itself. */
void seved_deaf(struct sim *s, unsigned server);
/* The account's rights have changed: its sessions end. */
void seved_rights_changed(struct sim *s, unsigned user);
/* Fails the history where a doorbell has been missed for too long. */
void seved_check_heads(struct sim *s);
void seved_end(struct sim *s, unsigned server);

#endif

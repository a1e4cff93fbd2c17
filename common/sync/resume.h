/* resume.h -- how a client goes on with the numbers of its mutations when the server's history is
 * not the one that it knew: after a restore, a fail-over, or a store that was put back.  What the
 * server no longer has is offered again under fresh numbers.  Pure: library and simulation run the
 * same code.  Any thread.
 *
 * A mutation above the server's last one has no effect in the server's history, one up to it has:
 * verdict and effect are written together.  So what is offered again is applied once. */
#ifndef SEVE_RESUME_H
#define SEVE_RESUME_H

#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "sync.pb-c.h"

/* How far the server has come with this client in one territory. */
struct resume_point {
	uint64_t epoch, last_mid; /* 0: it knows none */
	bool has_hash;
	uint8_t hash[32]; /* of mutation last_mid */
};

/* 0, or -ERR_PROTOCOL. */
int resume_read(const Seve__ResumeReply *r, struct resume_point *out, struct err *e);

/* Whether the server's last mutation is the one that the client has under this number: `own` are
 * its bytes, at NULL when they are not kept. */
bool resume_trusts(const struct resume_point *p, struct span own);

/* Whether a mutation that was acknowledged in another epoch is to be offered again. */
bool resume_lost(const struct resume_point *p, bool trusts, uint64_t mid, uint64_t epoch);
/* Whether one that waits needs a fresh number; else it goes as it is, and the server answers from
 * its verdict. */
bool resume_renames(const struct resume_point *p, bool trusts, uint64_t mid);

/* What a client holds of a territory, when a session begins. */
struct resume_state {
	uint64_t numbers;        /* the epoch under which its numbers are right, 0: none was sent */
	uint64_t cursor, verify; /* of its cursor, and of a comparison under way; 0: none */
	bool waits, settled;     /* edits to be sent, and acknowledged ones that are kept */
};
/* Whether they belong to another history than this session's.  Nothing is sent before that is
 * sorted out: the same revs and numbers would mean something else. */
bool resume_needed(const struct resume_state *s, uint64_t epoch);

/* The greatest rev that was found to mean the same before and after a change of epoch.  Beyond it,
 * revs of the history before mean something else. */
struct resume_fork {
	int64_t rev; /* negative: there was no change */
	bool open;   /* it rises with each row that is equal in both */
};
/* A comparison with what is there in `epoch` begins.  One that was under way (0: none) has rows of
 * both histories among its own, and learns no more. */
void resume_fork_begin(struct resume_fork *f, uint64_t cursor, uint64_t verify, uint64_t epoch);
/* A row of this rev is equal in both; not if the comparison itself has brought it. */
void resume_fork_keep(struct resume_fork *f, bool brought, uint64_t rev);

/* What may have been seen of the server's history: no bound while the epoch is the same. */
#define RESUME_NO_FORK UINT64_MAX
/* `f` NULL: nothing is carried, and so nothing can be compared: what was looked at is taken for
 * unseen. */
uint64_t resume_fork_bound(const struct resume_fork *f, uint64_t numbers, uint64_t epoch);

/* Gives fresh numbers, from `last` + 1 on, to mutations that stand in the order of their old ones.
 * Parents (base_mid) are named anew; one that is neither in the list nor up to `last` is no parent
 * any more.  base_rev is cut to `fork`, the greatest rev at which both histories are known to be
 * one: beyond it the same number means something else.  0 or -ERR_NOMEM. */
int resume_renumber(struct arena *a, Seve__Mutation *const *list, size_t n, uint64_t last,
		    uint64_t fork, struct err *e);

#endif

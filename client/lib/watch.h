/* watch.h -- watching territories: a request that lasts, the pages that it brings, and all that it
 * takes to go on after a loss.  One watch at a time per handle; never blocks.  One thread at a time
 * per handle.
 *
 *   ASK (status: heads, rights) ─► CATCH UP (a synchronisation, where a replica needs one) ─► ON
 *    ▲                                                                                        │
 *    └──── WAIT (back-off) ◄── a loss, a cursor that does not fit, another program's edit ◄───┘ */
#ifndef SEVE_LIB_WATCH_H
#define SEVE_LIB_WATCH_H

#include "client.h"

/* Goes on with the watch of the handle, if there is one: after every session_process(). */
void watch_poke(struct seve *s);
/* When watch_poke() wants to be called even if nothing arrives: monotonic, UINT64_MAX never. */
uint64_t watch_wake_ms(const struct seve *s);
/* Another synchronisation wants to begin on this handle: the watch's own gives way. */
void watch_yield(struct seve *s);
/* It has ended and waits to be told; watch_tell_end() does, and forgets it. */
bool watch_ended(const struct seve *s);
void watch_tell_end(struct seve *s);
/* Forgets the watch. */
void watch_drop(struct seve *s);

/* ---- what a page says (watch_change.c) ------------------------------------------------------- */

struct seve_change {
	uint32_t territory;
	uint64_t rev;
	const struct kind *kind; /* NULL: one that this library does not know */
	uint32_t kind_number;
	char id[40], ref[32];
	const char *op;
	const Seve__Body *before, *after; /* NULL: not there, or not known */
	struct arena *arena;
	char at[32];
	char *fields;               /* made when asked for */
	struct seve_record *record; /* the same */
};

/* The changes of a page, in `a`, compared with what the store holds, when `compare`; before the
 * page is applied. */
int watch_changes(struct store *st, struct arena *a, const Seve__Page *p, bool compare,
		  struct seve_change **out, struct err *e);
void watch_change_fini(struct seve_change *c);

#endif

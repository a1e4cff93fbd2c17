/* conflict.h -- what a conflict record holds of the two edits that do not go together: the values
 * of both sides, field by field, as text.  Knows no revisions, no verdicts, no storage: the caller
 * says what the author saw and what stands now.  Any thread; everything lives in the arena. */
#ifndef SEVE_CONFLICT_H
#define SEVE_CONFLICT_H

#include "arena.h"
#include "kind.h"
#include "sync.pb-c.h"

const struct kind *conflict_kind(void);

/* A change that was held back, and what it met. */
struct conflict_side {
	const struct kind *kind;
	const Seve__Change *change;
	const Seve__Body *base;   /* what its author was looking at; NULL: not known, or nothing */
	const Seve__Body *theirs; /* what stands; NULL: deleted, or never born */
	const uint32_t *clash;    /* tags that clashed */
	size_t n_clash;
	bool clash_only; /* the rest of the change is in effect */
};

/* Lays the change into the conflict: its fields join those that are there; of a field that is there
 * already, the newer wish counts and the older base.  Lists are never written in place: `to` may
 * share them with the record that it was copied from.  0, -ERR_NOMEM, -ERR_INVALID (a change that
 * makes no sense), -ERR_TOO_BIG. */
int conflict_lay(struct arena *a, const struct conflict_side *side, Seve__Conflict *to,
		 struct err *e);

/* Leaves out values of base, then of theirs, until the record fits into `most` bytes; what the
 * author wanted stays whole: -ERR_TOO_BIG where that alone is too much. */
int conflict_shorten(struct arena *a, Seve__Conflict *c, size_t most, struct err *e);

#endif

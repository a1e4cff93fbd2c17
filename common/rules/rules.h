/* rules.h -- states and rules of the method as pure functions over declared facts.
 * Knows no storage, no clock, no network: the server decides with it, the library warns with it.
 * Any thread. */
#ifndef SEVE_RULES_H
#define SEVE_RULES_H

#include "field.h"

enum move_needs { MOVE_NEEDS_REASON = 1, MOVE_NEEDS_CAUSE = 2 };

/* Checks the move of a record's state from `before` (NULL: creation) to `after`; adds a problem
 * that names the allowed moves. `reason`: the mutation's, or NULL; with one, a record may be
 * created straight into a later state (a backfill). A kind without states passes. */
void rules_check_state(const struct kind *k, const ProtobufCMessage *before,
		       const ProtobufCMessage *after, const char *reason, struct problems *out);

/* Puts the default initial state into a new record that has none. */
void rules_default_state(const struct kind *k, ProtobufCMessage *m);

/* "lead, merged, abandoned" from "idea"; for messages and completion. */
void rules_allowed(const struct kind *k, int from, char *out, size_t size);

struct facts {
	const ProtobufCMessage *before;  /* NULL: creation */
	const ProtobufCMessage *after;   /* never NULL; a deletion is not a move and runs no rule */
	const char *reason;              /* or NULL */
	const Seve__Body *const *needed; /* live records of the needed kind, overlaid */
	size_t n_needed;
};

struct rule {
	const char *id; /* "H4" */
	uint32_t kind;  /* guarded */
	void (*check)(const struct facts *f, struct problems *out);
	uint32_t need_kind;     /* 0: none */
	const char *need_field; /* of need_kind, or NULL */
	/* Whether this change can break the rule at all: saves the fetch.  NULL: always. */
	bool (*concerns)(const ProtobufCMessage *before, const ProtobufCMessage *after);
};

size_t rules_count(void);
const struct rule *rules_at(size_t i);

#endif

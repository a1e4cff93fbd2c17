/* rules.h -- states and rules of the method as pure functions over declared facts.
 * Knows no storage, no clock, no network: the server decides with it, the library warns with it.
 * Any thread. */
#ifndef SEVE_RULES_H
#define SEVE_RULES_H

#include "field.h"
#include "uuid.h"

enum move_needs { MOVE_NEEDS_REASON = 1, MOVE_NEEDS_CAUSE = 2 };

/* Checks the move of a record's state from `before` (NULL: creation) to `after`; adds a problem
 * that names the allowed moves. `reason`: the mutation's, or NULL; with one, a record may be
 * created straight into a later state (a backfill). A kind without states passes. */
void rules_check_state(const struct kind *k, const ProtobufCMessage *before,
		       const ProtobufCMessage *after, const char *reason, struct problems *out);

/* Puts the default initial state into a new record that has none; a required state is the
 * author's to say. */
void rules_default_state(const struct kind *k, ProtobufCMessage *m);

/* "lead, merged, abandoned" from "idea"; for messages and completion. */
void rules_allowed(const struct kind *k, int from, char *out, size_t size);

/* How a rule comes to a record that it needs: see rules.def. */
enum need_how {
	NEED_POINTING,
	NEED_NAMED,
	NEED_SIBLINGS,
	NEED_VIA,
	NEED_ALL,
	NEED_ABROAD,
};

struct need {
	enum need_how how;
	uint32_t kind; /* 0: none */
	const char *field, *through;
};

/* A live record that a rule looks at. */
struct fact {
	struct uuid id;
	const Seve__Body *body;
	const Seve__Body *before; /* before this mutation; NULL where it is new */
};

struct facts {
	struct uuid id;                 /* of the guarded record */
	const ProtobufCMessage *before; /* NULL: creation */
	const ProtobufCMessage *after;  /* NULL: deletion, which only rules of GONE look at */
	const char *reason;             /* a person's, or NULL */
	bool imported;                  /* by a partner's row: nobody is there to give a reason */
	int64_t now_ms;                 /* since 1970 */
	const struct fact *list;        /* the guarded record is among them where it fits a need */
	size_t n;
	double abroad_hours; /* a month, of the same establishment in other territories */
};

struct rule {
	const char *id; /* "H4" */
	uint32_t kind;  /* guarded */
	bool gone;      /* looks at a deletion, and at nothing else */
	void (*check)(const struct facts *f, struct problems *out);
	/* Whether this change can break the rule at all: saves the fetch.  Before the fetch it is
	 * asked with `before` NULL and with only the fields of `after` that the change sets: it
	 * says no only where the change cannot matter.  Of a deletion it is asked with both,
	 * `after` NULL, and never before the fetch. */
	bool (*concerns)(const ProtobufCMessage *before, const ProtobufCMessage *after);
};

size_t rules_count(void);
const struct rule *rules_at(size_t i);
/* The i-th need of a rule; NULL past the last. */
const struct need *rules_need(const struct rule *r, size_t i);

/* The territory's policy with every value present: its own, or the method's usual one.  `own` may
 * be NULL. */
Seve__Policy rules_policy(const Seve__Policy *own);

#endif

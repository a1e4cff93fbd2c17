/* values.h -- the few fields that histories write, as plain numbers: the oracle's language.  Shares
 * no code with the merge. */
#ifndef SEVE_VALUES_H
#define SEVE_VALUES_H

#include "kind.h"
#include "uuid.h"

enum { VALUES_MARKS = 384 };

enum value {
	VALUE_TITLE,
	VALUE_STATUS,
	VALUE_PROGRESS,
	VALUE_TARGET,
	VALUE_STEP,
	VALUE_TEXT,
	VALUE_ACTION,
	VALUE_DUE,
	VALUE_STATE,
	VALUE_LEVEL,
	VALUE_ABOUT,         /* of a conflict: the record */
	VALUE_CASE,          /* and what has become of it */
	VALUE_MARKS_CHANGED, /* not a value: stands for the set of marks */
	VALUES
};

enum value_form { FORM_TEXT, FORM_DATE, FORM_COUNT, FORM_STATE, FORM_LINK, FORM_LEVEL, FORM_MARKS };

struct value_row {
	uint32_t kind, tag; /* kind 0: of every kind */
	enum value_form form;
	bool hard;
};
extern const struct value_row value_rows[VALUES];

struct values {
	int v[VALUES]; /* 0: absent */
	uint64_t marks[VALUES_MARKS / 64];
};

/* Which record an id names: its number + 1, 0 for none that is known. */
struct values_names {
	void *ctx;
	int (*number)(void *ctx, const uint8_t id[16]);
};

bool values_of_kind(enum value f, uint32_t kind);
void values_read(const Seve__Body *body, const struct values_names *names, struct values *out);
bool values_equal(const struct values *a, const struct values *b);
bool values_marked(const struct values *f, unsigned mark);
void values_mark(struct values *f, unsigned mark, bool on);
/* The enum value of a tag of this kind (10001: the level), or VALUES. */
enum value values_of_tag(uint32_t kind, uint32_t tag);

#endif

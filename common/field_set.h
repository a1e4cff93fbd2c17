/* field_set.h -- adding to and removing from a set of byte strings.
 * Knows no messages: set fields and external references both use it.  Any thread. */
#ifndef SEVE_FIELD_SET_H
#define SEVE_FIELD_SET_H

#include <stdbool.h>

#include "buf.h"

enum field_set_from { FIELD_SET_OLD, FIELD_SET_ADDED, FIELD_SET_REMOVED };

struct field_set_item {
	struct span bytes;
	enum field_set_from from;
	size_t index; /* among those of the same origin */
};

/* Decides which old and which added members stay: all old ones that are not removed, and the first
 * of each added one that is neither old nor removed.  Sorts `items`; both flag arrays must be
 * false.  Returns whether the set changed. */
bool field_set_decide(struct field_set_item *items, size_t n, bool *keep_old, bool *keep_new);

#endif

/* digest.h -- what changed since a moment, grouped by the record that it belongs to, newest first:
 * for a coordinator's mail.  Deletions are not seen.  Pure; any thread. */
#ifndef SEVE_DIGEST_H
#define SEVE_DIGEST_H

#include "network.h"

enum digest_what { DIGEST_CREATED, DIGEST_STATE, DIGEST_CHANGED };

struct digest_event {
	const struct node *subject; /* the action, meeting, group or actor that it is about */
	const struct node *node;    /* what changed: the subject itself, or a record of it */
	enum digest_what what;
	int64_t at;
	const char *by; /* account, or "" */
};

/* Subjects by their newest event, their events newest first.  0 or -ERR_NOMEM. */
int digest_make(const struct network *net, int64_t since_ms, struct arena *a,
		struct digest_event **out, size_t *n, struct err *e);
const char *digest_word(enum digest_what w); /* "created" */

#endif

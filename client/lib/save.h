/* save.h -- a mutation on its way: into the outbox, to the server, and what came of it.  Knows
 * nothing of how its changes were made.  One thread at a time per handle. */
#ifndef SEVE_LIB_SAVE_H
#define SEVE_LIB_SAVE_H

#include "client.h"
#include "outbox.h"

enum { SAVE_CHANGES_MAX = 32 };

struct save_change {
	Seve__Change change;
	struct outbox_view base;    /* what its author was looking at; kind NULL: the store knows */
	struct seve_record *record; /* to be renewed; NULL: the caller holds none */
};

/* Writes the changes as one mutation of the territory, as seve_save() tells.  `queued` may be NULL.
 */
int save_changes(struct seve *s, uint32_t territory, const struct save_change *list, size_t n,
		 const char *reason, int offline, int *queued, struct seve_table **report,
		 struct err *e);

#endif

/* merge_patch.h -- a change's mask and bodies, checked against the kind and ready to be laid over a
 * record. Knows no revisions.  For merge.c; borrows from the change.  Any thread. */
#ifndef SEVE_MERGE_PATCH_H
#define SEVE_MERGE_PATCH_H

#include "arena.h"
#include "kind.h"
#include "sync.pb-c.h"

enum { MERGE_META_LEVEL = 1, MERGE_META_REFS = 7 }; /* fields of Meta that clients write */

struct merge_patch {
	bool *mask; /* one flag per field of the kind, in the descriptor's order */
	bool mask_level;
	const ProtobufCMessage *set; /* the kind's message, empty where the change has none */
	const ProtobufCMessage *add, *remove;                /* or NULL */
	const Seve__Meta *set_meta, *add_meta, *remove_meta; /* or NULL */
};

/* 0, -ERR_NOMEM, or -ERR_INVALID: a tag that this kind lacks ("SCHEMA_TOO_NEW…"), a body of another
 * kind, a member added to a field that is no set. */
int merge_patch_read(struct arena *a, const struct kind *k, const Seve__Change *change,
		     struct merge_patch *out, struct err *e);

#endif

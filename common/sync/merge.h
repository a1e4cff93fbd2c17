/* merge.h -- three-way merge of one change into one record, by per-field revisions.
 * Knows no storage, no clock, no SQL: server, library and simulation run the same code.  Any
 * thread. */
#ifndef SEVE_MERGE_H
#define SEVE_MERGE_H

#include "arena.h"
#include "buf.h"
#include "field.h"
#include "sync.pb-c.h"

/* When each field was last written and by which client.  Tag 0 stands for every field that is not
 * listed: the creation. Stored packed: (varint tag, varint rev, 8 bytes writer) each.  Fields of
 * Meta have tag META_TAG + their number. */
enum { META_TAG = 10000 };

struct field_rev {
	uint32_t tag;
	uint64_t rev;
	uint64_t writer; /* uuid_short() of the client id */
};
struct field_revs {
	struct field_rev *list;
	size_t n;
};

int field_revs_unpack(struct arena *a, struct span packed, struct field_revs *out, struct err *e);
struct span field_revs_pack(struct arena *a,
			    const struct field_revs *r); /* at == NULL: out of memory */
const struct field_rev *field_revs_find(const struct field_revs *r,
					uint32_t tag); /* falls back to tag 0; NULL if none */

enum merge_result {
	MERGE_UNCHANGED, /* the record already is so */
	MERGE_APPLIED,   /* the author saw the record's latest state */
	MERGE_MERGED,    /* others had edited other fields meanwhile */
	MERGE_CONFLICT,  /* a hard field clashes: nothing is to be applied; or only soft ones:
			    `partial` is set and the rest applies */
};

struct merge {
	enum merge_result result;
	bool partial;
	Seve__Body *body;  /* the merged record (shares memory with its inputs); NULL on a full
			      conflict */
	uint32_t *changed; /* tags that now differ */
	size_t n_changed;
	uint32_t *clash; /* tags that were held back */
	size_t n_clash;
};

/* Merges an OP_UPDATE.  `current` is the record's body, `revs` its field revisions, `rev` its
 * revision; `writer` is the author's client.  A field clashes when it was written after
 * change->base_rev by another client, and the new value differs from the current one.  Set fields
 * never clash. 0, or -ERR_INVALID for a mask that makes no sense (unknown tag: the text begins with
 * "SCHEMA_TOO_NEW"), -ERR_NOMEM. */
int merge_update(struct arena *a, const struct kind *k, const Seve__Body *current, uint64_t rev,
		 const struct field_revs *revs, uint64_t writer, const Seve__Change *change,
		 struct merge *out, struct err *e);

/* Field revisions after `changed` were written at `rev`. */
int merge_stamp(struct arena *a, const struct field_revs *before, const uint32_t *changed, size_t n,
		uint64_t rev, uint64_t writer, struct field_revs *out);

/* What a client shows while a change waits in the outbox: the change laid over `base` (NULL:
 * creation) without looking at revisions. NULL body for a deletion. */
int merge_overlay(struct arena *a, const struct kind *k, const Seve__Body *base,
		  const Seve__Change *change, Seve__Body **out, struct err *e);

#endif

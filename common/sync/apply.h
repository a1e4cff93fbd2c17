/* apply.h -- the decision core: what one mutation or one import row does to the world, and its
 * verdict. Pure: no clock, no SQL, no sockets.  Order of use, by whoever owns the data:
 *   apply_needs() for each job tells what to load;  load it into the world;  apply_job() for each
 * job, in order, decides; then the world's dirty records, versions, heads, verdicts and partners'
 * keys are what to store. One thread at a time per world.
 *
 * A mutation is all or nothing.  A clash on a hard field, a deletion of what others have edited, or
 * an edit of what others have deleted holds back all of its changes; a clash on a soft field holds
 * back that field alone.  What is held back is kept, with both sides, in one conflict record for
 * each record that it is about, written with the verdict.  A change that is refused for what it is
 * (rights, form, an unknown record) makes the whole mutation rejected, clash or no clash. */
#ifndef SEVE_APPLY_H
#define SEVE_APPLY_H

#include "rules/rules.h"
#include "world.h"

/* What the history says of imports; %s: the source. */
#define APPLY_REASON_IMPORT "import from %.100s"
#define APPLY_REASON_REVERT "import from %.100s taken back"
#define APPLY_REASON_ERASED "personal data erased"

enum { APPLY_CHANGES_MAX = 32, APPLY_RECORD_MAX = 64 * 1024 };

/* The source of rows that come from our own export: their keys are the records' ids. */
#define APPLY_OWN_SOURCE "seve"

/* Who asks. */
struct apply_author {
	const char *account;
	struct uuid client;
	uint64_t client_short;
	Seve__Level reads;          /* records above it do not exist for the author */
	unsigned writes;            /* kind_writers, of any record */
	unsigned own;               /* kind_writers, of these records only: */
	struct uuid actor;          /*   those of this actor (nil: none), */
	const struct uuid *piloted; /* these actions and what belongs to them */
	size_t n_piloted;
	const char
		*source; /* not NULL: writes only records that carry a reference of this source */
	bool internal;   /* the server itself: may create what is made by a method of its own */
};

struct apply_import {
	const struct kind *kind;
	const char *source;
	const Seve__ImportRow *row;
	const struct uuid *same_as; /* an earlier line of the run brought the same unique value:
				       that record; or NULL */
};

/* One row of an import that is to be taken back. */
struct apply_revert {
	const struct kind *kind;
	const char *source, *key;
	struct uuid batch, id;
	uint8_t effect;   /* of the import on that row */
	uint64_t rev;     /* of the record, as the import left it */
	uint64_t own_rev; /* of the record, where only what was taken back came after; or 0 */
	const Seve__Body *before; /* what the import replaced, or NULL */
};

/* A record that is to lose the person that it is about. */
struct apply_erase {
	struct uuid id;
};

struct apply_job {
	/* input */
	uint32_t territory;
	struct apply_author author;
	const Seve__Mutation *mutation; /* or NULL, and then import */
	struct span packed; /* the mutation as it came; empty: as wire_pack() gives it */
	struct apply_import import;
	const struct apply_revert *revert; /* or NULL */
	const struct apply_erase *erase;   /* or NULL */
	bool explained;                    /* what apply_clash_needs() asks for is in the world */
	bool hopeful; /* an import row whose key is not known is taken for a new record without
			 looking whether its id or its unique value is there: a primary key or
			 a unique index refuses it then, or APPLY_UNSURE does, and it is applied
			 again without hope */
	const char
		*refuse; /* the database refused this job: record that as its verdict; else NULL */

	/* output, in the world's arena */
	Seve__Verdict *verdict; /* of a mutation */
	Seve__RowVerdict *row;  /* of an import row, of its revert, of an erasure */
	uint8_t hash[32];       /* of the mutation's bytes */
	bool replayed;          /* the verdict is an earlier one: nothing to store */
};

enum { APPLY_MORE = 1, APPLY_UNSURE };

/* What has to be in the world before the job is applied.  Called for each thing; a non-zero return
 * stops and is returned. */
struct apply_wants {
	void *ctx;
	int (*record)(void *ctx, uint32_t territory, const struct uuid *id, bool full);
	int (*prior)(void *ctx, uint32_t territory, const struct uuid *client, uint64_t mid);
	/* what a deleted record was, into last_body */
	int (*last_version)(void *ctx, uint32_t territory, const struct uuid *id);
	int (*referrers)(void *ctx, uint32_t territory, const struct uuid *to);
	/* For rules.  `origin` with `through` 0 is a record; with another it stands for all that
	 * the field `through` of this record names in the database. */
	/* live records of `kind` whose field `tag` points at the origin, in full */
	int (*needed)(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		      const struct kind *kind, uint32_t tag);
	/* what the field `tag` of the origin names, in full */
	int (*named)(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		     uint32_t tag);
	/* the hours that an actor gives in other territories */
	int (*abroad)(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through);
	/* all live records of a kind, in full */
	int (*all)(void *ctx, uint32_t territory, const struct kind *kind);
	/* and the record that holds it, in full */
	int (*unique)(void *ctx, uint32_t territory, const struct kind *k,
		      const ProtobufCFieldDescriptor *fd, const char *value);
	/* versions of the record that were replaced after `rev`: that of `rev` with its body, of
	 * the latest who replaced them and when */
	int (*past)(void *ctx, uint32_t territory, const struct uuid *id, uint64_t rev);
	/* and the record that it stands for, in full */
	int (*import)(void *ctx, uint32_t territory, const struct kind *k, const char *source,
		      const char *key);
};
int apply_needs(const struct apply_job *j, const struct apply_wants *w);
/* The same, for a job that clashes: the conflicts about its records, and what their author has not
 * seen of them.  Asked for only then: most batches hold no clash, and pay nothing for it. */
int apply_clash_needs(const struct apply_job *j, const struct world *world,
		      const struct apply_wants *w);

/* Decides.  0 with verdict (or row) set, whatever the verdict says; APPLY_MORE: it clashes, and
 * nothing was done yet: load apply_clash_needs(), set `explained`, and call again; APPLY_UNSURE:
 * hope has failed, nothing was done: load apply_needs() without hope and call again; -ERR_NOMEM,
 * -ERR_OUT_OF_ORDER (a mid was left out: the text names the expected one), -ERR_MID_REUSED (it was
 * used for other bytes): then nothing was done. */
int apply_job(struct world *w, struct apply_job *j, struct err *e);

/* Only looks: what would speak against the mutation, as far as the world knows.  Nothing is
 * written. 0 or -ERR_NOMEM. */
int apply_preview(struct world *w, struct apply_job *j, struct problems *out, struct err *e);

/* Whose record it is: the actor itself, or the actor that its actor_id names.  False: nobody's. */
bool apply_owner(const struct kind *k, const struct uuid *id, const Seve__Body *body,
		 struct uuid *out);
/* Whether the record is there for this reader: by its level, or as one of the reader's own actor,
 * of a kind that partners write. */
bool apply_reads(const struct apply_author *a, const struct world_record *r);
/* Whether a person's data were taken out of this body: it is never written again. */
bool apply_is_erased(const struct kind *k, const Seve__Body *body);

#endif

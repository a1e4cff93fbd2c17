/* world.h -- what one batch knows of the database: records, verdicts, partners' keys, heads; with
 * the batch's own effects laid over. Knows no SQL: the writer fills it from PostgreSQL, the
 * simulation from its model.  One thread at a time.
 *
 * Everything lives in the batch's arena; world_fini() frees only the hash tables. */
#ifndef SEVE_WORLD_H
#define SEVE_WORLD_H

#include <uthash.h>

#include "merge.h"
#include "uuid.h"

struct record_key {
	uint32_t territory;
	struct uuid id;
};

/* A record, as the database has it or as an earlier change of the batch made it. */
struct world_record {
	struct record_key key;
	const struct kind
		*kind; /* NULL: there is no such record (or its kind is newer than this program) */
	bool exists, deleted;
	bool full; /* loaded with body; a referenced record is known by kind and deletion only */
	uint64_t rev, narrowed_rev;
	uint32_t ref_no;
	Seve__Level level;
	struct field_revs revs;
	const Seve__Body *body; /* NULL when deleted or not full */
	const Seve__Body
		*last_body; /* of a deleted record: what it was, when loaded for a restore */

	/* What the batch did to it. */
	bool dirty;
	bool unsaved, born; /* as it is now it is not stored yet; not at all: born */
	bool links_stale;   /* its references may have changed */
	struct world_record *next_dirty, *next_unsaved;
	UT_hash_handle hh;
};

/* A body that was replaced: by the batch, or, of those loaded to explain a clash, earlier. */
struct world_version {
	const struct world_record *record;
	uint64_t rev, next_rev;
	Seve__Level level;
	bool deleted;
	const Seve__Body *body;
	const char *by, *reason;
	int64_t client_time, at;
	struct world_version *next;
};

struct mid_key {
	uint32_t territory;
	struct uuid client;
	uint64_t mid;
};

/* A verdict given earlier; mid 0 carries the client's greatest mid in `last_mid`. */
struct world_prior {
	struct mid_key key;
	uint8_t hash[32];
	Seve__Verdict__Code code;
	struct span verdict; /* packed; at == NULL: given in this batch, see `given` */
	const Seve__Verdict *given;
	uint64_t last_mid;
	UT_hash_handle hh;
};

struct world_head {
	uint32_t territory;
	uint64_t rev, loaded_rev;
	uint32_t counters[64]; /* last ref_no by kind number */
	bool loaded, dirty;
	UT_hash_handle hh;
};

enum { WORLD_KIND_MAX = 63 };

/* Who holds a unique value: by territory, kind, tag and value. */
struct world_unique {
	struct uuid id;
	UT_hash_handle hh;
};

/* A live record that points at another. */
struct world_referrer {
	struct uuid to;
	uint32_t territory;
	struct uuid from;
	uint32_t tag;
	struct world_referrer *next;
};

/* Hours a month that an actor's establishment gives in other territories. */
struct world_abroad {
	uint32_t territory;
	struct uuid actor;
	double hours;
	struct world_abroad *next;
};

/* A partner's key: by territory, kind, source and key. */
struct world_import {
	bool known;
	bool unsaved, born; /* as world_record's */
	uint32_t territory;
	const struct kind *kind;
	const char *source, *partner_key;
	struct uuid id;
	uint8_t hash[32];
	const Seve__Body *last_values; /* NULL when not known */
	/* Of the last import that wrote the row: */
	struct uuid batch;
	uint8_t effect;                    /* RowVerdict.Code, or IMPORT_REVIVED */
	uint64_t rev;                      /* the record's, as that import left it */
	const Seve__Body *previous_values; /* what the source had said before; NULL: nothing */
	uint8_t previous_hash[32];
	bool drop; /* the key is to be forgotten */
	struct world_import *next_unsaved;
	UT_hash_handle hh;
};
enum { IMPORT_REVIVED = 20 }; /* brought back from its deletion */

struct world {
	struct arena *arena;
	int64_t now_ms;
	struct uuid import_run; /* the batch of imports that this is part of */
	struct world_record *records;
	struct world_prior *priors;
	struct world_head *heads;
	struct world_unique *uniques;
	struct world_import *imports;
	struct world_referrer *referrers;
	struct world_abroad *abroad;
	struct world_record *dirty_first, *dirty_last;
	struct world_version *versions_first, *versions_last;
	/* A batch is stored in portions: what none of them has stored yet. */
	struct world_record *unsaved_first, *unsaved_last;
	struct world_import *unsaved_imports, *unsaved_imports_last;
	struct world_version *versions_saved; /* the last one that is; NULL: none */
	struct world_version *past;           /* loaded: what clashing edits did not see */
};

void world_init(struct world *w, struct arena *a, int64_t now_ms);
void world_fini(struct world *w);

/* Finds, or with `add` makes an empty entry; NULL: not there, or out of memory when adding. */
struct world_record *world_record(struct world *w, uint32_t territory, const struct uuid *id,
				  bool add);
struct world_prior *world_prior(struct world *w, uint32_t territory, const struct uuid *client,
				uint64_t mid, bool add);
struct world_head *world_head(struct world *w, uint32_t territory, bool add);
struct world_import *world_import(struct world *w, uint32_t territory, const struct kind *k,
				  const char *source, const char *key, bool add);

/* Unique values: who holds it (NULL: nobody).  Setting with id NULL frees the value. */
const struct uuid *world_unique(struct world *w, uint32_t territory, const struct kind *k,
				uint32_t tag, const char *value);
int world_unique_set(struct world *w, uint32_t territory, const struct kind *k, uint32_t tag,
		     const char *value, const struct uuid *id);

int world_referrer_add(struct world *w, uint32_t territory, const struct uuid *to,
		       const struct uuid *from, uint32_t tag);

int world_abroad_add(struct world *w, uint32_t territory, const struct uuid *actor, double hours);
/* 0 where nothing is known. */
double world_abroad_hours(const struct world *w, uint32_t territory, const uint8_t actor[16]);
/* A version that the database has; `v` is copied.  Body NULL: only who replaced it and when is
 * known. */
int world_add_past(struct world *w, const struct world_version *v);
/* What the record was as of `rev`: a version, else what it is now.  NULL: not known. */
const Seve__Body *world_body_at(const struct world *w, const struct world_record *r, uint64_t rev);
/* The version that was replaced by this revision: who wrote it and when.  NULL: not known. */
const struct world_version *world_written(const struct world *w, const struct world_record *r,
					  uint64_t rev);

/* Marks a record, or a partner's key, as changed by the batch, once. */
void world_touch(struct world *w, struct world_record *r);
void world_touch_import(struct world *w, struct world_import *i);
/* All that the batch did so far is stored, or on its way there in this order. */
void world_saved(struct world *w);
/* Keeps the record's present state as a version that `next_rev` replaces. */
int world_keep_version(struct world *w, const struct world_record *r, uint64_t next_rev,
		       const char *by, const char *reason, int64_t client_time);

#endif

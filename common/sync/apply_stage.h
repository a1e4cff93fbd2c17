/* apply_stage.h -- a mutation in the making: its changes are staged beside the world, checked as a
 * whole, then committed to it or dropped. Private to apply*.c. */
#ifndef SEVE_APPLY_STAGE_H
#define SEVE_APPLY_STAGE_H

#include "apply.h"

enum stage_end {
	STAGE_GOES_ON,
	STAGE_CLASH,   /* conflict: nothing is applied */
	STAGE_REFUSED, /* rejected: the problems tell why */
	STAGE_FAILED,  /* out of memory */
};

/* One record as the mutation leaves it. */
struct stage {
	struct world_record *target;
	struct world_record next; /* a copy of *target, then changed */
	Seve__Outcome *outcome;
	uint32_t *changed; /* fields written by updates */
	size_t n_changed;
	bool whole;    /* created, deleted or restored: every field counts as written */
	bool backfill; /* an import enters the past: the state is looked at as that of a new record
			*/
	bool acts;     /* something changes */
	bool renewed;  /* deleted before, with new values now */
	bool merged;   /* others had edited it meanwhile */
	bool clashed;
};

struct stage_set {
	struct world *world;
	struct apply_job *job;
	uint64_t depends_on;
	struct stage *kept; /* conflict records that go with the verdict */
	size_t n_kept;
	struct err err;
	size_t n;
	struct stage list[APPLY_CHANGES_MAX];
	struct problems problems;
};

/* An empty one.  Its lists are written before they are read, so they are not zeroed: they are large
 * and a set is made for every mutation. */
void stage_init(struct stage_set *s, struct world *w, struct apply_job *j);

/* The stage of a record: made on first use.  NULL: out of memory. */
struct stage *stage_open(struct stage_set *s, const uint8_t id[16], const struct kind *k);
/* The record as the mutation sees it so far. NULL: unknown. */
const struct world_record *stage_see(const struct stage_set *s, const struct uuid *id);

/* Gives the record a new body; the defaults are filled in. */
enum stage_end stage_put(struct stage_set *s, struct stage *st, Seve__Body *body);
/* Notes the fields that an update of the record has written, beside those of earlier ones. */
int stage_wrote(struct stage_set *s, struct stage *st, const uint32_t *tags, size_t n);
/* Notes what clashed, beside what clashed before. */
enum stage_end stage_clash(struct stage_set *s, struct stage *st, uint32_t *tags, size_t n);
enum stage_end stage_refuse(struct stage_set *s, const char *field, const char *code,
			    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Turns s->err into an end: out of memory fails, anything else refuses. */
enum stage_end stage_error(struct stage_set *s);

/* Fields, states, references, uniqueness, restricted deletion, rules: on the state that would
 * result. */
enum stage_end stage_check(struct stage_set *s, const char *reason);
/* Writes one stage: takes a rev, and a reference for a new record. */
int stage_write(struct stage_set *s, struct stage *st, const char *reason, int64_t client_time);
/* Whether a change of the mutation was held back, in whole or in part. */
bool stage_clashes(const struct stage_set *s);
/* Takes revs and references, writes the stages into the world.  APPLIED, MERGED or UNCHANGED;
 * UNSPECIFIED: out of memory. */
Seve__Verdict__Code stage_commit(struct stage_set *s, const char *reason, int64_t client_time);

int stage_violations(struct stage_set *s, Seve__Violation ***errors, size_t *n_errors,
		     Seve__Violation ***warnings, size_t *n_warnings);
int stage_outcomes(struct stage_set *s, Seve__Verdict *v);

/* Whether a role that is bound to one actor or action reaches this record. */
bool stage_own(const struct apply_author *a, const struct kind *k, const struct uuid *id,
	       const Seve__Body *body);
/* Whether the record carries an external reference of this source. */
bool stage_carries(const Seve__Body *body, const char *source);
/* A body of its own with a Meta of its own, values shared.  NULL: out of memory. */
Seve__Body *stage_own_body(struct arena *a, const Seve__Body *from);

/* apply_conflict.c: the conflict records of a mutation. */
bool conflict_is(const struct kind *k);
/* A client's change of one: it can be resolved, nothing else. */
enum stage_end conflict_change(struct stage_set *s, const Seve__Change *c, struct stage *st);
/* Makes ready what keeps the held-back changes of the mutation: all of its changes, or only the
 * fields that clashed.  GOES_ON, REFUSED (it cannot be kept: then the outbox keeps it), FAILED. */
enum stage_end conflict_prepare(struct stage_set *s, const Seve__Mutation *m, bool all);
/* Writes what was made ready, and names it in the outcomes. */
int conflict_write(struct stage_set *s, const Seve__Mutation *m);
/* The level of a record has changed: the conflicts about it follow. */
int conflict_follow(struct stage_set *s, const struct world_record *about, const char *reason,
		    int64_t client_time);
/* The conflicts about a record lose their values; those that are open are over. */
int conflict_blank(struct stage_set *s, const struct world_record *about, const char *reason);
/* Fields that somebody else wrote after `base`. */
bool apply_others_wrote(const struct field_revs *revs, uint64_t base, uint64_t writer);

/* What the values of a record need to be loaded. */
int apply_need_values(uint32_t territory, const struct uuid *id, const struct kind *k,
		      const ProtobufCMessage *m, const struct apply_wants *w);
/* What its deletion needs: who points at it, and what the rules of GONE look at. */
int apply_need_gone(uint32_t territory, const struct uuid *id, const struct kind *k,
		    const struct apply_wants *w);
int apply_import_needs(const struct apply_job *j, const struct apply_wants *w);
int apply_import_row(struct world *w, struct apply_job *j, struct err *e);
int apply_erase_needs(const struct apply_job *j, const struct apply_wants *w);
int apply_erase(struct world *w, struct apply_job *j, struct err *e);
int apply_revert_needs(const struct apply_job *j, const struct apply_wants *w);
int apply_revert_row(struct world *w, struct apply_job *j, struct err *e);

#endif

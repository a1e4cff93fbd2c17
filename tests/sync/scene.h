/* scene.h -- a world that is its own database, three people, and mutations in a line each: what the
 * tests of the decision core begin with.  Failures end the test. */
#ifndef TESTS_SYNC_SCENE_H
#define TESTS_SYNC_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sync/apply.h"

enum { TERRITORY = 1 };

struct fixture {
	struct arena arena;
	struct world world;
	struct apply_author facilitator, coordinator, importer;
	uint64_t mids[3];
	struct err err;
};

int scene_set_up(void **state);
int scene_tear_down(void **state);

/* "field=value" pairs, NULL at the end; each is set, and named by the mask. */
Seve__Change *change(struct fixture *f, Seve__Change__Op op, const char *kind,
		     const struct uuid *id, uint64_t base_rev, ...);
Seve__Mutation *mutation(struct fixture *f, uint64_t mid, size_t n, Seve__Change **list);
const Seve__Verdict *apply(struct fixture *f, const struct apply_author *who, Seve__Mutation *m);
/* One change as the author's next mutation. */
const Seve__Verdict *push(struct fixture *f, const struct apply_author *who, Seve__Change *c);
/* A record that the facilitator creates; the second pair may be NULL. */
struct uuid make(struct fixture *f, const char *kind, const char *pair, const char *pair2);
const struct world_record *record(struct fixture *f, const struct uuid *id);
void assert_violation(const Seve__Verdict *v, const char *code);
const char *pair_id(struct fixture *f, const char *field, const struct uuid *id);

#endif

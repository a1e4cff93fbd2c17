/* test_merge_random.c -- common/sync/merge.c against a naive reference, over changes from a seed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "sync/merge.h"
#include "wire.h"

enum { ARENA = 64 * 1024 * 1024, ROUNDS = 6000 };
enum { ANNE = 100, BELA = 200 }; /* writers */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct wanted {
	bool conflict, partial;
	bool clash[64], changed[64]; /* by place in the descriptor */
};

static bool seen_since(const struct field_revs *r, uint32_t tag, uint64_t base)
{
	const struct field_rev *found = NULL;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].tag == tag)
			found = &r->list[i];
	for (size_t i = 0; i < r->n && !found; i++)
		if (r->list[i].tag == 0)
			found = &r->list[i];
	return found && found->rev > base && found->writer != ANNE;
}

static bool in_mask(const Seve__Change *c, uint32_t tag)
{
	for (size_t i = 0; i < c->n_mask; i++)
		if (c->mask[i] == tag)
			return true;
	return false;
}

/* Field by field, on a deep copy, in the words of the design. */
static struct wanted reference(struct arena *a, const struct kind *k, ProtobufCMessage *m,
			       const Seve__Change *c, const struct field_revs *revs)
{
	struct wanted w = {0};
	ProtobufCMessage *before = wire_dup(a, m);
	const ProtobufCMessage *set = kind_message(c->set);
	bool hard = false;
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		if (!in_mask(c, fd->id) || field_equal(m, set, fd))
			continue;
		if (seen_since(revs, fd->id, c->base_rev) && !field_is_set(field_type(fd))) {
			w.clash[i] = w.conflict = true;
			hard |= (field_rule(k, fd).flags & FIELD_HARD) > 0;
		} else {
			field_copy(m, set, fd);
		}
	}
	w.partial = w.conflict && !hard;
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		if (field_is_set(field_type(&k->desc->fields[i])) && c->add)
			field_set_edit(a, m, kind_message(c->add), NULL, &k->desc->fields[i]);
	for (unsigned i = 0; i < k->desc->n_fields && !hard; i++)
		w.changed[i] = !field_equal(m, before, &k->desc->fields[i]);
	return w;
}

/* A body with random values in the set fields only. */
static Seve__Body *random_members(struct random *r, struct arena *a, const struct kind *k)
{
	Seve__Body *b = random_body(r, a, k, 0);
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		if (field_is_set(field_type(&k->desc->fields[i])) && random_below(r, 2))
			random_field(r, a, kind_message(b), &k->desc->fields[i]);
	return b;
}

static struct field_revs random_revs(struct random *r, struct arena *a, const struct kind *k)
{
	struct field_revs out = {arena_array(a, 50, sizeof *out.list), 0};
	out.list[out.n++] =
		(struct field_rev){0, 1 + random_below(r, 4), random_below(r, 2) ? ANNE : BELA};
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		if (random_below(r, 2))
			out.list[out.n++] =
				(struct field_rev){k->desc->fields[i].id, 1 + random_below(r, 9),
						   random_below(r, 2) ? ANNE : BELA};
	return out;
}

static Seve__Change *random_change(struct random *r, struct arena *a, const struct kind *k,
				   const Seve__Body *current)
{
	Seve__Change *c = (Seve__Change *)field_new_message(a, &seve__change__descriptor);
	c->op = SEVE__CHANGE__OP__OP_UPDATE;
	c->base_rev = random_below(r, 10);
	c->set = random_body(r, a, k, 50);
	c->mask = arena_array(a, k->desc->n_fields, sizeof *c->mask);
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		if (random_below(r, 3) == 0)
			c->mask[c->n_mask++] = k->desc->fields[i].id;
		if (random_below(r, 3) == 0) /* often the author wants what stands there */
			field_copy(kind_message(c->set), kind_message(current),
				   &k->desc->fields[i]);
	}
	if (random_below(r, 2))
		c->add = random_members(r, a, k);
	return c;
}

static bool listed(const uint32_t *list, size_t n, uint32_t tag)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == tag)
			return true;
	return false;
}

static void any_change_merges_as_the_reference_says(void **state)
{
	(void)state;
	struct arena a;
	struct random r = random_from(51);
	arena_init(&a, ARENA);
	unsigned kinds_of_end[MERGE_CONFLICT + 1] = {0};
	for (unsigned round = 0; round < ROUNDS; round++, arena_reset(&a)) {
		const struct kind *k = kind_at(random_below(&r, (unsigned)kind_count()));
		Seve__Body *current = random_body(&r, &a, k, 60);
		struct span before = wire_pack(&a, &current->base);
		struct field_revs revs = random_revs(&r, &a, k);
		Seve__Change *c = random_change(&r, &a, k, current);
		ProtobufCMessage *m = wire_dup(&a, kind_message(current));
		struct wanted w = reference(&a, k, m, c, &revs);
		struct merge out;
		assert_int_equal(merge_update(&a, k, current, 10, &revs, ANNE, c, &out, NULL), 0);
		assert_int_equal(out.result == MERGE_CONFLICT, w.conflict);
		assert_int_equal(out.partial, w.partial);
		assert_int_equal(out.body == NULL, w.conflict && !w.partial);
		for (unsigned i = 0; i < k->desc->n_fields; i++) {
			assert_int_equal(listed(out.clash, out.n_clash, k->desc->fields[i].id),
					 w.clash[i]);
			assert_int_equal(listed(out.changed, out.n_changed, k->desc->fields[i].id),
					 w.changed[i]);
		}
		if (out.body)
			assert_true(field_message_equal(kind_message(out.body), m));
		if (!w.conflict)
			assert_int_equal(out.result == MERGE_UNCHANGED, out.n_changed == 0);
		struct span after = wire_pack(&a, &current->base);
		assert_int_equal(after.len, before.len);
		assert_memory_equal(after.at, before.at, after.len);
		kinds_of_end[out.result]++;
	}
	for (size_t i = 0; i < COUNT(kinds_of_end); i++)
		if (i != MERGE_APPLIED) /* rev 10 is always newer than what the fields tell */
			assert_true(kinds_of_end[i] > 20);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_change_merges_as_the_reference_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

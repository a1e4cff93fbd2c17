/* test_outbox.c -- the rules of the outbox, without a store: folding, chunks, verdicts; seeded
 * histories against a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena, 64 * 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static uint8_t id[16] = {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80};

static Seve__Body *body_of(const char *title, int effort)
{
	Seve__Body *b = arena_alloc(&arena, sizeof *b);
	Seve__Action *a = arena_alloc(&arena, sizeof *a);

	assert_true(b && a);
	seve__body__init(b);
	seve__action__init(a);
	a->title = title ? arena_strdup(&arena, title) : NULL;
	a->has_effort = effort >= 0;
	a->effort = effort >= 0 ? (uint32_t)effort : 0;
	b->kind_case = SEVE__BODY__KIND_ACTION;
	b->action = a;
	return b;
}

static Seve__Change *change_of(Seve__Change__Op op, const char *title, int effort)
{
	Seve__Change *c = arena_alloc(&arena, sizeof *c);

	assert_non_null(c);
	seve__change__init(c);
	c->op = op;
	c->id = (ProtobufCBinaryData){16, id};
	c->kind = SEVE__BODY__KIND_ACTION;
	c->mask = arena_array(&arena, 2, sizeof *c->mask);
	c->set = body_of(title, effort);
	if (title)
		c->mask[c->n_mask++] = 1;
	if (effort >= 0)
		c->mask[c->n_mask++] = 8;
	return c;
}

static const Seve__Action *shown(const struct outbox_view *v)
{
	assert_non_null(v->body);
	return v->body->action;
}

static void fold(struct outbox_view *v, const Seve__Change *c)
{
	struct err e = {0};

	if (outbox_fold(&arena, v, c, &e))
		fail_msg("%s", e.text);
}

static void edits_show_in_the_order_they_were_made(void **state)
{
	struct outbox_view v = {0};

	(void)state;
	fold(&v, change_of(SEVE__CHANGE__OP__OP_CREATE, "un", 2));
	fold(&v, change_of(SEVE__CHANGE__OP__OP_UPDATE, "deux", -1));
	assert_string_equal(shown(&v)->title, "deux");
	assert_int_equal(shown(&v)->effort, 2);
	assert_int_equal(v.rev, 0);
	fold(&v, change_of(SEVE__CHANGE__OP__OP_DELETE, NULL, -1));
	assert_true(v.deleted);
	assert_null(v.body);
	/* What is deleted is not edited by those who cannot see it. */
	fold(&v, change_of(SEVE__CHANGE__OP__OP_UPDATE, "trois", -1));
	assert_true(v.deleted);
}

static void what_enters_another_state_here_has_been_in_it_since_the_edit(void **state)
{
	struct outbox_view v = {0}, before = {0};
	struct err e = {0};
	Seve__Change *c = change_of(SEVE__CHANGE__OP__OP_UPDATE, NULL, -1);

	(void)state;
	fold(&v, change_of(SEVE__CHANGE__OP__OP_CREATE, "un", 2));
	assert_int_equal(outbox_date_state(&arena, &v, &before, 1000, &e), 0);
	assert_int_equal(v.body->meta->state_at, 1000);
	before = v;
	fold(&v, change_of(SEVE__CHANGE__OP__OP_UPDATE, "deux", -1));
	assert_int_equal(outbox_date_state(&arena, &v, &before, 2000, &e), 0);
	assert_int_equal(v.body->meta->state_at, 1000);
	before = v;
	c->mask[c->n_mask++] = 3;
	c->set->action->has_status = true;
	c->set->action->status = SEVE__ACTION__STATUS__STATUS_LEAD;
	fold(&v, c);
	assert_int_equal(outbox_date_state(&arena, &v, &before, 3000, &e), 0);
	assert_int_equal(v.body->meta->state_at, 3000);
}

static void an_edit_of_the_unknown_shows_nothing(void **state)
{
	struct outbox_view v = {0};

	(void)state;
	fold(&v, change_of(SEVE__CHANGE__OP__OP_UPDATE, "un", -1));
	assert_null(v.kind);
	fold(&v, change_of(SEVE__CHANGE__OP__OP_DELETE, NULL, -1));
	assert_null(v.kind);
}

static void the_base_below_is_never_written_to(void **state)
{
	Seve__Body *base = body_of("base", 4);
	struct outbox_view v = {
		.kind = kind_by_number(SEVE__BODY__KIND_ACTION), .rev = 3, .body = base};

	(void)state;
	fold(&v, change_of(SEVE__CHANGE__OP__OP_UPDATE, "autre", 1));
	assert_string_equal(base->action->title, "base");
	assert_int_equal(base->action->effort, 4);
}

static void a_chunk_takes_at_least_one_and_keeps_both_limits(void **state)
{
	size_t sizes[] = {400, 400, 400, 5000, 10};

	(void)state;
	assert_int_equal(outbox_chunk(sizes, 5, 500, 1000), 2);
	assert_int_equal(outbox_chunk(sizes, 5, 1, 100000), 1);
	assert_int_equal(outbox_chunk(sizes + 3, 2, 500, 1000), 1);
	assert_int_equal(outbox_chunk(sizes, 5, 500, 6210), 5);
	assert_int_equal(outbox_chunk(sizes, 0, 500, 1000), 0);
}

static enum outbox_state judged(Seve__Verdict__Code code, bool kept)
{
	static uint8_t x[16];
	Seve__Verdict v = SEVE__VERDICT__INIT;
	Seve__Outcome o = SEVE__OUTCOME__INIT, *list[] = {&o};

	v.code = code;
	v.n_outcomes = 1;
	v.outcomes = list;
	o.has_conflict_id = kept;
	o.conflict_id = (ProtobufCBinaryData){kept ? 16 : 0, x};
	return outbox_judge(&v);
}

static void every_verdict_has_a_fate(void **state)
{
	(void)state;
	assert_int_equal(judged(SEVE__VERDICT__CODE__APPLIED, false), OUTBOX_DONE);
	assert_int_equal(judged(SEVE__VERDICT__CODE__MERGED, false), OUTBOX_DONE);
	assert_int_equal(judged(SEVE__VERDICT__CODE__UNCHANGED, false), OUTBOX_DONE);
	assert_int_equal(judged(SEVE__VERDICT__CODE__CONFLICT, false), OUTBOX_CONFLICT);
	/* What the server keeps in a conflict record need not stand here too. */
	assert_int_equal(judged(SEVE__VERDICT__CODE__CONFLICT, true), OUTBOX_DONE);
	assert_int_equal(judged(SEVE__VERDICT__CODE__REJECTED, false), OUTBOX_REJECTED);
	/* Of a newer server: kept and seen, never dropped. */
	assert_int_equal(judged((Seve__Verdict__Code)42, false), OUTBOX_REJECTED);
	assert_true(outbox_waits(OUTBOX_PENDING) && outbox_waits(OUTBOX_SENT));
	assert_false(outbox_waits(OUTBOX_CONFLICT) || outbox_waits(OUTBOX_REJECTED) ||
		     outbox_waits(OUTBOX_DONE));
}

static void a_reply_answers_the_mutations_that_were_sent(void **state)
{
	Seve__Verdict a = SEVE__VERDICT__INIT, b = SEVE__VERDICT__INIT, *list[] = {&a, &b};
	Seve__PushReply r = SEVE__PUSH_REPLY__INIT;
	uint64_t mids[] = {4, 5};
	struct err e = {0};

	(void)state;
	a.mid = 4;
	b.mid = 5;
	r.n_verdicts = 2;
	r.verdicts = list;
	assert_int_equal(outbox_answers(mids, 2, &r, &e), 0);
	assert_int_equal(outbox_answers(mids, 1, &r, &e), -ERR_PROTOCOL);
	b.mid = 6;
	assert_int_equal(outbox_answers(mids, 2, &r, &e), -ERR_PROTOCOL);
}

/* ---- seeded histories: the outbox of one record against a model of two fields
 * ---------------------------------------- */

struct model {
	bool known, deleted;
	char title[16];
	int effort;
};

static uint32_t draw(uint32_t *seed, uint32_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed % n;
}

static Seve__Change *random_change(uint32_t *seed, struct model *m)
{
	char title[16];
	int effort = draw(seed, 2) ? (int)draw(seed, 5) : -1;
	bool titled = draw(seed, 2);

	snprintf(title, sizeof title, "t%u", draw(seed, 1000));
	if (!m->known) {
		*m = (struct model){true, false, "", effort};
		snprintf(m->title, sizeof m->title, "%s", title);
		return change_of(SEVE__CHANGE__OP__OP_CREATE, title, effort);
	}
	if (draw(seed, 20) == 0) {
		m->deleted = true;
		return change_of(SEVE__CHANGE__OP__OP_DELETE, NULL, -1);
	}
	if (!m->deleted) {
		if (titled)
			snprintf(m->title, sizeof m->title, "%s", title);
		if (effort >= 0)
			m->effort = effort;
	}
	return change_of(SEVE__CHANGE__OP__OP_UPDATE, titled ? title : NULL, effort);
}

static void agree(const struct outbox_view *v, const struct model *m, uint32_t seed)
{
	if (v->deleted != m->deleted)
		fail_msg("seed %u: deleted %d, not %d", seed, v->deleted, m->deleted);
	if (m->deleted)
		return;
	if (strcmp(shown(v)->title, m->title) != 0 || (m->effort >= 0) != shown(v)->has_effort ||
	    (m->effort >= 0 && shown(v)->effort != (uint32_t)m->effort))
		fail_msg("seed %u: \"%s\" %u, not \"%s\" %d", seed, shown(v)->title,
			 shown(v)->effort, m->title, m->effort);
}

/* Settling a prefix of the edits one by one and folding the rest must show the same as folding all
 * of them. */
static void one_history(uint32_t seed)
{
	enum { EDITS = 12 };
	Seve__Change *changes[EDITS];
	struct model m = {0};
	struct outbox_view all = {0}, base = {0}, rest;
	uint32_t s = seed ? seed : 1;
	size_t settled;

	for (size_t i = 0; i < EDITS; i++) {
		changes[i] = random_change(&s, &m);
		fold(&all, changes[i]);
	}
	agree(&all, &m, seed);
	settled = draw(&s, EDITS + 1);
	for (size_t i = 0; i < settled; i++) {
		Seve__Mutation mutation = SEVE__MUTATION__INIT;
		Seve__Verdict verdict = SEVE__VERDICT__INIT;
		Seve__Outcome outcome = SEVE__OUTCOME__INIT, *list[] = {&outcome};
		struct err e = {0};

		mutation.n_changes = 1;
		mutation.changes = &changes[i];
		verdict.code = SEVE__VERDICT__CODE__APPLIED;
		verdict.n_outcomes = 1;
		verdict.outcomes = list;
		outcome.id = (ProtobufCBinaryData){16, id};
		outcome.rev = i + 1;
		if (outbox_settle(&arena, &base, id, &mutation, &verdict, "moi", 1, &e))
			fail_msg("seed %u: %s", seed, e.text);
		if (base.rev != i + 1)
			fail_msg("seed %u: rev %llu after settling %zu", seed,
				 (unsigned long long)base.rev, i + 1);
	}
	rest = base;
	for (size_t i = settled; i < EDITS; i++)
		fold(&rest, changes[i]);
	agree(&rest, &m, seed);
}

static void settling_part_of_the_queue_changes_nothing_that_is_seen(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 3000; seed++) {
		one_history(seed);
		arena_reset(&arena);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(edits_show_in_the_order_they_were_made),
		TEST(what_enters_another_state_here_has_been_in_it_since_the_edit),
		TEST(an_edit_of_the_unknown_shows_nothing),
		TEST(the_base_below_is_never_written_to),
		TEST(a_chunk_takes_at_least_one_and_keeps_both_limits),
		TEST(every_verdict_has_a_fate),
		TEST(a_reply_answers_the_mutations_that_were_sent),
		TEST(settling_part_of_the_queue_changes_nothing_that_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_conflict.c -- what does not go together is kept: field classes and clashes in a table,
 * folding, resolving, levels. */
#include "scene.h"

#include "conflict.h"

#define UPDATE SEVE__CHANGE__OP__OP_UPDATE
#define DELETE SEVE__CHANGE__OP__OP_DELETE

/* The conflict that an outcome names; NULL: none. */
static const struct world_record *kept(struct fixture *f, const Seve__Verdict *v, size_t i)
{
	struct uuid id;

	if (i >= v->n_outcomes || v->outcomes[i]->conflict_id.len != 16)
		return NULL;
	memcpy(id.b, v->outcomes[i]->conflict_id.data, 16);
	return record(f, &id);
}

static const Seve__Conflict *conflict(struct fixture *f, const Seve__Verdict *v, size_t i)
{
	const struct world_record *r = kept(f, v, i);

	assert_non_null(r);
	assert_true(r->exists && r->kind == conflict_kind());
	return r->body->conflict;
}

static const Seve__ConflictField *field(const Seve__Conflict *c, const char *name)
{
	for (size_t i = 0; i < c->n_fields; i++)
		if (!strcmp(c->fields[i]->field, name))
			return c->fields[i];
	return NULL;
}

static void assert_text(const char *got, const char *wanted)
{
	if (wanted)
		assert_string_equal(got ? got : "(none)", wanted);
	else
		assert_null(got);
}

static void assert_sides(const Seve__Conflict *c, const char *name, const char *was,
			 const char *mine, const char *theirs)
{
	const Seve__ConflictField *e = field(c, name);

	if (!e)
		fail_msg("the conflict holds nothing of %s", name);
	assert_text(e->was, was);
	assert_text(e->mine, mine);
	assert_text(e->theirs, theirs);
}

static Seve__Change *update(struct fixture *f, const struct uuid *id, uint64_t base,
			    const char *pair, const char *other)
{
	return change(f, UPDATE, record(f, id)->kind->name, id, base, pair, other, NULL);
}

/* A record of the kind that both know at rev 1. */
static struct uuid known(struct fixture *f, const char *kind)
{
	if (!strcmp(kind, "task"))
		return make(f, "task", "text=Appeler", NULL);
	return make(f, "action", "title=Compost", NULL);
}

/* ---- field classes -------------------------------------------------------------------------- */

/* Two edits of one field from the same state: what becomes of the second. */
static const struct clash_row {
	const char *kind, *first, *second; /* field=value */
	const char *beside;                /* what the second edits too, or NULL */
	Seve__Verdict__Code code;
	const char *field; /* that is kept, NULL: nothing is */
	const char *was, *mine, *theirs;
	bool beside_applies;
} clashes[] = {
	{"action", "target_on=2027-01-01", "target_on=2027-02-02", "next_step=X",
	 SEVE__VERDICT__CODE__CONFLICT, "target_on", NULL, "2027-02-02", "2027-01-01", false},
	{"action", "status=lead", "status=abandoned", NULL, SEVE__VERDICT__CODE__CONFLICT, "status",
	 "idea", "abandoned", "lead", false},
	{"action", "kind=exchange", "kind=other", NULL, SEVE__VERDICT__CODE__CONFLICT, "kind", NULL,
	 "other", "exchange", false},
	{"action", "title=Palettes", "title=Cartons", "next_step=X", SEVE__VERDICT__CODE__MERGED,
	 "title", "Compost", "Cartons", "Palettes", true},
	{"action", "title=Palettes", "title=Cartons", NULL, SEVE__VERDICT__CODE__CONFLICT, "title",
	 "Compost", "Cartons", "Palettes", false},
	{"action", "effort=2", "effort=5", NULL, SEVE__VERDICT__CODE__CONFLICT, "effort", NULL, "5",
	 "2", false},
	{"action", "low_hanging=yes", "low_hanging=no", NULL, SEVE__VERDICT__CODE__CONFLICT,
	 "low_hanging", NULL, "no", "yes", false},
	{"action", "objectives={\"people\":1}", "objectives={\"people\":2}", NULL,
	 SEVE__VERDICT__CODE__CONFLICT, "objectives", NULL, "{\"people\":2}", "{\"people\":1}",
	 false},
	{"action", "target_on=2027-01-01", "target_on=2027-01-01", "next_step=X",
	 SEVE__VERDICT__CODE__MERGED, NULL, NULL, NULL, NULL, true},
	{"task", "due_on=2027-01-01", "due_on=2027-03-03", "text=Y", SEVE__VERDICT__CODE__CONFLICT,
	 "due_on", NULL, "2027-03-03", "2027-01-01", false},
	{"task", "text=Relancer", "text=Oublier", "due_on=2027-03-03", SEVE__VERDICT__CODE__MERGED,
	 "text", "Appeler", "Oublier", "Relancer", true},
};

static void check_clash(struct fixture *f, const struct clash_row *row)
{
	struct uuid id = known(f, row->kind);
	const uint64_t base = record(f, &id)->rev;
	const Seve__Verdict *v;

	push(f, &f->coordinator, update(f, &id, base, row->first, NULL));
	v = push(f, &f->facilitator, update(f, &id, base, row->second, row->beside));
	if (v->code != row->code || !row->field != !kept(f, v, 0))
		fail_msg("%s against %s: verdict %d, wanted %d", row->second, row->first, v->code,
			 row->code);
	if (row->field) {
		assert_sides(conflict(f, v, 0), row->field, row->was, row->mine, row->theirs);
		assert_true(field(conflict(f, v, 0), row->field)->clash);
		assert_int_equal(conflict(f, v, 0)->clash, SEVE__CONFLICT__CLASH__CLASH_FIELD);
	}
	if (row->beside && row->beside_applies && kept(f, v, 0))
		assert_int_equal(conflict(f, v, 0)->n_fields, 1);
	if (row->beside && !row->beside_applies)
		assert_int_equal(conflict(f, v, 0)->n_fields, 2); /* held back with the clash */
}

static void each_class_of_field_clashes_in_its_way(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof clashes / sizeof *clashes; i++)
		check_clash(f, &clashes[i]);
}

static void members_of_sets_never_clash_but_are_held_back_with_what_does(void **state)
{
	struct fixture *f = *state;
	struct uuid id = make(f, "action", "title=Compost", "tags=eau|bois");
	Seve__Change *add, *held;
	const Seve__Verdict *v;

	add = change(f, UPDATE, "action", &id, 1, "tags=chaleur", NULL);
	add->add = add->set;
	add->set = NULL;
	add->n_mask = 0;
	assert_int_equal(push(f, &f->coordinator, add)->code, SEVE__VERDICT__CODE__APPLIED);
	push(f, &f->coordinator, update(f, &id, 2, "target_on=2027-01-01", NULL));
	held = update(f, &id, 1, "target_on=2027-02-02", NULL);
	held->add = change(f, UPDATE, "action", &id, 1, "tags=vapeur|eau", NULL)->set;
	held->remove = change(f, UPDATE, "action", &id, 1, "tags=bois", NULL)->set;
	v = push(f, &f->facilitator, held);
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_text(field(conflict(f, v, 0), "tags")->add, "vapeur|eau");
	assert_text(field(conflict(f, v, 0), "tags")->remove, "bois");
	assert_text(field(conflict(f, v, 0), "tags")->theirs, "eau|bois|chaleur");
	assert_int_equal(record(f, &id)->body->action->n_tags, 3);
}

/* ---- who and when --------------------------------------------------------------------------- */

static void a_conflict_tells_who_and_when_on_both_sides(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");
	Seve__Change *c = update(f, &id, 1, "target_on=2027-01-01", NULL);
	Seve__Mutation *m = mutation(f, ++f->mids[1], 1, &c);
	const struct world_record *r;
	const Seve__Conflict *x;
	const Seve__Verdict *v;
	char client[UUID_TEXT];

	m->has_client_time_ms = true;
	m->client_time_ms = 11;
	apply(f, &f->coordinator, m);
	f->world.now_ms += 5;
	push(f, &f->coordinator, update(f, &id, 2, "next_step=Autre chose", NULL));
	f->world.now_ms += 5;
	c = update(f, &id, 1, "target_on=2027-02-02", NULL);
	m = mutation(f, ++f->mids[0], 1, &c);
	m->has_client_time_ms = true;
	m->client_time_ms = 22;
	m->reason = arena_strdup(&f->arena, "le port le demande");
	v = apply(f, &f->facilitator, m);
	r = kept(f, v, 0);
	x = conflict(f, v, 0);
	/* Not its id, by which others could use up its numbers. */
	snprintf(client, sizeof client, "%016llx", (unsigned long long)f->facilitator.client_short);
	assert_text(x->mine_by, "anne");
	assert_int_equal(x->mine_client_at, 22);
	assert_int_equal(x->mine_at, f->world.now_ms);
	assert_text(x->mine_reason, "le port le demande");
	assert_text(x->theirs_by, "nord");
	assert_int_equal(x->theirs_client_at, 11);
	assert_int_equal(x->theirs_at, f->world.now_ms - 10); /* of the field, not of the record */
	assert_int_equal(x->base_rev, 1);
	assert_int_equal(x->theirs_rev, 3);
	assert_text(x->client, client);
	assert_int_equal(x->mid, 2); /* the first made the record */
	assert_text(x->record_ref, "P-1");
	assert_text(x->record_kind, "action");
	assert_memory_equal(x->record_id.data, id.b, 16);
	assert_int_equal(r->ref_no, 1);
	assert_int_equal(v->outcomes[0]->conflict_no, 1);
	assert_int_equal(r->level, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, r->rev);
}

/* What the author saw of a field that was their own a moment ago is that, not what stood when they
 * went out. */
static void the_base_is_what_the_authors_own_last_edit_left(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");
	Seve__Change *c;

	push(f, &f->facilitator, update(f, &id, 1, "target_on=2027-01-01", NULL));
	push(f, &f->coordinator, update(f, &id, 2, "target_on=2027-06-06", NULL));
	c = update(f, &id, 1, "target_on=2027-02-02", NULL);
	c->has_base_mid = true;
	c->base_mid = f->mids[0];
	assert_sides(conflict(f, push(f, &f->facilitator, c), 0), "target_on", "2027-01-01",
		     "2027-02-02", "2027-06-06");
}

/* ---- deletions ------------------------------------------------------------------------------ */

static void an_edit_of_what_is_deleted_is_kept(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");
	const Seve__Verdict *v;
	const Seve__Conflict *x;

	push(f, &f->coordinator, change(f, DELETE, "action", &id, 1, NULL));
	v = push(f, &f->facilitator, update(f, &id, 1, "title=Palettes", "next_step=X"));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	x = conflict(f, v, 0);
	assert_int_equal(x->clash, SEVE__CONFLICT__CLASH__CLASH_EDIT_DELETED);
	assert_sides(x, "title", "Compost", "Palettes", NULL);
	assert_sides(x, "next_step", NULL, "X", NULL);
	assert_text(x->theirs_by, "nord");
	assert_true(record(f, &id)->deleted);
}

static void a_deletion_of_what_was_edited_is_kept(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");
	const Seve__Verdict *v;
	const Seve__Conflict *x;

	push(f, &f->coordinator, update(f, &id, 1, "status=lead", NULL));
	v = push(f, &f->facilitator, change(f, DELETE, "action", &id, 1, NULL));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	x = conflict(f, v, 0);
	assert_int_equal(x->clash, SEVE__CONFLICT__CLASH__CLASH_DELETE_EDITED);
	assert_sides(x, "status", "idea", NULL, "lead");
	assert_false(record(f, &id)->deleted);
}

static void a_deleted_record_that_conflicts_speak_of_can_still_go(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");

	push(f, &f->coordinator, update(f, &id, 1, "target_on=2027-01-01", NULL));
	push(f, &f->facilitator, update(f, &id, 1, "target_on=2027-02-02", NULL));
	assert_int_equal(push(f, &f->coordinator, change(f, DELETE, "action", &id, 2, NULL))->code,
			 SEVE__VERDICT__CODE__APPLIED);
}

/* ---- mutations of several changes ----------------------------------------------------------- */

static void a_clash_holds_the_whole_mutation_back_and_keeps_each_record(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action"), b = known(f, "action"), born = uuid_v7();
	Seve__Change *list[3];
	const Seve__Verdict *v;

	push(f, &f->coordinator, update(f, &b, 2, "target_on=2027-01-01", NULL));
	list[0] =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "task", &born, 0, "text=Née trop tôt", NULL);
	list[1] = update(f, &b, 2, "target_on=2027-02-02", NULL);
	list[2] = update(f, &a, 1, "next_step=X", NULL);
	v = apply(f, &f->facilitator, mutation(f, ++f->mids[0], 3, list));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(v->n_outcomes, 3);
	assert_int_equal(conflict(f, v, 0)->clash, SEVE__CONFLICT__CLASH__CLASH_HELD);
	assert_sides(conflict(f, v, 0), "text", NULL, "Née trop tôt", NULL);
	assert_int_equal(conflict(f, v, 1)->clash, SEVE__CONFLICT__CLASH__CLASH_FIELD);
	assert_int_equal(conflict(f, v, 2)->clash, SEVE__CONFLICT__CLASH__CLASH_HELD);
	assert_sides(conflict(f, v, 2), "next_step", NULL, "X", NULL);
	assert_false(record(f, &born)->exists);
	assert_int_equal(record(f, &a)->rev, 1);
}

static void a_refusal_goes_before_a_conflict(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action"), nobody = uuid_v7();
	const uint64_t head = world_head(&f->world, TERRITORY, false)->rev + 1;
	Seve__Change *list[2];

	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	list[0] = update(f, &a, 1, "target_on=2027-02-02", NULL);
	list[1] = change(f, UPDATE, "action", &nobody, 3, "title=X", NULL);
	assert_violation(apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, list)), "GONE");
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, head);
}

/* Both updates of a record in one mutation count as written, and all of a restored one. */
static void two_updates_of_a_record_in_one_mutation_are_both_seen_by_others(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	Seve__Change *list[2] = {update(f, &a, 1, "target_on=2027-01-01", NULL),
				 update(f, &a, 1, "start_on=2026-12-01", NULL)};

	assert_int_equal(apply(f, &f->coordinator, mutation(f, ++f->mids[1], 2, list))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(
		push(f, &f->facilitator, update(f, &a, 1, "target_on=2027-02-02", NULL))->code,
		SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(
		push(f, &f->facilitator, update(f, &a, 1, "start_on=2026-12-02", NULL))->code,
		SEVE__VERDICT__CODE__CONFLICT);
}

/* ---- folding -------------------------------------------------------------------------------- */

static void later_edits_of_the_same_outbox_fold_into_the_open_conflict(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	const Seve__Verdict *first, *second;
	const Seve__Conflict *x;
	Seve__Change *c;

	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	first = push(f, &f->facilitator, update(f, &a, 1, "target_on=2027-02-02", NULL));
	c = update(f, &a, 1, "target_on=2027-03-03", "next_step=X");
	c->has_base_mid = true;
	c->base_mid = f->mids[0];
	second = push(f, &f->facilitator, c);
	assert_int_equal(second->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(second->depends_on_mid, f->mids[0] - 1);
	assert_ptr_equal(kept(f, first, 0), kept(f, second, 0));
	x = conflict(f, second, 0);
	assert_sides(x, "target_on", NULL, "2027-03-03", "2027-01-01");
	assert_true(field(x, "target_on")->clash);
	assert_sides(x, "next_step", NULL, "X", NULL);
	assert_int_equal(x->last_mid - x->mid, 1);
	assert_int_equal(x->clash, SEVE__CONFLICT__CLASH__CLASH_FIELD);
	assert_int_equal(record(f, &a)->rev, 2);
}

static void what_builds_upon_a_creation_that_is_held_folds_too(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action"), born = uuid_v7();
	Seve__Change *list[2], *c;
	const Seve__Verdict *v;

	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	list[0] = change(f, SEVE__CHANGE__OP__OP_CREATE, "task", &born, 0, "text=A", NULL);
	list[1] = update(f, &a, 1, "target_on=2027-02-02", NULL);
	apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, list));
	c = change(f, UPDATE, "task", &born, 0, "text=B", NULL);
	c->has_base_mid = true;
	c->base_mid = f->mids[0];
	v = push(f, &f->facilitator, c);
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_sides(conflict(f, v, 0), "text", NULL, "B", NULL);
}

static void another_clients_clash_is_another_conflict(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	struct apply_author tablet = f->facilitator;
	const Seve__Verdict *one, *two;
	Seve__Change *c;

	tablet.client = uuid_v7();
	tablet.client_short = 9;
	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	one = push(f, &f->facilitator, update(f, &a, 1, "target_on=2027-02-02", NULL));
	c = update(f, &a, 1, "target_on=2027-03-03", NULL);
	two = apply(f, &tablet, mutation(f, 1, 1, &c));
	assert_ptr_not_equal(kept(f, one, 0), kept(f, two, 0));
	assert_int_equal(kept(f, two, 0)->ref_no, 2);
}

/* One that an earlier release kept tells the client's id. */
static void a_conflict_of_an_earlier_release_is_the_clients_still(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	char client[UUID_TEXT];
	const Seve__Verdict *one, *two;

	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	one = push(f, &f->facilitator, update(f, &a, 1, "target_on=2027-02-02", NULL));
	uuid_format(&f->facilitator.client, client);
	((Seve__Body *)(uintptr_t)kept(f, one, 0)->body)->conflict->client = client;
	two = push(f, &f->facilitator, update(f, &a, 1, "target_on=2027-03-03", NULL));
	assert_ptr_equal(kept(f, one, 0), kept(f, two, 0));
}

static void the_same_mutation_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	Seve__Change *c = update(f, &a, 1, "target_on=2027-02-02", NULL);
	Seve__Mutation *m = mutation(f, ++f->mids[0], 1, &c);
	const Seve__Verdict *v;
	uint64_t head;

	push(f, &f->coordinator, update(f, &a, 1, "target_on=2027-01-01", NULL));
	v = apply(f, &f->facilitator, m);
	head = world_head(&f->world, TERRITORY, false)->rev;
	assert_ptr_equal(apply(f, &f->facilitator, m), v);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, head);
}

/* ---- resolving ------------------------------------------------------------------------------ */

struct dispute {
	struct uuid about, conflict;
};

/* Nord wrote January, Anne February. */
static struct dispute dispute(struct fixture *f)
{
	struct dispute d = {.about = known(f, "action")};
	const uint64_t rev = record(f, &d.about)->rev;
	const Seve__Verdict *v;

	push(f, &f->coordinator, update(f, &d.about, rev, "target_on=2027-01-01", NULL));
	v = push(f, &f->facilitator, update(f, &d.about, rev, "target_on=2027-02-02", NULL));
	d.conflict = kept(f, v, 0)->key.id;
	return d;
}

static Seve__Change *decide(struct fixture *f, const struct dispute *d, const char *resolution)
{
	return change(f, UPDATE, "conflict", &d->conflict, record(f, &d->conflict)->rev,
		      "state=resolved", resolution, NULL);
}

static const Seve__Conflict *now(struct fixture *f, const struct dispute *d)
{
	return record(f, &d->conflict)->body->conflict;
}

static void a_resolution_edits_the_record_and_closes_the_conflict(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	Seve__Change *list[2] = {
		update(f, &d.about, record(f, &d.about)->rev, "target_on=2027-02-02", NULL),
		decide(f, &d, "resolution=mine")};

	assert_int_equal(apply(f, &f->coordinator, mutation(f, ++f->mids[1], 2, list))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(now(f, &d)->state, SEVE__CONFLICT__STATE__STATE_RESOLVED);
	assert_text(now(f, &d)->resolved_by, "nord");
	assert_int_equal(now(f, &d)->resolved_at, f->world.now_ms);
	assert_sides(now(f, &d), "target_on", NULL, "2027-02-02", "2027-01-01");
}

static void two_who_resolve_at_once_conflict_again(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	const uint64_t rev = record(f, &d.about)->rev;
	Seve__Change *one[2] = {update(f, &d.about, rev, "target_on=2027-05-05", NULL),
				decide(f, &d, "resolution=fields")};
	Seve__Change *two[2] = {update(f, &d.about, rev, "target_on=2027-02-02", NULL),
				decide(f, &d, "resolution=mine")};
	const Seve__Verdict *v;

	assert_int_equal(apply(f, &f->coordinator, mutation(f, ++f->mids[1], 2, one))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	v = apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, two));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_sides(conflict(f, v, 0), "target_on", "2027-01-01", "2027-02-02", "2027-05-05");
	assert_memory_not_equal(v->outcomes[0]->conflict_id.data, d.conflict.b, 16);
	assert_text(now(f, &d)->resolved_by, "nord");
	assert_null(kept(f, v, 1)); /* no conflict about a conflict */
}

/* The decision did not go through: what is still open takes the new wish. */
static void a_decision_of_ones_own_that_clashes_goes_back_into_its_conflict(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	Seve__Change *list[2] = {
		decide(f, &d, "resolution=fields"),
		update(f, &d.about, record(f, &d.about)->rev, "target_on=2027-05-05", NULL)};
	const Seve__Verdict *v;

	push(f, &f->coordinator,
	     update(f, &d.about, record(f, &d.about)->rev, "target_on=2027-06-06", NULL));
	v = apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, list));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_memory_equal(kept(f, v, 1)->key.id.b, d.conflict.b, 16);
	assert_int_equal(now(f, &d)->state, SEVE__CONFLICT__STATE__STATE_OPEN);
	assert_sides(now(f, &d), "target_on", NULL, "2027-05-05", "2027-06-06");
}

static void a_decision_without_an_edit_that_comes_too_late_is_refused(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	Seve__Change *late = decide(f, &d, "resolution=theirs"),
		     *same = decide(f, &d, "resolution=mine");

	assert_int_equal(push(f, &f->coordinator, decide(f, &d, "resolution=mine"))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_violation(push(f, &f->facilitator, late), "RESOLVED");
	assert_int_equal(push(f, &f->facilitator, same)->code, SEVE__VERDICT__CODE__UNCHANGED);
}

/* Whoever decides must have seen all that is at stake. */
static void a_conflict_that_has_grown_meanwhile_is_not_closed_unseen(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	Seve__Change *late = decide(f, &d, "resolution=theirs"), *more;

	more = update(f, &d.about, 1, "next_step=X", NULL);
	more->has_base_mid = true;
	more->base_mid = f->mids[0];
	push(f, &f->facilitator, more);
	assert_violation(push(f, &f->coordinator, late), "RESOLVED");
	assert_int_equal(now(f, &d)->state, SEVE__CONFLICT__STATE__STATE_OPEN);
}

static void after_a_resolution_a_new_clash_is_a_new_conflict(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	const Seve__Verdict *v;

	push(f, &f->facilitator, decide(f, &d, "resolution=theirs"));
	v = push(f, &f->facilitator, update(f, &d.about, 1, "target_on=2027-09-09", NULL));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(kept(f, v, 0)->ref_no, 2);
}

static void a_deletion_is_decided_with_it_in_one_mutation(void **state)
{
	struct fixture *f = *state;
	struct dispute d = {.about = known(f, "action")};
	Seve__Change *list[3];
	const Seve__Verdict *v;

	push(f, &f->coordinator, change(f, DELETE, "action", &d.about, 1, NULL));
	v = push(f, &f->facilitator, update(f, &d.about, 1, "next_step=X", NULL));
	d.conflict = kept(f, v, 0)->key.id;
	list[0] = change(f, SEVE__CHANGE__OP__OP_RESTORE, "action", &d.about, 2, NULL);
	list[1] = update(f, &d.about, 2, "next_step=X", NULL);
	list[2] = decide(f, &d, "resolution=mine");
	assert_int_equal(apply(f, &f->facilitator, mutation(f, ++f->mids[0], 3, list))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_text(record(f, &d.about)->body->action->next_step, "X");
	assert_text(record(f, &d.about)->body->action->title, "Compost");
	/* All of it counts as written by the restoration. */
	assert_int_equal(
		push(f, &f->coordinator, update(f, &d.about, 1, "target_on=2027-01-01", NULL))
			->code,
		SEVE__VERDICT__CODE__CONFLICT);
}

static void nothing_but_a_resolution_is_written_by_hand(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	struct uuid id = uuid_v7();
	const uint64_t rev = record(f, &d.conflict)->rev;

	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_CREATE, "conflict", &id, 0,
				     "state=open", NULL)),
			 "ONLINE");
	assert_violation(push(f, &f->facilitator,
			      change(f, UPDATE, "conflict", &d.conflict, rev, "mine_by=x", NULL)),
			 "DENIED");
	assert_violation(
		push(f, &f->facilitator, change(f, DELETE, "conflict", &d.conflict, rev, NULL)),
		"DENIED");
	assert_violation(push(f, &f->facilitator,
			      change(f, UPDATE, "conflict", &d.conflict, rev, "state=open", NULL)),
			 "INVALID");
	assert_violation(
		push(f, &f->facilitator,
		     change(f, UPDATE, "conflict", &d.conflict, rev, "state=resolved", NULL)),
		"INVALID");
}

static void who_may_not_write_the_record_may_not_decide(void **state)
{
	struct fixture *f = *state;
	struct uuid meeting = make(f, "meeting", "kind=group", NULL), minute = uuid_v7();
	struct apply_author tablet = f->facilitator;
	const Seve__Verdict *v;
	struct dispute d;
	Seve__Change *c;

	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_CREATE, "minute", &minute, 0, "kind=decision", "text=A",
		    pair_id(f, "meeting_id", &meeting), NULL));
	tablet.client = uuid_v7();
	tablet.client_short = 9;
	push(f, &f->facilitator, update(f, &minute, 2, "text=B", NULL));
	c = update(f, &minute, 2, "text=C", NULL);
	v = apply(f, &tablet, mutation(f, 1, 1, &c));
	d = (struct dispute){minute, kept(f, v, 0)->key.id};
	/* A coordinator writes conflicts, and no minutes. */
	assert_violation(push(f, &f->coordinator, decide(f, &d, "resolution=mine")), "DENIED");
	assert_int_equal(push(f, &f->facilitator, decide(f, &d, "resolution=theirs"))->code,
			 SEVE__VERDICT__CODE__APPLIED);
}

/* ---- levels --------------------------------------------------------------------------------- */

static Seve__Change *raise(struct fixture *f, const struct uuid *id, Seve__Level level)
{
	Seve__Change *c = update(f, id, record(f, id)->rev, NULL, NULL);
	Seve__Meta *meta = arena_alloc(&f->arena, sizeof *meta);

	seve__meta__init(meta);
	meta->has_level = true;
	meta->level = level;
	c->set->meta = meta;
	c->mask[c->n_mask++] = META_TAG + 1;
	return c;
}

static void a_conflict_is_of_the_level_of_its_record_and_follows_it(void **state)
{
	struct fixture *f = *state;
	struct dispute d = dispute(f);
	const uint64_t before = record(f, &d.conflict)->rev;

	assert_int_equal(record(f, &d.conflict)->level, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(
		push(f, &f->facilitator, raise(f, &d.about, SEVE__LEVEL__LEVEL_TEAM))->code,
		SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(record(f, &d.conflict)->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(record(f, &d.conflict)->body->meta->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_true(record(f, &d.conflict)->rev > before);
	assert_int_equal(record(f, &d.conflict)->narrowed_rev, record(f, &d.conflict)->rev);
	/* Whoever may not see it cannot decide it either. */
	assert_violation(push(f, &f->coordinator, decide(f, &d, "resolution=mine")), "GONE");
	push(f, &f->facilitator, raise(f, &d.about, SEVE__LEVEL__LEVEL_PUBLIC));
	assert_int_equal(record(f, &d.conflict)->level, SEVE__LEVEL__LEVEL_PUBLIC);
}

/* One mutation moves the level and clashes softly: what it keeps is of the new level, and whoever
 * could read the conflict before is told to forget it. */
static void what_clashes_while_its_record_is_closed_is_closed_too(void **state)
{
	struct fixture *f = *state;
	struct uuid a = known(f, "action");
	const struct world_record *x;
	const Seve__Verdict *v;
	Seve__Change *c;

	push(f, &f->coordinator, update(f, &a, 1, "title=Palettes", NULL));
	v = push(f, &f->facilitator, update(f, &a, 1, "title=Cartons", NULL));
	x = kept(f, v, 0);
	assert_int_equal(x->level, SEVE__LEVEL__LEVEL_NETWORK);
	c = raise(f, &a, SEVE__LEVEL__LEVEL_TEAM);
	c->set->action->title = arena_strdup(&f->arena, "Caisses");
	c->mask[c->n_mask++] = 1;
	c->base_rev = 1;
	v = push(f, &f->facilitator, c);
	assert_int_equal(v->code, SEVE__VERDICT__CODE__MERGED);
	assert_ptr_equal(kept(f, v, 0), x);
	assert_int_equal(record(f, &a)->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(x->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(x->body->meta->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(x->narrowed_rev, record(f, &a)->rev + 1);
	assert_sides(x->body->conflict, "title", "Compost", "Caisses", "Palettes");
}

static void a_clash_on_a_closed_record_makes_a_closed_conflict(void **state)
{
	struct fixture *f = *state;
	struct apply_author tablet = f->facilitator;
	struct uuid actor = make(f, "actor", "name=Laiterie", NULL);
	struct uuid id =
		make(f, "contact", "name=Personne d'Essai", pair_id(f, "actor_id", &actor));
	const Seve__Verdict *v;
	Seve__Change *c;

	tablet.client = uuid_v7();
	tablet.client_short = 9;
	push(f, &f->facilitator, update(f, &id, 2, "role=directrice", NULL));
	c = update(f, &id, 2, "role=trésorière", NULL);
	v = apply(f, &tablet, mutation(f, 1, 1, &c));
	assert_int_equal(kept(f, v, 0)->level, SEVE__LEVEL__LEVEL_TEAM);
}

/* ---- size ----------------------------------------------------------------------------------- */

static char *long_text(struct fixture *f, const char *field, char letter, size_t n)
{
	char *text = arena_alloc(&f->arena, strlen(field) + n + 2);

	snprintf(text, strlen(field) + 2, "%s=", field);
	memset(text + strlen(field) + 1, letter, n);
	text[strlen(field) + 1 + n] = '\0';
	return text;
}

static void what_is_too_long_loses_base_and_theirs_but_never_mine(void **state)
{
	struct fixture *f = *state;
	struct uuid id = known(f, "action");
	const char *const fields[] = {"title", "next_step", "description"};
	const Seve__Conflict *x;
	Seve__Change *c;
	struct err e;

	for (char who = 'a'; who < 'c'; who++) {
		c = change(f, UPDATE, "action", &id, 1, long_text(f, fields[0], who, 15000),
			   long_text(f, fields[1], who, 15000), long_text(f, fields[2], who, 15000),
			   NULL);
		if (who == 'a') {
			push(f, &f->coordinator, c);
			continue;
		}
		x = conflict(f, push(f, &f->facilitator, c), 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(strlen(field(x, fields[i])->mine), 15000);
		assert_true(x->shortened);
		assert_true(protobuf_c_message_get_packed_size(&x->base) <= APPLY_RECORD_MAX);
		Seve__Conflict copy = *x;
		assert_int_equal(conflict_shorten(&f->arena, &copy, 20000, &e), -ERR_TOO_BIG);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		T(each_class_of_field_clashes_in_its_way),
		T(members_of_sets_never_clash_but_are_held_back_with_what_does),
		T(a_conflict_tells_who_and_when_on_both_sides),
		T(the_base_is_what_the_authors_own_last_edit_left),
		T(an_edit_of_what_is_deleted_is_kept),
		T(a_deletion_of_what_was_edited_is_kept),
		T(a_deleted_record_that_conflicts_speak_of_can_still_go),
		T(a_clash_holds_the_whole_mutation_back_and_keeps_each_record),
		T(a_refusal_goes_before_a_conflict),
		T(two_updates_of_a_record_in_one_mutation_are_both_seen_by_others),
		T(later_edits_of_the_same_outbox_fold_into_the_open_conflict),
		T(what_builds_upon_a_creation_that_is_held_folds_too),
		T(another_clients_clash_is_another_conflict),
		T(a_conflict_of_an_earlier_release_is_the_clients_still),
		T(the_same_mutation_again_changes_nothing),
		T(a_resolution_edits_the_record_and_closes_the_conflict),
		T(two_who_resolve_at_once_conflict_again),
		T(a_decision_of_ones_own_that_clashes_goes_back_into_its_conflict),
		T(a_decision_without_an_edit_that_comes_too_late_is_refused),
		T(a_conflict_that_has_grown_meanwhile_is_not_closed_unseen),
		T(after_a_resolution_a_new_clash_is_a_new_conflict),
		T(a_deletion_is_decided_with_it_in_one_mutation),
		T(nothing_but_a_resolution_is_written_by_hand),
		T(who_may_not_write_the_record_may_not_decide),
		T(a_conflict_is_of_the_level_of_its_record_and_follows_it),
		T(what_clashes_while_its_record_is_closed_is_closed_too),
		T(a_clash_on_a_closed_record_makes_a_closed_conflict),
		T(what_is_too_long_loses_base_and_theirs_but_never_mine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

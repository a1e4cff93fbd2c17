/* test_apply.c -- the decision core against a world that is its own database: one world, many jobs.
 */
#include "scene.h"

#include "wire.h"

/* ---- creations and updates
 * -------------------------------------------------------------------------- */

static void a_creation_gets_revs_references_and_defaults(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL),
		    b = make(f, "action", "title=Palettes", NULL);

	assert_int_equal(record(f, &a)->rev, 1);
	assert_int_equal(record(f, &b)->rev, 2);
	assert_int_equal(record(f, &a)->ref_no, 1);
	assert_int_equal(record(f, &b)->ref_no, 2);
	assert_int_equal(record(f, &a)->level, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(record(f, &a)->body->action->status, SEVE__ACTION__STATUS__STATUS_IDEA);
	assert_string_equal(record(f, &a)->body->meta->created_by, "anne");
}

static void edits_of_different_fields_merge(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	const Seve__Verdict *v;

	push(f, &f->coordinator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "status=lead", NULL));
	v = push(
		f, &f->facilitator,
		change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "next_step=Appeler", NULL));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__MERGED);
	assert_int_equal(record(f, &a)->body->action->status, SEVE__ACTION__STATUS__STATUS_LEAD);
	assert_string_equal(record(f, &a)->body->action->next_step, "Appeler");
	assert_non_null(v->outcomes[0]->body);
}

static void a_record_tells_since_when_it_is_in_its_state(void **state)
{
	struct fixture *f = *state;
	struct uuid id = make(f, "action", "title=Chaleur", "status=lead");
	const int64_t made = f->world.now_ms;

	assert_int_equal(record(f, &id)->body->meta->state_at, made);
	f->world.now_ms += 1000;
	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &id, record(f, &id)->rev,
		    "next_step=Appeler", NULL));
	assert_int_equal(record(f, &id)->body->meta->updated_at, made + 1000);
	assert_int_equal(record(f, &id)->body->meta->state_at, made);
	f->world.now_ms += 1000;
	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &id, record(f, &id)->rev,
		    "status=planned", NULL));
	assert_int_equal(record(f, &id)->body->meta->state_at, made + 2000);
}

static void a_clash_on_a_hard_field_leaves_the_record_alone(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	const Seve__Verdict *v;

	push(f, &f->coordinator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "target_on=2027-01-01", NULL));
	v = push(f, &f->facilitator,
		 change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "target_on=2027-06-01",
			"next_step=X", NULL));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_null(record(f, &a)->body->action->next_step);
	assert_int_equal(record(f, &a)->rev, 2);
	assert_int_equal(v->outcomes[0]->n_clash, 1);
}

static void ones_own_edits_never_conflict(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	const Seve__Verdict *v = NULL;

	for (int i = 0; i < 5; i++) {
		char pair[32];

		snprintf(pair, sizeof pair, "target_on=2027-01-0%d", i + 1);
		v = push(f, &f->facilitator,
			 change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, pair, NULL));
	}
	assert_int_equal(v->code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(record(f, &a)->rev, 6);
}

/* Its rev may be another's, of which the author has seen nothing. */
static void a_record_that_was_so_already_comes_with_its_body(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL), b = uuid_v7();
	Seve__Change *changes[2];
	const Seve__Verdict *v;

	push(f, &f->coordinator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "title=Palettes",
		    "next_step=Appeler", NULL));
	changes[0] = change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &b, 0, "title=Broyeur", NULL);
	changes[1] =
		change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "title=Palettes", NULL);
	v = apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, changes));
	assert_int_equal(v->code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(v->outcomes[1]->rev, 2);
	assert_string_equal(v->outcomes[1]->body->action->next_step, "Appeler");
}

static void an_equal_value_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	const Seve__Verdict *v = push(
		f, &f->coordinator,
		change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "title=Compost", NULL));

	assert_int_equal(v->code, SEVE__VERDICT__CODE__UNCHANGED);
	assert_int_equal(record(f, &a)->rev, 1);
}

static void an_update_of_nothing_is_gone(void **state)
{
	struct fixture *f = *state;
	struct uuid nobody = uuid_v7();

	assert_violation(
		push(f, &f->facilitator,
		     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &nobody, 3, "title=X", NULL)),
		"GONE");
}

static void the_second_change_of_a_mutation_takes_the_first_with_it(void **state)
{
	struct fixture *f = *state;
	struct uuid a = uuid_v7(), b = uuid_v7();
	Seve__Change *list[] = {
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "title=Good", NULL),
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &b, 0, "progress=12", NULL)};

	assert_violation(apply(f, &f->facilitator, mutation(f, 1, 2, list)), "REQUIRED");
	assert_false(record(f, &a)->exists);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, 0);
}

/* ---- order and replay
 * ----------------------------------------------------------------------------------- */

static void a_mutation_sent_twice_is_applied_once(void **state)
{
	struct fixture *f = *state;
	struct uuid a = uuid_v7();
	Seve__Change *c =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "title=Once", NULL);
	Seve__Mutation *m = mutation(f, 1, 1, &c);
	const Seve__Verdict *first = apply(f, &f->facilitator, m),
			    *again = apply(f, &f->facilitator, m);

	assert_ptr_equal(first, again);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, 1);
}

static void a_mid_does_not_serve_twice(void **state)
{
	struct fixture *f = *state;
	struct uuid a = uuid_v7();
	Seve__Change *c =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "title=One", NULL);
	Seve__Change *d =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "title=Two", NULL);
	struct apply_job j = {.territory = TERRITORY,
			      .author = f->facilitator,
			      .mutation = mutation(f, 1, 1, &d)};

	apply(f, &f->facilitator, mutation(f, 1, 1, &c));
	assert_int_equal(apply_job(&f->world, &j, &f->err), -ERR_MID_REUSED);
}

static void a_gap_in_mids_is_refused(void **state)
{
	struct fixture *f = *state;
	struct uuid a = uuid_v7();
	Seve__Change *c =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "title=One", NULL);
	struct apply_job j = {.territory = TERRITORY,
			      .author = f->facilitator,
			      .mutation = mutation(f, 3, 1, &c)};

	assert_int_equal(apply_job(&f->world, &j, &f->err), -ERR_OUT_OF_ORDER);
}

static void what_depends_on_a_rejected_mutation_is_rejected(void **state)
{
	struct fixture *f = *state;
	struct uuid a = uuid_v7();
	Seve__Change *child;
	const Seve__Verdict *v;

	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_CREATE, "action", &a, 0, "progress=5", NULL));
	child = change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 0, "title=X", NULL);
	child->base_mid = 1;
	child->has_base_mid = true;
	v = push(f, &f->facilitator, child);
	assert_violation(v, "DEPENDS");
	assert_int_equal(v->depends_on_mid, 1);
}

/* ---- references, deletion, rights
 * --------------------------------------------------------------------------- */

static void a_reference_must_point_at_a_record_of_the_right_kind(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL), nobody = uuid_v7(), x = uuid_v7();

	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_CREATE, "task", &x, 0, "text=T",
				     pair_id(f, "action_id", &nobody), NULL)),
			 "REFERENCE");
	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1,
				     pair_id(f, "pilot_id", &a), NULL)),
			 "REFERENCE");
}

static void a_record_that_others_point_at_is_not_deleted_alone(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	struct uuid t = make(f, "task", "text=Do", pair_id(f, "action_id", &a));
	Seve__Change *both[] = {change(f, SEVE__CHANGE__OP__OP_DELETE, "action", &a, 2, NULL),
				change(f, SEVE__CHANGE__OP__OP_DELETE, "task", &t, 2, NULL)};

	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_DELETE, "action", &a, 2, NULL)),
			 "RESTRICTED");
	assert_int_equal(apply(f, &f->facilitator, mutation(f, ++f->mids[0], 2, both))->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_true(record(f, &a)->deleted);
}

static void a_deletion_that_has_not_seen_an_edit_conflicts(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);

	push(f, &f->coordinator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "status=lead", NULL));
	assert_int_equal(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_DELETE, "action", &a, 1, NULL))
				 ->code,
			 SEVE__VERDICT__CODE__CONFLICT);
	assert_false(record(f, &a)->deleted);
}

static void a_deleted_record_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);

	push(f, &f->facilitator, change(f, SEVE__CHANGE__OP__OP_DELETE, "action", &a, 1, NULL));
	assert_int_equal(
		push(f, &f->facilitator,
		     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "title=Y", NULL))
			->code,
		SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_RESTORE, "action", &a, 2, NULL))
				 ->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_string_equal(record(f, &a)->body->action->title, "Compost");
	assert_int_equal(record(f, &a)->ref_no, 1);
}

static void a_record_deleted_in_a_later_state_comes_back_in_it(void **state)
{
	struct fixture *f = *state;
	struct uuid t = make(f, "task", "text=Appeler", NULL);

	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "task", &t, 1, "state=done", NULL));
	push(f, &f->facilitator, change(f, SEVE__CHANGE__OP__OP_DELETE, "task", &t, 2, NULL));
	assert_int_equal(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_RESTORE, "task", &t, 3, NULL))
				 ->code,
			 SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(record(f, &t)->body->task->state, SEVE__TASK__STATE__STATE_DONE);
}

static void roles_write_what_the_table_says(void **state)
{
	struct fixture *f = *state;
	struct uuid actor = make(f, "actor", "name=Menuiserie", NULL), m = uuid_v7();

	assert_violation(push(f, &f->coordinator,
			      change(f, SEVE__CHANGE__OP__OP_CREATE, "contact", &m, 0, "name=X",
				     pair_id(f, "actor_id", &actor), NULL)),
			 "DENIED");
	assert_violation(
		push(f, &f->importer,
		     change(f, SEVE__CHANGE__OP__OP_UPDATE, "actor", &actor, 1, "name=Y", NULL)),
		"DENIED");
}

static void a_siret_stands_once_in_a_territory(void **state)
{
	struct fixture *f = *state;
	struct uuid b = uuid_v7();

	make(f, "actor", "name=Un", "siret=35600000000048");
	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_CREATE, "actor", &b, 0, "name=Deux",
				     "siret=35600000000048", NULL)),
			 "UNIQUE");
}

/* ---- rule H4 over the batch's own facts
 * ------------------------------------------------------------------------ */

static void position(struct fixture *f, const struct uuid *actor, const struct uuid *action,
		     const char *stance)
{
	struct uuid id = uuid_v7();

	assert_int_equal(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_CREATE, "position", &id, 0,
				     pair_id(f, "actor_id", actor), pair_id(f, "action_id", action),
				     stance, NULL))
				 ->code,
			 SEVE__VERDICT__CODE__APPLIED);
}

static void an_action_starts_only_with_two_actors_and_one_pilot(void **state)
{
	struct fixture *f = *state;
	struct uuid one = make(f, "actor", "name=Un", NULL),
		    two = make(f, "actor", "name=Deux", NULL);
	struct uuid a = make(f, "action", "title=Compost", NULL);
	static const char *const path[] = {"status=lead", "status=planned", "status=selected"};

	for (size_t i = 0; i < 3; i++)
		push(f, &f->facilitator,
		     change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 3, path[i], NULL));
	position(f, &one, &a, "stance=pilot");
	assert_violation(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 3,
				     "status=in_progress", NULL)),
			 "H4");
	position(f, &two, &a, "stance=contributor");
	assert_int_equal(push(f, &f->facilitator,
			      change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 3,
				     "status=in_progress", NULL))
				 ->code,
			 SEVE__VERDICT__CODE__APPLIED);
}

static void a_forbidden_move_names_the_allowed_ones(void **state)
{
	struct fixture *f = *state;
	struct uuid a = make(f, "action", "title=Compost", NULL);
	const Seve__Verdict *v = push(
		f, &f->facilitator,
		change(f, SEVE__CHANGE__OP__OP_UPDATE, "action", &a, 1, "status=selected", NULL));

	assert_violation(v, "STATE");
	assert_non_null(strstr(v->violations[0]->text, "lead"));
}

/* ---- imports
 * -------------------------------------------------------------------------------------------------------
 */

static const Seve__RowVerdict *row(struct fixture *f, const char *source, const char *key,
				   unsigned flags, const char *name, const char *other)
{
	Seve__ImportRow *r = arena_alloc(&f->arena, sizeof *r);
	struct uuid any = uuid_v7();
	Seve__Change *c =
		change(f, SEVE__CHANGE__OP__OP_CREATE, "actor", &any, 0, name, other, NULL);
	struct apply_job j = {.territory = TERRITORY, .author = f->importer};

	seve__import_row__init(r);
	r->key = arena_strdup(&f->arena, key);
	r->set = c->set;
	r->mask = c->mask;
	r->n_mask = c->n_mask;
	r->revive = (flags & 1) != 0;
	r->remove = (flags & 2) != 0;
	j.author.source = source;
	j.import = (struct apply_import){kind_by_name("actor"), source, r, NULL};
	assert_int_equal(apply_job(&f->world, &j, &f->err), 0);
	return j.row;
}

static struct uuid row_id(const Seve__RowVerdict *v)
{
	struct uuid id;

	memcpy(id.b, v->id.data, 16);
	return id;
}

static void a_second_import_writes_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(row(f, "cci", "1", 0, "name=Un", "siret=35600000000048")->code,
			 SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(row(f, "cci", "1", 0, "name=Un", "siret=35600000000048")->code,
			 SEVE__ROW_VERDICT__CODE__UNCHANGED);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, 1);
	assert_int_equal(row(f, "cci", "1", 0, "name=Une", "siret=35600000000048")->code,
			 SEVE__ROW_VERDICT__CODE__UPDATED);
}

static const Seve__RowVerdict *row_level(struct fixture *f, const char *key, const char *name,
					 int level)
{
	Seve__ImportRow *r = arena_alloc(&f->arena, sizeof *r);
	struct uuid any = uuid_v7();
	Seve__Change *c = change(f, SEVE__CHANGE__OP__OP_CREATE, "actor", &any, 0, name, NULL);
	struct apply_job j = {.territory = TERRITORY, .author = f->importer};
	uint32_t *mask = arena_array(&f->arena, c->n_mask + 1, sizeof *mask);

	memcpy(mask, c->mask, c->n_mask * sizeof *mask);
	mask[c->n_mask] = 10001;
	seve__import_row__init(r);
	r->key = arena_strdup(&f->arena, key);
	r->set = c->set;
	if (!r->set->meta) {
		r->set->meta = arena_alloc(&f->arena, sizeof *r->set->meta);
		seve__meta__init(r->set->meta);
	}
	r->set->meta->has_level = true;
	r->set->meta->level = (Seve__Level)level;
	r->mask = mask;
	r->n_mask = c->n_mask + 1;
	j.author.source = "cci";
	j.import = (struct apply_import){kind_by_name("actor"), "cci", r, NULL};
	assert_int_equal(apply_job(&f->world, &j, &f->err), 0);
	return j.row;
}

static void an_import_sets_the_level_within_its_rights(void **state)
{
	struct fixture *f = *state;
	const Seve__RowVerdict *v = row_level(f, "1", "name=Un", SEVE__LEVEL__LEVEL_PUBLIC);
	struct uuid id = row_id(v);

	assert_int_equal(v->code, SEVE__ROW_VERDICT__CODE__CREATED);
	assert_int_equal(record(f, &id)->level, SEVE__LEVEL__LEVEL_PUBLIC);
	assert_int_equal(row_level(f, "1", "name=Un", SEVE__LEVEL__LEVEL_PUBLIC)->code,
			 SEVE__ROW_VERDICT__CODE__UNCHANGED);
	assert_int_equal(row_level(f, "1", "name=Un", SEVE__LEVEL__LEVEL_NETWORK)->code,
			 SEVE__ROW_VERDICT__CODE__UPDATED);
	assert_int_equal(record(f, &id)->level, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(record(f, &id)->narrowed_rev, 2);
	/* Above what the importer may read, and what is no level at all. */
	for (int level = SEVE__LEVEL__LEVEL_TEAM; level < 9; level += 4) {
		v = row_level(f, "2", "name=Deux", level);
		assert_int_equal(v->code, SEVE__ROW_VERDICT__CODE__REJECTED);
		assert_string_equal(v->violations[0]->field, "level");
	}
	assert_int_equal(row_level(f, "3", "name=Trois", -1)->code,
			 SEVE__ROW_VERDICT__CODE__REJECTED);
	/* What was set here since is kept. */
	Seve__Change *c = change(f, SEVE__CHANGE__OP__OP_UPDATE, "actor", &id, 2, NULL);
	uint32_t mask[] = {10001};
	Seve__Meta meta = SEVE__META__INIT;

	meta.has_level = true;
	meta.level = SEVE__LEVEL__LEVEL_TEAM;
	c->mask = mask;
	c->n_mask = 1;
	c->set->meta = &meta;
	assert_int_equal(push(f, &f->facilitator, c)->code, SEVE__VERDICT__CODE__APPLIED);
	v = row_level(f, "1", "name=Un", SEVE__LEVEL__LEVEL_PUBLIC);
	assert_string_equal(v->warnings[0]->code, "KEPT");
	assert_int_equal(record(f, &id)->level, SEVE__LEVEL__LEVEL_TEAM);
}

static void what_was_edited_here_is_kept_and_reported(void **state)
{
	struct fixture *f = *state;
	struct uuid id = row_id(row(f, "cci", "1", 0, "name=Un", "commune=Dinan"));
	const Seve__RowVerdict *v;

	push(f, &f->facilitator,
	     change(f, SEVE__CHANGE__OP__OP_UPDATE, "actor", &id, 1, "name=Notre nom", NULL));
	v = row(f, "cci", "1", 0, "name=Un bis", "commune=Rennes");
	assert_int_equal(v->code, SEVE__ROW_VERDICT__CODE__UPDATED);
	assert_int_equal(v->n_warnings, 1);
	assert_string_equal(v->warnings[0]->code, "KEPT");
	assert_string_equal(record(f, &id)->body->actor->name, "Notre nom");
	assert_string_equal(record(f, &id)->body->actor->commune, "Rennes");
}

static void another_source_attaches_to_the_same_siret(void **state)
{
	struct fixture *f = *state;
	struct uuid first = row_id(row(f, "cci", "1", 0, "name=Un", "siret=35600000000048"));
	const Seve__RowVerdict *v = row(f, "insee", "x9", 0, "name=UN SA", "siret=35600000000048");
	struct uuid second = row_id(v);

	assert_int_equal(v->code, SEVE__ROW_VERDICT__CODE__ATTACHED);
	assert_int_equal(uuid_cmp(&first, &second), 0);
	assert_int_equal(record(f, &first)->body->meta->n_refs, 2);
	assert_string_equal(record(f, &first)->body->actor->name, "Un");
}

static void a_row_deleted_here_stays_deleted_until_revived(void **state)
{
	struct fixture *f = *state;
	struct uuid id = row_id(row(f, "cci", "1", 0, "name=Un", NULL));

	push(f, &f->facilitator, change(f, SEVE__CHANGE__OP__OP_DELETE, "actor", &id, 1, NULL));
	assert_int_equal(row(f, "cci", "1", 0, "name=Deux", NULL)->code,
			 SEVE__ROW_VERDICT__CODE__SKIPPED);
	assert_int_equal(row(f, "cci", "1", 1, "name=Deux", NULL)->code,
			 SEVE__ROW_VERDICT__CODE__UPDATED);
	assert_string_equal(record(f, &id)->body->actor->name, "Deux");
}

static void a_row_without_key_or_with_a_wrong_value_is_rejected(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(row(f, "cci", "", 0, "name=Un", NULL)->code,
			 SEVE__ROW_VERDICT__CODE__REJECTED);
	assert_int_equal(row(f, "cci", "2", 0, "name=Un", "siret=123")->code,
			 SEVE__ROW_VERDICT__CODE__REJECTED);
	assert_int_equal(world_head(&f->world, TERRITORY, false)->rev, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		T(a_creation_gets_revs_references_and_defaults),
		T(edits_of_different_fields_merge),
		T(a_record_tells_since_when_it_is_in_its_state),
		T(a_clash_on_a_hard_field_leaves_the_record_alone),
		T(ones_own_edits_never_conflict),
		T(an_equal_value_changes_nothing),
		T(a_record_that_was_so_already_comes_with_its_body),
		T(an_update_of_nothing_is_gone),
		T(the_second_change_of_a_mutation_takes_the_first_with_it),
		T(a_mutation_sent_twice_is_applied_once),
		T(a_mid_does_not_serve_twice),
		T(a_gap_in_mids_is_refused),
		T(what_depends_on_a_rejected_mutation_is_rejected),
		T(a_reference_must_point_at_a_record_of_the_right_kind),
		T(a_record_that_others_point_at_is_not_deleted_alone),
		T(a_deletion_that_has_not_seen_an_edit_conflicts),
		T(a_deleted_record_comes_back_as_it_was),
		T(a_record_deleted_in_a_later_state_comes_back_in_it),
		T(roles_write_what_the_table_says),
		T(a_siret_stands_once_in_a_territory),
		T(an_action_starts_only_with_two_actors_and_one_pilot),
		T(a_forbidden_move_names_the_allowed_ones),
		T(a_second_import_writes_nothing),
		T(an_import_sets_the_level_within_its_rights),
		T(what_was_edited_here_is_kept_and_reported),
		T(another_source_attaches_to_the_same_siret),
		T(a_row_deleted_here_stays_deleted_until_revived),
		T(a_row_without_key_or_with_a_wrong_value_is_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

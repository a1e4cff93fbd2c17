/* test_conflict_own.c -- conflicts and those who write only what belongs to their actor or action:
 * they decide what was held back of their own. */
#include "scene.h"

#define UPDATE SEVE__CHANGE__OP__OP_UPDATE

struct own {
	struct apply_author pilot, partner;
	struct uuid action, other, actor;
};

static struct own own(struct fixture *f)
{
	static struct uuid piloted;
	struct own o = {.action = make(f, "action", "title=Compost", NULL),
			.other = make(f, "action", "title=Palettes", NULL),
			.actor = make(f, "actor", "name=Scierie", "category=company")};

	piloted = o.action;
	o.pilot = (struct apply_author){.account = "paul",
					.client = uuid_v7(),
					.client_short = 7,
					.reads = SEVE__LEVEL__LEVEL_NETWORK,
					.own = KIND_BY_L,
					.piloted = &piloted,
					.n_piloted = 1};
	o.partner = (struct apply_author){.account = "sylvie",
					  .client = uuid_v7(),
					  .client_short = 8,
					  .reads = SEVE__LEVEL__LEVEL_NETWORK,
					  .own = KIND_BY_P,
					  .actor = o.actor};
	return o;
}

static const Seve__Verdict *say(struct fixture *f, const struct apply_author *who, uint64_t mid,
				Seve__Change *c)
{
	return apply(f, who, mutation(f, mid, 1, &c));
}

static void made(const Seve__Verdict *v)
{
	if (v->code != SEVE__VERDICT__CODE__APPLIED)
		fail_msg("%s", v->n_violations ? v->violations[0]->text : "not applied");
}

static struct uuid kept(const Seve__Verdict *v)
{
	struct uuid id;

	assert_int_equal(v->code, SEVE__VERDICT__CODE__CONFLICT);
	assert_int_equal(v->outcomes[0]->conflict_id.len, sizeof id.b);
	memcpy(id.b, v->outcomes[0]->conflict_id.data, sizeof id.b);
	return id;
}

static Seve__Change *decide(struct fixture *f, const struct uuid *conflict)
{
	return change(f, UPDATE, "conflict", conflict, record(f, conflict)->rev, "state=resolved",
		      "resolution=theirs", NULL);
}

/* Two edits of one field of the record, `who` second. */
static struct uuid clash(struct fixture *f, const struct apply_author *who, uint64_t mid,
			 const struct uuid *id, const char *first, const char *second)
{
	const struct world_record *r = record(f, id);
	const char *kind = r->kind->name;
	const uint64_t base = r->rev;

	push(f, &f->facilitator, change(f, UPDATE, kind, id, base, first, NULL));
	return kept(say(f, who, mid, change(f, UPDATE, kind, id, base, second, NULL)));
}

static void a_pilot_decides_what_was_held_back_of_the_own_action(void **state)
{
	struct fixture *f = *state;
	struct own o = own(f);
	const struct uuid x = clash(f, &o.pilot, 1, &o.action, "status=lead", "status=abandoned");

	assert_int_equal(say(f, &o.pilot, 2, decide(f, &x))->code, SEVE__VERDICT__CODE__APPLIED);
	assert_int_equal(record(f, &x)->body->conflict->state,
			 SEVE__CONFLICT__STATE__STATE_RESOLVED);
	assert_string_equal(record(f, &x)->body->conflict->resolved_by, "paul");
}

static void a_partner_decides_what_was_held_back_of_the_own_actor(void **state)
{
	struct fixture *f = *state;
	struct own o = own(f);
	struct uuid id = uuid_v7();

	made(push(f, &f->facilitator,
		  change(f, SEVE__CHANGE__OP__OP_CREATE, "resource", &id, 0,
			 pair_id(f, "actor_id", &o.actor), "label=Sciure", "stance=need",
			 "family=energy", "state=draft", NULL)));
	const struct uuid x = clash(f, &o.partner, 1, &id, "stance=capacity", "stance=opportunity");

	assert_int_equal(say(f, &o.partner, 2, decide(f, &x))->code, SEVE__VERDICT__CODE__APPLIED);
}

/* Of another's edit, or of a record out of reach, they decide nothing. */
static void what_others_wrote_or_own_is_not_decided(void **state)
{
	struct fixture *f = *state;
	struct own o = own(f);
	struct apply_author tablet = f->facilitator;
	struct uuid x;

	tablet.client = uuid_v7();
	tablet.client_short = 9;
	x = clash(f, &tablet, 1, &o.action, "status=lead", "status=abandoned");
	assert_violation(say(f, &o.pilot, 1, decide(f, &x)), "DENIED");
	x = clash(f, &o.pilot, 2, &o.action, "status=planned", "status=abandoned");
	o.pilot.piloted = &o.other;
	assert_violation(say(f, &o.pilot, 3, decide(f, &x)), "DENIED");
	assert_violation(say(f, &o.partner, 1, decide(f, &x)), "DENIED");
	assert_int_equal(record(f, &x)->body->conflict->state, SEVE__CONFLICT__STATE__STATE_OPEN);
}

static void a_conflict_is_neither_made_nor_deleted_by_them(void **state)
{
	struct fixture *f = *state;
	struct own o = own(f);
	struct uuid made = uuid_v7();
	const struct uuid x = clash(f, &o.pilot, 1, &o.action, "status=lead", "status=abandoned");

	assert_violation(say(f, &o.pilot, 2,
			     change(f, SEVE__CHANGE__OP__OP_CREATE, "conflict", &made, 0,
				    "state=open", NULL)),
			 "ONLINE");
	assert_violation(say(f, &o.pilot, 3,
			     change(f, SEVE__CHANGE__OP__OP_DELETE, "conflict", &x,
				    record(f, &x)->rev, NULL)),
			 "DENIED");
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		ROW(a_pilot_decides_what_was_held_back_of_the_own_action),
		ROW(a_partner_decides_what_was_held_back_of_the_own_actor),
		ROW(what_others_wrote_or_own_is_not_decided),
		ROW(a_conflict_is_neither_made_nor_deleted_by_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

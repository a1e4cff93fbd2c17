/* test_views.c -- progress, story, digest, figures, readiness: over small networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "digest.h"
#include "figures.h"
#include "progress.h"
#include "readiness.h"
#include "territory.h"
#include "text.h"
#include "trace.h"

static struct made made;

static int setup(void **state)
{
	(void)state;
	made_init(&made);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	made_fini(&made);
	return 0;
}

static const char *with(const char *field, const char *value)
{
	return arena_printf(&made.arena, "%s=%s", field, value);
}

/* ---- progress -----------------------------------------------------------------------------------
 */

static struct phase phases[PHASES];

static void progress(void)
{
	struct err e = {0};

	assert_int_equal(progress_make(&made.net, 1, &made.arena, phases, &e), 0);
}

static bool is_missing(unsigned phase, const char *what)
{
	for (size_t i = 0; i < phases[phase].n_missing; i++)
		if (strcmp(phases[phase].missing[i], what) == 0)
			return true;
	return false;
}

static void an_empty_territory_lacks_everything_and_the_first_phase_stands_in_the_way(void **state)
{
	(void)state;
	made_seal(&made);
	progress();
	assert_int_equal(phases[0].blocked_by, -1);
	for (int i = 0; i < PHASES; i++)
		assert_false(phases[i].complete);
	for (int i = 1; i < PHASES; i++)
		assert_int_equal(phases[i].blocked_by, 0);
	assert_true(is_missing(1, "authority_interview") && is_missing(3, "threat") &&
		    is_missing(4, "workshop_1") && is_missing(4, "plan") &&
		    is_missing(5, "workshop_2"));
}

static void a_territory_goes_through_its_phases(void **state)
{
	const char *a = made_add(&made, 1, "actor", "name=A", "state=member", "ref=1", NULL);
	const char *b = made_add(&made, 1, "actor", "name=B", "state=member", "ref=2", NULL);
	static const char *const quadrants[] = {"strength", "weakness", "opportunity", "threat"};

	(void)state;
	made_add(&made, 1, "actor", "name=Prospect", "state=prospect", "ref=3", NULL);
	made_add(&made, 1, "actor", "name=Nouveau", "state=candidate", "wave=1", "ref=4", NULL);
	made_add(&made, 1, "interview", with("actor_id", a), "kind=public_authority",
		 "state=approved", NULL);
	made_add(&made, 1, "interview", with("actor_id", a), "kind=site_visit", "state=done", NULL);
	made_add(&made, 1, "interview", with("actor_id", b), "kind=site_visit", "state=planned",
		 NULL);
	for (int i = 0; i < 4; i++)
		made_add(&made, 1, "swot_entry", "as_of_on=2026-01-01",
			 with("quadrant", quadrants[i]), "text=x", NULL);
	made_add(&made, 1, "meeting", "kind=workshop", "number=1", "state=closed", NULL);
	made_add(&made, 1, "meeting", "kind=workshop", "number=2", "state=held", NULL);
	made_add(&made, 1, "action", "title=Traitée", "status=planned", "treatment=to_document",
		 "low_hanging=yes", "ref=1", NULL);
	made_add(&made, 1, "action", "title=Pas traitée", "status=lead", "ref=2", NULL);
	made_add(&made, 1, "group", "name=G", "state=concluded", "ref=1", NULL);
	/* another territory changes nothing */
	made_add(&made, 2, "actor", "name=Ailleurs", "state=candidate", "ref=9", NULL);
	made_seal(&made);
	progress();
	assert_true(phases[0].complete && phases[0].done == 2 && phases[0].of == 2);
	assert_true(phases[1].complete);
	assert_false(phases[2].complete);
	assert_true(is_missing(2, "A-2") && phases[2].n_missing == 1);
	assert_true(phases[3].complete && phases[3].blocked_by == 2);
	assert_false(phases[4].complete);
	assert_true(is_missing(4, "P-2") && phases[4].n_missing == 1);
	assert_true(is_missing(5, "workshop_2") && is_missing(5, "P-1"));
	assert_true(phases[6].complete);
	assert_false(phases[7].complete);
}

/* ---- the story ----------------------------------------------------------------------------------
 */

static struct trace_event *story;
static size_t n_story;

static void tell(const char *title)
{
	struct err e = {0};

	assert_int_equal(
		trace_make(&made.net, made_find(&made, title), &made.arena, &story, &n_story, &e),
		0);
}

static size_t told(enum trace_stage s)
{
	size_t n = 0;

	for (size_t i = 0; i < n_story; i++)
		n += story[i].stage == s;
	return n;
}

static void a_story_goes_from_the_visit_to_the_benefit_also_across_a_merger(void **state)
{
	const char *a = made_add(&made, 1, "actor", "name=Laiterie", NULL);
	const char *v = made_add(&made, 1, "interview", with("actor_id", a), "kind=site_visit",
				 "held_on=2026-01-10", "state=done", NULL);
	const char *p = made_add(&made, 1, "problem", with("actor_id", a), with("interview_id", v),
				 "statement=Boues", NULL);
	const char *r = made_add(&made, 1, "resource", with("actor_id", a), with("problem_id", p),
				 "stance=need", "family=water", "label=Eau tiède", NULL);
	const char *w =
		made_add(&made, 1, "meeting", "kind=workshop", "number=1", "title=Atelier 1", NULL);
	const char *w2 =
		made_add(&made, 1, "meeting", "kind=workshop", "number=2", "title=Atelier 2", NULL);
	const char *one = made_add(&made, 1, "action", "title=Boucle d'eau", NULL);
	const char *two = made_add(&made, 1, "action", "title=Eaux grises", with("source_ids", r),
				   with("merged_into_id", one), "status=merged", NULL);
	const char *g =
		made_add(&made, 1, "group", "name=Groupe eau", with("action_ids", one), NULL);

	(void)state;
	made_add(&made, 1, "action", "title=Encore avant", with("merged_into_id", two),
		 "status=merged", NULL);
	made_add(&made, 1, "idea", "text=Et si on bouclait ?", with("meeting_id", w),
		 with("action_id", two), NULL);
	made_add(&made, 1, "decision", with("meeting_id", w2), with("action_id", one),
		 "outcome=selected", NULL);
	made_add(&made, 1, "meeting", "kind=group", with("group_id", g), "title=Réunion", NULL);
	made_add(&made, 1, "benefit", with("action_id", one), "measure=water_m3", "value=1200",
		 "certainty=measured", NULL);
	made_add(&made, 1, "action", "title=Étrangère", NULL);
	made_seal(&made);
	tell("Boucle d'eau");
	assert_int_equal(told(TRACE_VISIT), 1);
	assert_int_equal(told(TRACE_PROBLEM), 1);
	assert_int_equal(told(TRACE_RESOURCE), 1);
	assert_int_equal(told(TRACE_WORKSHOP), 2);
	assert_int_equal(told(TRACE_IDEA), 1);
	assert_int_equal(told(TRACE_ACTION), 3);
	assert_int_equal(told(TRACE_DECISION), 1);
	assert_int_equal(told(TRACE_GROUP), 1);
	assert_int_equal(told(TRACE_MEETING), 1);
	assert_int_equal(told(TRACE_BENEFIT), 1);
	for (size_t i = 1; i < n_story; i++)
		assert_true(story[i].stage >= story[i - 1].stage);
	const size_t n = n_story;
	/* the same story from the lead that is no more */
	tell("Encore avant");
	assert_int_equal(n_story, n);
	tell("Étrangère");
	assert_int_equal(n_story, 1);
}

static void a_ring_of_mergers_ends(void **state)
{
	(void)state;
	/* ids are given in order: the second is known before it is made */
	const char *one = made_add(&made, 1, "action", "title=Un",
				   "merged_into_id=00000200-0000-7000-8000-000000000000", NULL);
	made_add(&made, 1, "action", "title=Deux", with("merged_into_id", one), NULL);
	made_seal(&made);
	assert_ptr_equal(
		made_find(&made, "Deux"),
		network_find(&made.net, 1, made_find(&made, "Un")->body->action->merged_into_id));
	tell("Un");
	assert_int_equal(n_story, 2);
}

/* ---- digest -------------------------------------------------------------------------------------
 */

static void a_digest_gathers_what_changed_under_its_subject_newest_first(void **state)
{
	struct digest_event *list;
	struct err e = {0};
	int64_t since;
	size_t n;
	const char *p = made_add(&made, 1, "action", "title=Chaleur", "created_at=2026-01-01",
				 "state_at=2026-02-02", "updated_at=2026-02-02", NULL);

	(void)state;
	made_add(&made, 1, "action", "title=Vieille", "created_at=2020-01-01",
		 "updated_at=2020-01-01", NULL);
	made_add(&made, 1, "actor", "name=Neuf", "created_at=2026-02-03", "updated_at=2026-02-03",
		 NULL);
	made_add(&made, 1, "task", "text=Appeler", with("action_id", p), "created_at=2026-02-05",
		 "updated_at=2026-02-05", NULL);
	made_add(&made, 1, "task", "text=Relancer", with("action_id", p), "created_at=2026-01-05",
		 "updated_at=2026-02-04", NULL);
	made_seal(&made);
	assert_int_equal(text_to_instant("2026-02-01", &since, NULL), 0);
	assert_int_equal(digest_make(&made.net, since, &made.arena, &list, &n, &e), 0);
	assert_int_equal(n, 4);
	for (int i = 0; i < 3; i++)
		assert_string_equal(node_name(list[i].subject), "Chaleur");
	assert_string_equal(node_name(list[0].node), "Appeler");
	assert_int_equal(list[0].what, DIGEST_CREATED);
	assert_int_equal(list[1].what, DIGEST_CHANGED);
	assert_int_equal(list[2].what, DIGEST_STATE);
	assert_string_equal(node_name(list[3].subject), "Neuf");
}

/* ---- figures ------------------------------------------------------------------------------------
 */

static void states_compare_over_territories(void **state)
{
	static const char *const words[] = {"idea",      "lead",        "planned",
					    "selected",  "in_progress", "implemented",
					    "sustained", "abandoned",   "merged"};
	const uint32_t territories[] = {2, 1};
	struct comparison *list;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		made_add(&made, 1, "action", with("title", words[i]), with("status", words[i]),
			 NULL);
	made_add(&made, 2, "actor", "name=A", "state=member", NULL);
	made_seal(&made);
	assert_int_equal(figures_compare(&made.net, territories, 2, 0, &made.arena, &list, &e), 0);
	assert_int_equal(list[0].territory, 2);
	assert_int_equal(list[0].members, 1);
	assert_int_equal(list[0].states[SHARED_IDEA], 0);
	assert_int_equal(list[1].states[SHARED_IDEA], 3);
	assert_int_equal(list[1].states[SHARED_DISCUSSION], 1);
	assert_int_equal(list[1].states[SHARED_UNDER_WAY], 1);
	assert_int_equal(list[1].states[SHARED_DONE], 2);
	assert_int_equal(list[1].abandoned, 1);
}

static void conversion_counts_each_action_once_in_all_that_it_went_through(void **state)
{
	struct conversion v;

	(void)state;
	made_add(&made, 1, "action", "title=a", "status=sustained", NULL);
	made_add(&made, 1, "action", "title=b", "status=selected", NULL);
	made_add(&made, 1, "action", "title=c", "status=abandoned", "cause=no_time", NULL);
	made_add(&made, 1, "action", "title=d", "status=merged", NULL);
	made_add(&made, 1, "action", "title=e", "status=rejected", NULL);
	made_seal(&made);
	figures_conversion(&made.net, &v);
	static const unsigned wanted[CONVERSION_STAGES] = {4, 4, 3, 2, 1, 1, 1};
	for (int i = 0; i < CONVERSION_STAGES; i++)
		assert_int_equal(v.reached[i], wanted[i]);
	assert_int_equal(v.abandoned[SEVE__ACTION__CAUSE__CAUSE_NO_TIME], 1);
	assert_int_equal(v.merged, 1);
	assert_int_equal(v.rejected, 1);
}

static void benefits_are_summed_by_measure_and_other_units_are_only_counted(void **state)
{
	struct gain g[BENEFIT_MEASURES];
	const char *p = made_add(&made, 1, "action", "title=a", NULL);

	(void)state;
	made_add(&made, 1, "benefit", with("action_id", p), "measure=waste_t", "value=2",
		 "certainty=measured", NULL);
	made_add(&made, 1, "benefit", with("action_id", p), "measure=waste_t", "value=3", "unit=t",
		 "certainty=estimated", NULL);
	made_add(&made, 1, "benefit", with("action_id", p), "measure=waste_t", "value=900",
		 "unit=kg", "certainty=measured", NULL);
	made_seal(&made);
	figures_benefits(&made.net, g);
	const struct gain *t = &g[SEVE__BENEFIT__MEASURE__MEASURE_WASTE_T];
	assert_true(t->measured == 2 && t->estimated == 3);
	assert_int_equal(t->odd, 1);
}

static void growth_runs_by_quarter_without_a_gap(void **state)
{
	struct growth *list;
	struct err e = {0};
	char quarter[16];
	size_t n;

	(void)state;
	made_add(&made, 1, "actor", "name=a", "state=member", "joined_on=2025-12-31", NULL);
	made_add(&made, 1, "actor", "name=b", "state=member", "joined_on=2026-07-01", NULL);
	made_add(&made, 1, "actor", "name=c", "state=prospect", "joined_on=2026-04-01", NULL);
	made_add(&made, 1, "meeting", "kind=group", "state=held", "start_at=2026-09-30T10:00:00Z",
		 NULL);
	made_seal(&made);
	assert_int_equal(figures_growth(&made.net, &made.arena, &list, &n, &e), 0);
	assert_int_equal(n, 4);
	static const char *const names[] = {"2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"};
	static const unsigned members[] = {1, 1, 1, 2};
	for (size_t i = 0; i < n; i++) {
		figures_quarter(list[i].first, quarter);
		assert_string_equal(quarter, names[i]);
		assert_int_equal(list[i].members, members[i]);
	}
	assert_int_equal(list[3].joined, 1);
	assert_int_equal(list[3].meetings, 1);
}

/* ---- readiness (T16) ----------------------------------------------------------------------------
 */

static void a_successor_is_ready_once_every_method_is_validated_and_it_has_led(void **state)
{
	static const char *const methods[] = {"visit",     "swot",  "workshop",
					      "selection", "group", "measurement"};
	static const char *const roles[] = {"observer", "co", "co", "lead"};
	const char *c = made_add(&made, 1, "contact", "name=Successeur", NULL);
	const char *v = made_add(&made, 1, "contact", "name=Animatrice", NULL);
	struct coverage cover[METHODS];
	struct apprentice *list;
	struct err e = {0};
	size_t n;

	(void)state;
	for (int i = 0; i < 6; i++)
		made_add(&made, 1, "knowhow", with("contact_id", c), with("method", methods[i]),
			 "mastery=supported_lead", i == 5 ? NULL : with("validator_id", v), NULL);
	for (int i = 0; i < 4; i++)
		made_add(&made, 1, "meeting", "kind=workshop", "state=held",
			 arena_printf(&made.arena,
				      "facilitation=[{\"contact_id\":\"%s\",\"role\":\"%s\"}]", c,
				      roles[i]),
			 NULL);
	made_add(&made, 1, "meeting", "kind=workshop", "state=cancelled",
		 arena_printf(&made.arena,
			      "facilitation=[{\"contact_id\":\"%s\",\"role\":\"lead\"}]", c),
		 NULL);
	made_seal(&made);
	assert_int_equal(readiness_make(&made.net, &made.arena, &list, &n, cover, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].methods_ready, 5);
	assert_false(list[0].ready);
	assert_int_equal(list[0].led, 1);
	assert_int_equal(list[0].assisted, 2);
	assert_int_equal(cover[5].people[4], 1);
	made_add(&made, 1, "knowhow", with("contact_id", c), "method=measurement",
		 "mastery=autonomous", NULL);
	made.net.edges = NULL;
	made.net.n_edges = made.net.edge_room = 0;
	memset(made.net.by_kind, 0, sizeof made.net.by_kind);
	made_seal(&made);
	assert_int_equal(readiness_make(&made.net, &made.arena, &list, &n, cover, &e), 0);
	assert_true(list[0].ready);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_territory_lacks_everything_and_the_first_phase_stands_in_the_way),
		TEST(a_territory_goes_through_its_phases),
		TEST(a_story_goes_from_the_visit_to_the_benefit_also_across_a_merger),
		TEST(a_ring_of_mergers_ends),
		TEST(a_digest_gathers_what_changed_under_its_subject_newest_first),
		TEST(states_compare_over_territories),
		TEST(conversion_counts_each_action_once_in_all_that_it_went_through),
		TEST(benefits_are_summed_by_measure_and_other_units_are_only_counted),
		TEST(growth_runs_by_quarter_without_a_gap),
		TEST(a_successor_is_ready_once_every_method_is_validated_and_it_has_led),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_network.c -- the network of records; what stands still; words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "find.h"
#include "stalled.h"
#include "territory.h"
#include "text.h"
#include "wire.h"

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

static void records_are_found_by_id_kind_and_who_points_at_them(void **state)
{
	const char *a = made_add(&made, 1, "actor", "name=Laiterie", "ref=2", NULL);
	const char *p =
		made_add(&made, 1, "action", "title=Eau", with("pilot_id", a), "ref=1", NULL);
	size_t n;

	(void)state;
	made_add(&made, 1, "actor", "name=Brasserie", "ref=1", NULL);
	made_add(&made, 1, "actor", "name=Sans numéro", NULL);
	made_add(&made, 2, "actor", "name=Ailleurs", "ref=1", NULL);
	made_add(&made, 1, "position", with("actor_id", a), with("action_id", p), "stance=pilot",
		 NULL);
	made_seal(&made);
	const struct nodes actors = network_kind(&made.net, "actor");
	assert_int_equal(actors.n, 4);
	assert_string_equal(node_name(actors.list[0]), "Brasserie");
	assert_string_equal(node_name(actors.list[1]), "Laiterie");
	assert_string_equal(node_name(actors.list[2]), "Sans numéro");
	assert_string_equal(node_name(actors.list[3]), "Ailleurs");
	const struct edge *edges = network_edges(&made.net, actors.list[1], &n);
	assert_int_equal(n, 2);
	assert_string_equal(edges[0].field->name, "pilot_id");
	assert_string_equal(edges[1].field->name, "actor_id");
	network_edges(&made.net, actors.list[0], &n);
	assert_int_equal(n, 0);
	const struct node *action = made_find(&made, "Eau");
	assert_ptr_equal(network_find(&made.net, 1, action->body->action->pilot_id),
			 actors.list[1]);
	assert_null(network_find(&made.net, 2, action->body->action->pilot_id));
	assert_int_equal(network_policy(&made.net, 1).stale_days, 30);
}

static void pack(const char *name, uint64_t rev, bool gone)
{
	static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80};
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Actor actor = SEVE__ACTOR__INIT;
	struct err e = {0};

	actor.name = (char *)(uintptr_t)name;
	body.kind_case = SEVE__BODY__KIND_ACTOR;
	body.actor = &actor;
	const struct span s = wire_pack(&made.arena, &body.base);
	assert_int_equal(
		network_add(&made.net, 1, id, rev, gone ? NULL : s.at, gone ? 0 : s.len, &e), 0);
}

static void of_what_comes_twice_the_later_holds_in_any_order(void **state)
{
	(void)state;
	pack("trois", 3, false);
	pack("un", 1, false);
	pack("deux", 2, false);
	made_seal(&made);
	assert_int_equal(made.net.n, 1);
	assert_string_equal(node_name(&made.net.nodes[0]), "trois");
}

static void what_was_deleted_later_is_gone(void **state)
{
	(void)state;
	pack("un", 1, false);
	pack("", 3, true);
	pack("deux", 2, false);
	made_seal(&made);
	assert_int_equal(made.net.n, 0);
}

static void kinds_that_are_not_wanted_are_passed_over_unopened(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(network_init(&made.net, &made.arena, "action position", &e), 0);
	pack("un", 1, false);
	made_seal(&made);
	assert_int_equal(made.net.n, 0);
	assert_int_not_equal(network_init(&made.net, &made.arena, "personne", &e), 0);
}

/* ---- what stands still --------------------------------------------------------------------------
 */

static struct stall look(const char *name, const char *now)
{
	struct stall s;
	int64_t ms;

	assert_int_equal(text_to_instant(now, &ms, NULL), 0);
	stalled_look(made_find(&made, name), ms, 30, &s);
	return s;
}

static void a_state_ages_from_the_day_it_was_entered_not_from_the_last_edit(void **state)
{
	struct stall s;

	(void)state;
	made_add(&made, 1, "action", "title=Piste", "status=lead", "state_at=2026-01-01",
		 "updated_at=2026-03-01", NULL);
	made_add(&made, 1, "action", "title=Avant", "status=lead", "updated_at=2026-01-01", NULL);
	made_add(&made, 1, "action", "title=Chantier", "status=in_progress", "state_at=2025-01-01",
		 "updated_at=2026-01-01", NULL);
	made_add(&made, 1, "action", "title=Finie", "status=sustained", "state_at=2020-01-01",
		 NULL);
	made_seal(&made);
	s = look("Piste", "2026-01-31");
	assert_int_equal(s.age_days, 30);
	assert_false(s.old);
	assert_true(s.exact);
	s = look("Piste", "2026-02-01");
	assert_true(s.old);
	s = look("Avant", "2026-02-01");
	assert_true(s.old);
	assert_false(s.exact);
	s = look("Chantier", "2026-01-31");
	assert_false(s.old);
	s = look("Chantier", "2026-02-01");
	assert_true(s.old);
	s = look("Finie", "2026-02-01");
	assert_false(s.old);
}

static void the_day_of_a_next_step_of_a_task_and_of_a_meeting_passes(void **state)
{
	(void)state;
	made_add(&made, 1, "action", "title=Piste", "status=lead", "next_step_due_on=2026-01-10",
		 NULL);
	made_add(&made, 1, "action", "title=Faite", "status=implemented",
		 "next_step_due_on=2026-01-10", NULL);
	made_add(&made, 1, "task", "text=Appeler", "state=todo", "due_on=2026-01-10", NULL);
	made_add(&made, 1, "task", "text=Appelé", "state=done", "due_on=2026-01-10", NULL);
	made_add(&made, 1, "meeting", "title=Atelier", "state=planned",
		 "start_at=2026-01-10T18:00:00Z", NULL);
	made_add(&made, 1, "interview", "kind=site_visit", "state=planned", "held_on=2026-01-10",
		 NULL);
	made_seal(&made);
	assert_int_equal(look("Piste", "2026-01-10T23:00:00Z").overdue_days, 0);
	assert_int_equal(look("Piste", "2026-01-12").overdue_days, 2);
	assert_int_equal(look("Faite", "2026-01-12").overdue_days, 0);
	assert_int_equal(look("Appeler", "2026-01-12").overdue_days, 2);
	assert_int_equal(look("Appelé", "2026-01-12").overdue_days, 0);
	assert_int_equal(look("Atelier", "2026-01-12").overdue_days, 2);
	assert_int_equal(look("", "2026-01-12").overdue_days, 2);
}

static void what_is_longest_past_its_limit_stands_first(void **state)
{
	struct stall *list;
	struct err e = {0};
	int64_t ms;
	size_t n;

	(void)state;
	made_add(&made, 1, "territory", "slug=nord", "name=Nord", "policy={\"stale_days\":10}",
		 NULL);
	made_add(&made, 1, "action", "title=Peu", "status=lead", "state_at=2026-01-05", NULL);
	made_add(&made, 1, "action", "title=Beaucoup", "status=lead", "state_at=2025-01-05", NULL);
	made_add(&made, 1, "action", "title=Pas", "status=lead", "state_at=2026-01-19", NULL);
	made_seal(&made);
	assert_int_equal(text_to_instant("2026-01-20", &ms, NULL), 0);
	assert_int_equal(stalled_make(&made.net, ms, &made.arena, &list, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(node_name(list[0].node), "Beaucoup");
	assert_int_equal(list[1].limit_days, 10);
}

/* ---- words --------------------------------------------------------------------------------------
 */

static size_t found(const char *words, const char *first)
{
	struct found *list;
	struct err e = {0};
	size_t n;

	if (find_words(&made.net, words, &made.arena, &list, &n, &e))
		return SIZE_MAX;
	if (n)
		assert_string_equal(node_name(list[0].node), first);
	return n;
}

static void words_are_found_whatever_their_accents_and_wherever_they_stand(void **state)
{
	(void)state;
	made_add(&made, 1, "action", "title=Séchoir", "description=Chaleur du four à chaux", NULL);
	made_add(&made, 1, "action", "title=Réseau de chaleur", "tags=été|hiver", NULL);
	made_add(&made, 1, "minute", "text=On parle du four.", NULL);
	made_seal(&made);
	assert_int_equal(found("CHALEUR", "Réseau de chaleur"), 2);
	assert_int_equal(found("four chaleur", "Séchoir"), 1);
	assert_int_equal(found("sechoir", "Séchoir"), 1);
	assert_int_equal(found("Ete", "Réseau de chaleur"), 1);
	assert_int_equal(found("absent", ""), 0);
	assert_true(found("  ", "") == SIZE_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_found_by_id_kind_and_who_points_at_them),
		TEST(of_what_comes_twice_the_later_holds_in_any_order),
		TEST(what_was_deleted_later_is_gone),
		TEST(kinds_that_are_not_wanted_are_passed_over_unopened),
		TEST(a_state_ages_from_the_day_it_was_entered_not_from_the_last_edit),
		TEST(the_day_of_a_next_step_of_a_task_and_of_a_meeting_passes),
		TEST(what_is_longest_past_its_limit_stands_first),
		TEST(words_are_found_whatever_their_accents_and_wherever_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

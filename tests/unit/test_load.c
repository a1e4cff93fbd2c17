/* test_load.c -- the dispersion guard and the selection's simulation, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "simulate.h"
#include "territory.h"
#include "text.h"

enum { TODAY = 20000 }; /* 2024-10-04 */

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

static const char *actor(uint32_t territory, const char *name, const char *siren, const char *hours)
{
	const char *id = made_add(&made, territory, "actor", with("name", name),
				  siren ? with("siren", siren) : NULL, NULL);

	if (hours)
		made_add(&made, territory, "availability", with("actor_id", id),
			 "from_on=2020-01-01", with("hours_month", hours), NULL);
	return id;
}

static const char *action(uint32_t territory, const char *title, const char *status)
{
	return made_add(&made, territory, "action", with("title", title), with("status", status),
			NULL);
}

static void position(uint32_t territory, const char *actor_id, const char *action_id,
		     const char *stance, const char *more)
{
	made_add(&made, territory, "position", with("actor_id", actor_id),
		 with("action_id", action_id), with("stance", stance), more, NULL);
}

static struct load load_in(const char *text)
{
	struct month m;
	struct load l;
	struct err e = {0};

	assert_int_equal(month_parse(text, &m, &e), 0);
	assert_int_equal(load_make(&made.net, m, TODAY, NULL, &made.arena, &l, &e), 0);
	return l;
}

static const struct load_actor *of(const struct load *l, const char *name)
{
	const struct load_actor *a = load_of(l, made_find(&made, name));

	assert_non_null(a);
	return a;
}

static void a_stance_takes_its_usual_hours_unless_the_position_says_otherwise(void **state)
{
	const char *a = actor(1, "Laiterie", NULL, "20"), *p = action(1, "Eau", "lead");
	struct load l;

	(void)state;
	position(1, a, p, "pilot", NULL);
	position(1, a, p, "contributor", NULL);
	position(1, a, p, "beneficiary", NULL);
	position(1, a, p, "interested", NULL);
	position(1, a, p, "observer", "hours_month=2.5");
	position(1, a, p, "pilot", "state=closed");
	made_seal(&made);
	l = load_in("2024-10");
	assert_true(of(&l, "Laiterie")->hours == 15.5);
	assert_int_equal(of(&l, "Laiterie")->positions, 5);
	assert_false(of(&l, "Laiterie")->org->over);
}

static void exactly_what_one_has_is_not_over(void **state)
{
	const char *a = actor(1, "Laiterie", NULL, "8"), *p = action(1, "Eau", "lead");
	struct load l;

	(void)state;
	position(1, a, p, "pilot", NULL);
	made_seal(&made);
	l = load_in("2024-10");
	assert_true(load_ratio(of(&l, "Laiterie")->org) == 1.0);
	assert_false(of(&l, "Laiterie")->org->over);
	load_add_foreign(&l, "732829320", 1);
	assert_false(of(&l, "Laiterie")->org->over);
}

static void one_siren_is_one_organisation_and_its_hours_are_not_doubled(void **state)
{
	const char *a = actor(1, "Nord", "732829320", "10"),
		   *b = actor(2, "Sud", "732829320", "10");
	struct load l;

	(void)state;
	actor(2, "Autre", "552081317", "10");
	position(1, a, action(1, "Eau", "lead"), "pilot", NULL);
	position(2, b, action(2, "Chaleur", "lead"), "pilot", NULL);
	made_seal(&made);
	l = load_in("2024-10");
	assert_ptr_equal(of(&l, "Nord")->org, of(&l, "Sud")->org);
	assert_true(of(&l, "Nord")->hours == 8);
	assert_true(of(&l, "Nord")->org->hours == 16);
	assert_true(of(&l, "Nord")->org->available == 10);
	assert_true(of(&l, "Nord")->org->over);
	assert_false(of(&l, "Autre")->org->over);
	load_add_foreign(&l, "552081317", 12);
	assert_true(of(&l, "Autre")->org->over);
}

static void without_a_word_on_hours_nobody_is_over(void **state)
{
	const char *a = actor(1, "Laiterie", NULL, NULL);
	struct load l;

	(void)state;
	position(1, a, action(1, "Eau", "lead"), "pilot", "hours_month=700");
	made_seal(&made);
	l = load_in("2024-10");
	assert_false(of(&l, "Laiterie")->org->known);
	assert_true(load_ratio(of(&l, "Laiterie")->org) < 0);
	assert_false(of(&l, "Laiterie")->org->over);
}

static void the_latest_declaration_holds_and_barred_days_have_no_hours(void **state)
{
	const char *a = actor(1, "Laiterie", NULL, "40");
	struct load l;

	(void)state;
	made_add(&made, 1, "availability", with("actor_id", a), "from_on=2024-09-01",
		 "to_on=2024-12-31", "hours_month=30",
		 "blackouts=[{\"from_on\":\"2024-08-20\",\"to_on\":\"2024-09-15\"},"
		 "{\"from_on\":\"2024-09-10\",\"to_on\":\"2024-09-15\"},"
		 "{\"from_on\":\"2024-11-01\",\"to_on\":\"2024-11-30\"}]",
		 NULL);
	position(1, a, action(1, "Eau", "lead"), "beneficiary", NULL);
	made_seal(&made);
	l = load_in("2024-08");
	assert_true(l.orgs[0].available == 40);
	l = load_in("2024-09");
	assert_true(l.orgs[0].available == 15);
	assert_true(l.orgs[0].blackout);
	l = load_in("2024-11");
	assert_true(l.orgs[0].available == 0);
	assert_true(l.orgs[0].over);
	l = load_in("2025-01");
	assert_true(l.orgs[0].available == 40);
}

static void a_position_counts_from_the_month_it_begins_and_cools(void **state)
{
	const char *a = actor(1, "Laiterie", NULL, "40"), *p = action(1, "Eau", "lead");
	struct load l;

	(void)state;
	position(1, a, p, "pilot", "since_on=2024-10-31");
	position(1, a, p, "pilot", "since_on=2024-11-01");
	position(1, a, p, "contributor", "since_on=2024-01-01");
	made_add(&made, 1, "position", with("actor_id", a), with("action_id", p),
		 "stance=beneficiary", "since_on=2024-01-01", "reaffirmed_on=2024-09-30", NULL);
	made_seal(&made);
	l = load_in("2024-10");
	assert_true(of(&l, "Laiterie")->hours == 13);
	assert_int_equal(of(&l, "Laiterie")->cold, 1);
	l = load_in("2024-09");
	assert_true(of(&l, "Laiterie")->hours == 5);
}

/* T6: no number of actions is too many; only what one actor carries. */
static void forty_actions_within_everybodys_hours_are_no_warning(void **state)
{
	struct month m = month_of(TODAY);
	struct simulation s;
	struct err e = {0};
	const char *actors[40];
	char name[32];

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "Acteur %d", i);
		actors[i] = actor(1, name, NULL, "12");
	}
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "Action %d", i);
		const char *a = action(1, name, "planned");
		position(1, actors[i], a, "pilot", NULL);
		position(1, actors[(i + 7) % 40], a, "contributor", NULL);
	}
	made_seal(&made);
	assert_int_equal(simulate(&made.net, NULL, 0, m, TODAY, &made.arena, &s, &e), 0);
	assert_int_equal(s.n, 40);
	for (size_t i = 0; i < s.after.n; i++) {
		assert_true(s.after.actors[i].org->hours == 12);
		assert_true(s.before.actors[i].org->hours == 0);
		assert_false(s.after.actors[i].org->over);
	}
	for (size_t i = 0; i < s.n; i++)
		assert_true(s.candidates[i].chosen && s.candidates[i].pilots == 1);
}

static void three_actions_piloted_by_one_actor_warn_of_that_one_only(void **state)
{
	struct month m = month_of(TODAY);
	struct simulation s;
	struct err e = {0};
	const char *one = actor(1, "Seule", NULL, "10"), *two = actor(1, "Calme", NULL, "10");

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *a = action(1, i == 0 ? "A" : i == 1 ? "B" : "C", "planned");
		position(1, one, a, "pilot", NULL);
		position(1, two, a, "beneficiary", NULL);
	}
	made_seal(&made);
	assert_int_equal(simulate(&made.net, NULL, 0, m, TODAY, &made.arena, &s, &e), 0);
	assert_true(of(&s.after, "Seule")->org->over);
	assert_false(of(&s.after, "Calme")->org->over);
	assert_false(of(&s.before, "Seule")->org->over);
}

static void low_hanging_fruit_is_forced_in_and_a_missing_pilot_is_seen(void **state)
{
	struct month m = month_of(TODAY);
	struct simulation s;
	struct err e = {0};
	const char *a = actor(1, "Laiterie", NULL, "10");
	const struct node *chosen[1];

	(void)state;
	made_add(&made, 1, "action", "title=Fruit", "status=planned", "low_hanging=yes", NULL);
	position(1, a, action(1, "Choisie", "planned"), "contributor", NULL);
	position(1, a, action(1, "Laissée", "planned"), "pilot", NULL);
	position(1, a, action(1, "En cours", "in_progress"), "contributor", NULL);
	made_seal(&made);
	chosen[0] = made_find(&made, "Choisie");
	assert_int_equal(simulate(&made.net, chosen, 1, m, TODAY, &made.arena, &s, &e), 0);
	for (size_t i = 0; i < s.n; i++) {
		const struct candidate *k = &s.candidates[i];
		const char *title = node_name(k->action);

		assert_int_equal(k->forced, strcmp(title, "Fruit") == 0);
		assert_int_equal(k->chosen, strcmp(title, "Laissée") != 0);
		assert_int_equal(k->pilots, strcmp(title, "Laissée") == 0);
	}
	assert_true(of(&s.before, "Laiterie")->hours == 4);
	assert_true(of(&s.after, "Laiterie")->hours == 8);
}

static void the_ranking_puts_forced_ones_first_then_the_best(void **state)
{
	struct candidate *list;
	struct err e = {0};
	size_t n;

	(void)state;
	made_add(&made, 1, "action", "title=Chère", "status=planned", "promise=3", "effort=5",
		 NULL);
	made_add(&made, 1, "action", "title=Belle", "status=planned", "promise=5", "effort=2",
		 NULL);
	made_add(&made, 1, "action", "title=Fruit", "status=planned", "promise=1", "effort=5",
		 "low_hanging=yes", NULL);
	made_add(&made, 1, "action", "title=Pas encore", "status=lead", "promise=5", NULL);
	made_seal(&made);
	assert_int_equal(simulate_rank(&made.net, &made.arena, &list, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_string_equal(node_name(list[0].action), "Fruit");
	assert_string_equal(node_name(list[1].action), "Belle");
	assert_string_equal(node_name(list[2].action), "Chère");
}

static void months_have_their_days(void **state)
{
	struct month m;
	struct err e = {0};
	char text[16];

	(void)state;
	assert_int_equal(month_parse("2024-02", &m, &e), 0);
	assert_int_equal(m.last - m.first + 1, 29);
	month_format(m.first, text);
	assert_string_equal(text, "2024-02");
	assert_int_not_equal(month_parse("2024-13", &m, &e), 0);
	assert_int_not_equal(month_parse("2024-02-01", &m, &e), 0);
	assert_int_equal(day_of(-1), -1);
	assert_int_equal(day_of(86399999), 0);
	assert_int_equal(day_of(86400000), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stance_takes_its_usual_hours_unless_the_position_says_otherwise),
		TEST(exactly_what_one_has_is_not_over),
		TEST(one_siren_is_one_organisation_and_its_hours_are_not_doubled),
		TEST(without_a_word_on_hours_nobody_is_over),
		TEST(the_latest_declaration_holds_and_barred_days_have_no_hours),
		TEST(a_position_counts_from_the_month_it_begins_and_cools),
		TEST(forty_actions_within_everybodys_hours_are_no_warning),
		TEST(three_actions_piloted_by_one_actor_warn_of_that_one_only),
		TEST(low_hanging_fruit_is_forced_in_and_a_missing_pilot_is_seen),
		TEST(the_ranking_puts_forced_ones_first_then_the_best),
		TEST(months_have_their_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

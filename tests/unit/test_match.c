/* test_match.c -- needs and offers: inside a network, and blinded across networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cross.h"
#include "match.h"
#include "territory.h"

static struct made made;
static struct suggestion *list;
static size_t n_list;

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

static const char *at(const char *name, const char *lat, const char *lon)
{
	return made_add(&made, 1, "actor", with("name", name), with("lat", lat), with("lon", lon),
			NULL);
}

static const char *card(const char *actor, const char *stance, const char *family,
			const char *label, const char *more, const char *more2)
{
	return made_add(&made, 1, "resource", with("actor_id", actor), with("stance", stance),
			with("family", family), with("label", label), "state=open", more,
			more ? more2 : NULL, NULL);
}

static void match(void)
{
	struct err e = {0};

	made_seal(&made);
	assert_int_equal(match_make(&made.net, 10, &made.arena, &list, &n_list, &e), 0);
}

static void a_need_meets_what_has_its_words_and_says_why(void **state)
{
	const char *a = at("A", "51.0", "2.3"), *b = at("B", "51.03", "2.37");

	(void)state;
	card(a, "need", "materials", "Palettes bois", "unit=kg", NULL);
	card(b, "capacity", "materials", "palette EUR en bois", "unit=t", NULL);
	card(b, "opportunity", "materials", "Cartons", NULL, NULL);
	card(b, "capacity", "transport", "Transport de palettes", NULL, NULL);
	card(a, "capacity", "materials", "palettes bois à moi", NULL, NULL);
	match();
	assert_int_equal(n_list, 1);
	assert_string_equal(node_name(list[0].offer), "palette EUR en bois");
	assert_int_equal(list[0].reasons, MATCH_FAMILY | MATCH_LABEL | MATCH_UNIT | MATCH_DISTANCE);
	assert_true(list[0].km > 5 && list[0].km < 7);
	assert_true(list[0].score > 50 && list[0].score <= 100);
}

static void waste_codes_meet_whatever_their_labels_and_spelling(void **state)
{
	const char *a = at("A", "51.0", "2.3"), *b = at("B", "51.03", "2.37");

	(void)state;
	card(a, "need", "by_product_waste", "Broyat", "waste_code=15 01 03", NULL);
	card(b, "opportunity", "by_product_waste", "Palettes cassées", "waste_code=150103", NULL);
	card(b, "opportunity", "by_product_waste", "Autre chose", "waste_code=15 01 04", NULL);
	match();
	assert_int_equal(n_list, 1);
	assert_true(list[0].reasons & MATCH_WASTE_CODE);
	assert_false(list[0].reasons & MATCH_LABEL);
}

static void what_is_too_far_or_at_another_time_or_closed_is_not_offered(void **state)
{
	const char *a = at("Lille", "50.63", "3.06"), *b = at("Marseille", "43.30", "5.37");
	const char *c = at("Près", "50.64", "3.07");

	(void)state;
	card(a, "need", "equipment", "presse à balles", "from_on=2026-06-01", "to_on=2026-08-31");
	card(b, "capacity", "equipment", "presse loin", NULL, NULL);
	card(c, "capacity", "equipment", "presse hiver", "from_on=2026-10-01", NULL);
	made_add(&made, 1, "resource", with("actor_id", c), "stance=capacity", "family=equipment",
		 "label=presse prise", "state=satisfied", NULL);
	card(c, "capacity", "equipment", "presse été", "from_on=2026-01-01", "to_on=2026-06-30");
	match();
	assert_int_equal(n_list, 1);
	assert_string_equal(node_name(list[0].offer), "presse été");
	assert_true(list[0].reasons & MATCH_PERIOD);
}

static void enough_scores_more_than_a_part_and_units_are_converted(void **state)
{
	const char *a = at("A", "51.0", "2.3"), *b = at("B", "51.0", "2.3");

	(void)state;
	made_add(&made, 1, "resource", with("actor_id", a), "stance=need", "family=water",
		 "label=eau tiède", "quantity=12", "unit=m3", "basis=per_year", "state=open", NULL);
	made_add(&made, 1, "resource", with("actor_id", b), "stance=capacity", "family=water",
		 "label=eau tiède A", "quantity=1000", "unit=L", "basis=per_month", "state=open",
		 NULL);
	made_add(&made, 1, "resource", with("actor_id", b), "stance=capacity", "family=water",
		 "label=eau tiède B", "quantity=1", "unit=m3", "basis=per_year", "state=open",
		 NULL);
	match();
	assert_int_equal(n_list, 2);
	assert_string_equal(node_name(list[0].offer), "eau tiède A");
	assert_true(list[0].reasons & MATCH_QUANTITY);
	assert_false(list[1].reasons & MATCH_QUANTITY);
}

static void a_pair_with_a_verdict_never_returns(void **state)
{
	const char *a = at("A", "51.0", "2.3"), *b = at("B", "51.0", "2.3");
	const char *n = card(a, "need", "energy", "chaleur basse", NULL, NULL);
	const char *o = card(b, "capacity", "energy", "chaleur fatale", NULL, NULL);

	(void)state;
	card(b, "capacity", "energy", "chaleur du four", NULL, NULL);
	made_add(&made, 1, "match", with("need_id", n), with("capacity_id", o), "verdict=dismissed",
		 NULL);
	match();
	assert_int_equal(n_list, 1);
	assert_string_equal(node_name(list[0].offer), "chaleur du four");
}

/* ---- across territories -------------------------------------------------------------------------
 */

static struct cross_card cross_of(uint8_t id, bool need, int family, const char *unit, double lat)
{
	struct cross_card c = {
		.need = need, .family = family, .placed = true, .lat = lat, .lon = 2, .near = true};

	c.id.b[0] = id;
	snprintf(c.unit, sizeof c.unit, "%s", unit);
	return c;
}

static void a_pair_has_the_same_handle_from_either_side(void **state)
{
	static const uint8_t secret[16] = {1}, other_secret[16] = {2};
	struct cross_card a[] = {cross_of(1, true, 3, "t", 50)},
			  b[] = {cross_of(2, false, 3, "t", 50.2)};
	struct cross_pair *one, *two, *three;
	struct err e = {0};
	size_t n;

	(void)state;
	assert_int_equal(cross_make(a, 1, b, 1, 50, 5, secret, NULL, &made.arena, &one, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(one[0].band, "10-25 km");
	assert_int_equal(cross_make(b, 1, a, 1, 50, 5, secret, NULL, &made.arena, &two, &n, &e), 0);
	assert_string_equal(one[0].handle, two[0].handle);
	assert_int_equal(
		cross_make(a, 1, b, 1, 50, 5, other_secret, NULL, &made.arena, &three, &n, &e), 0);
	assert_string_not_equal(one[0].handle, three[0].handle);
}

static void family_unit_and_radius_decide_and_no_card_gets_more_than_its_share(void **state)
{
	static const uint8_t secret[16] = {1};
	struct cross_card own[] = {cross_of(1, true, 3, "t", 50), cross_of(2, false, 4, "", 50)};
	struct cross_card others[20];
	struct cross_pair *list2;
	struct err e = {0};
	size_t n;

	(void)state;
	for (uint8_t i = 0; i < 12; i++)
		others[i] = cross_of((uint8_t)(10 + i), false, 3, i % 2 ? "t" : "", 50);
	others[12] = cross_of(40, false, 3, "m3", 50); /* another unit */
	others[13] = cross_of(41, false, 3, "t", 52);  /* too far */
	others[14] = cross_of(42, true, 3, "t", 50);   /* a need too */
	others[15] = cross_of(43, true, 4, "h", 50);
	others[16] = cross_of(44, true, 4, "h", 50);
	others[16].placed = others[16].near = false; /* nobody knows where */
	others[17] = cross_of(45, true, 4, "h", 50);
	others[17].placed = false; /* of this region */
	assert_int_equal(
		cross_make(own, 2, others, 18, 50, 5, secret, NULL, &made.arena, &list2, &n, &e),
		0);
	size_t first = 0, second = 0;
	for (size_t i = 0; i < n; i++) {
		const struct cross_card *o = &others[list2[i].other];

		first += list2[i].own == 0;
		second += list2[i].own == 1;
		assert_true(o->id.b[0] < 40 || o->id.b[0] == 43 || o->id.b[0] == 45);
	}
	assert_int_equal(first, 5);
	assert_int_equal(second, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_need_meets_what_has_its_words_and_says_why),
		TEST(waste_codes_meet_whatever_their_labels_and_spelling),
		TEST(what_is_too_far_or_at_another_time_or_closed_is_not_offered),
		TEST(enough_scores_more_than_a_part_and_units_are_converted),
		TEST(a_pair_with_a_verdict_never_returns),
		TEST(a_pair_has_the_same_handle_from_either_side),
		TEST(family_unit_and_radius_decide_and_no_card_gets_more_than_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

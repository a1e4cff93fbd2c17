/* test_lists.c -- the official lists of codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lists.h"

extern const char list_naf2[], list_waste[], list_communes[], list_communes_former[];

/* Sorted, no entry twice: what the search relies on. */
static size_t is_sorted(const char *list, size_t width, size_t key)
{
	const size_t n = strlen(list) / width;
	assert_int_equal(strlen(list) % width, 0);
	for (size_t i = 1; i < n; i++)
		assert_true(strncmp(list + (i - 1) * width, list + i * width, key) < 0);
	return n;
}

static void the_lists_are_whole_and_in_order(void **state)
{
	size_t hazardous = 0;
	(void)state;
	assert_int_equal(is_sorted(list_naf2, 6, 6), 732);
	assert_int_equal(is_sorted(list_waste, 7, 6), 842);
	assert_int_equal(is_sorted(list_communes, 5, 5), 34969);
	assert_int_equal(is_sorted(list_communes_former, 11, 5), 2037);
	for (const char *p = list_waste; *p; p += 7)
		hazardous += p[6] == '*';
	assert_int_equal(hazardous, 408);
}

static void codes_are_found_and_no_others(void **state)
{
	(void)state;
	assert_true(lists_naf2("01.11Z"));
	assert_true(lists_naf2("99.00Z"));
	assert_false(lists_naf2("01.11"));
	assert_false(lists_naf2("57.10Z"));
	assert_false(lists_naf2(""));
	assert_int_equal(lists_waste("150110"), LISTS_WASTE_HAZARDOUS);
	assert_int_equal(lists_waste("150101"), LISTS_WASTE_PLAIN);
	assert_int_equal(lists_waste("159999"), LISTS_WASTE_NONE);
}

static void a_commune_that_was_merged_tells_where_it_is_now(void **state)
{
	char now[6];
	(void)state;
	assert_int_equal(lists_commune("22050", now), LISTS_COMMUNE);
	assert_string_equal(now, "");
	assert_int_equal(lists_commune("2A004", now), LISTS_COMMUNE);
	assert_int_equal(lists_commune("01039", now), LISTS_COMMUNE_DELEGATED);
	assert_string_equal(now, "01138");
	assert_int_equal(lists_commune("75102", now), LISTS_COMMUNE_DISTRICT);
	assert_string_equal(now, "75056");
	assert_int_equal(lists_commune("00000", now), LISTS_COMMUNE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lists_are_whole_and_in_order),
		cmocka_unit_test(codes_are_found_and_no_others),
		cmocka_unit_test(a_commune_that_was_merged_tells_where_it_is_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_transform.c -- each small repair, on what files really hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/transform.h"

static void gives(const char *name, const char *from, const char *wanted)
{
	char text[64];
	const transform_fn fn = transform_find(name);
	assert_non_null(fn);
	snprintf(text, sizeof text, "%s", from);
	fn(text, sizeof text, "");
	assert_string_equal(text, wanted);
}

static void naf_codes_get_their_dot(void **state)
{
	(void)state;
	gives("naf", "2815Z", "28.15Z");
	gives("naf", "28.15Z", "28.15Z");
	gives("naf", "28 15 z", "28.15Z");
	gives("naf", "", "");
	gives("naf", "57.10", "57.10");
	gives("naf", "45.2R", "45.2R");
	gives("naf", "not a code at all", "not a code at all");
}

static void identifiers_lose_their_blanks(void **state)
{
	(void)state;
	gives("strip_spaces", "410 303 085 00352", "41030308500352");
	gives("strip_spaces", "410\u00a0303\u202f085", "410303085");
	gives("digits", "FR-35 (410)", "35410");
}

static void numbers_that_went_through_a_spreadsheet_come_back(void **state)
{
	(void)state;
	gives("integer", "29600.0", "29600");
	gives("integer", "29600.50", "29600.50");
	gives("integer", "8.", "8.");
	gives("integer", ".0", ".0");
	gives("pad5", "1400", "01400");
	gives("pad5", "59140", "59140");
	gives("pad5", "2A00", "2A00");
	gives("pad5", "", "");
	gives("pad9", "5580338", "005580338");
}

static void turns(const char *name, const char *arg, const char *from, const char *wanted)
{
	char text[96];
	snprintf(text, sizeof text, "%s", from);
	assert_true(transform_takes(name, arg));
	transform_find(name)(text, sizeof text, arg);
	assert_string_equal(text, wanted);
}

static void dates_of_other_forms_become_ours(void **state)
{
	(void)state;
	turns("date", "DD/MM/YYYY", "09/02/2016", "2016-02-09");
	turns("date", "DD/MM/YYYY", "9/2/2016", "2016-02-09");
	turns("date", "YYYY-MM", "2017-07", "2017-07-01");
	turns("date", "DD.MM.YY", "01.12.99", "1999-12-01");
	turns("date", "DD/MM/YYYY", "2016-02-09", "2016-02-09");
	turns("date", "DD/MM/YYYY", "soon", "soon");
	turns("date", "DD/MM/YYYY", "", "");
	setenv("TZ", "Europe/Paris", 1);
	turns("date", "DD/MM/YYYY HH:MI", "12/07/2026 09:30", "2026-07-12T07:30:00Z");
	turns("date", "DD/MM/YYYY HH:MI", "31/02/2026 09:30", "31/02/2026 09:30");
}

static void steps_with_an_argument_use_it(void **state)
{
	(void)state;
	turns("empty", "NN|-", "NN", "");
	turns("empty", "NN|-", "NNN", "NNN");
	turns("cut", "2", "écran", "éc");
	turns("prefix", "n° ", "7", "n° 7");
	turns("prefix", "n° ", "", "");
	turns("pad", "14", "1", "00000000000001");
	turns("before", " - ", "a - b - c", "a");
	turns("after", " - ", "a - b - c", "b - c");
	turns("html", "", "<div>A &amp; B&nbsp;<br>l&#39;&eacute;t&#233;</div><p>x < 3</p>",
	      "A & B \nl'été\nx < 3");
	assert_false(transform_takes("cut", ""));
	assert_false(transform_takes("cut", "two"));
	assert_false(transform_takes("upper", "x"));
	assert_false(transform_takes("none", ""));
}

static void lines_become_one(void **state)
{
	(void)state;
	gives("one_line", "ZA Eigen\n CS 10173", "ZA Eigen, CS 10173");
	gives("one_line", "a,\n\n b", "a, b");
	gives("one_line", "\na\n", "a");
	gives("one_line", "a", "a");
}

static void a_pair_is_cut_at_its_comma(void **state)
{
	(void)state;
	gives("before_comma", "43.21 , 5.53", "43.21");
	gives("after_comma", "43.21,  5.53", "5.53");
	gives("after_comma", "43.21", "");
	gives("before_comma", "", "");
}

static void case_is_that_of_ascii(void **state)
{
	(void)state;
	gives("upper", "2a004é", "2A004é");
	gives("lower", "ABCÉ", "abcÉ");
}

static void what_does_not_fit_stays_as_it_was(void **state)
{
	char code[6] = "2815Z", zip[5] = "1400", lines[4] = "a\nb";
	(void)state;
	transform_find("naf")(code, sizeof code, "");
	assert_string_equal(code, "2815Z");
	transform_find("pad5")(zip, sizeof zip, "");
	assert_string_equal(zip, "1400");
	transform_find("one_line")(lines, sizeof lines, "");
	assert_string_equal(lines, "a\nb");
}

static void names_are_found_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; transform_name(i); i++)
		assert_non_null(transform_find(transform_name(i)));
	assert_null(transform_find("rot13"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(naf_codes_get_their_dot),
		cmocka_unit_test(identifiers_lose_their_blanks),
		cmocka_unit_test(numbers_that_went_through_a_spreadsheet_come_back),
		cmocka_unit_test(dates_of_other_forms_become_ours),
		cmocka_unit_test(steps_with_an_argument_use_it),
		cmocka_unit_test(lines_become_one),
		cmocka_unit_test(a_pair_is_cut_at_its_comma),
		cmocka_unit_test(case_is_that_of_ascii),
		cmocka_unit_test(what_does_not_fit_stays_as_it_was),
		cmocka_unit_test(names_are_found_and_no_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

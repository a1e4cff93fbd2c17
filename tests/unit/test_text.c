/* test_text.c -- common/text.c and common/text_time.c */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void well_formed_utf8_is_taken_wherever_it_stands(void **state)
{
	(void)state;
	static const char *const good[] = {
		"",
		"a",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"Fraternité à Dinan — 2026 €",
	};
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t before = 0; before < 20; before++) {
			char text[80] = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
			snprintf(text + before, sizeof text - before, "%sbbbbbbbbbb", good[i]);
			assert_true(text_is_utf8(text, strlen(text), NULL));
		}
}

static void what_is_not_utf8_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
		{"\0", 1},
		{"\x80", 1},
		{"\xbf", 1},
		{"\xc0\x80", 2},
		{"\xc1\xbf", 2},
		{"\xc2", 1},
		{"\xc2z", 2},
		{"\xe0\x9f\xbf", 3},
		{"\xe0\xa0", 2},
		{"\xed\xa0\x80", 3},
		{"\xed\xbf\xbf", 3},
		{"\xf0\x8f\xbf\xbf", 4},
		{"\xf0\x90\x80", 3},
		{"\xf4\x90\x80\x80", 4},
		{"\xf5\x80\x80\x80", 4},
		{"\xfe", 1},
		{"\xff", 1},
		{"\xe2\x28\xa1", 3},
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t before = 0; before < 40; before++) {
			/* Exactly as long as it says, so that a sanitizer sees reads beyond. */
			const size_t n = before + bad[i].n;
			char *text = malloc(n);
			assert_non_null(text);
			memset(text, 'a', before);
			memcpy(text + before, bad[i].bytes, bad[i].n);
			size_t at = 999;
			assert_false(text_is_utf8(text, n, &at));
			assert_int_equal(at, before);
			free(text);
		}
}

static void assert_folds(const char *s, const char *folded)
{
	char *f = text_fold(s);
	assert_non_null(f);
	assert_string_equal(f, folded);
	free(f);
}

static void folding_drops_case_accents_and_forms(void **state)
{
	(void)state;
	assert_folds("Café de l'Éveil", "cafe de l'eveil");
	assert_folds("CAFE\xcc\x81", "cafe");
	assert_folds("ﬁche № ½", "fiche no 1⁄2");
	assert_folds("Straße", "strasse");
	assert_folds("", "");
	assert_null(text_fold("bad \xff"));
}

static void distance_counts_slips_of_the_keyboard(void **state)
{
	(void)state;
	assert_int_equal(text_distance("", "", 3), 0);
	assert_int_equal(text_distance("actor", "actor", 3), 0);
	assert_int_equal(text_distance("actor", "acotr", 3), 1);
	assert_int_equal(text_distance("actor", "actr", 3), 1);
	assert_int_equal(text_distance("actor", "factor", 3), 1);
	assert_int_equal(text_distance("été", "ete", 3), 2);
	assert_int_equal(text_distance("listen-prot", "listen-port", 3), 1);
	assert_int_equal(text_distance("kitten", "sitting", 5), 3);
	assert_int_equal(text_distance("ca", "abc", 5), 3);
	assert_int_equal(text_distance("", "abc", 5), 3);
}

static void distance_stops_beyond_the_maximum(void **state)
{
	(void)state;
	char a[400], b[400];
	assert_int_equal(text_distance("kitten", "sitting", 2), 3);
	assert_int_equal(text_distance("a", "abcdefghij", 3), 4);
	assert_int_equal(text_distance("abc", "xyz", 0), 1);
	memset(a, 'a', sizeof a);
	memset(b, 'a', sizeof b);
	a[399] = b[398] = '\0';
	assert_int_equal(text_distance(a, b, 3), 4);
	assert_int_equal(text_distance(a, a, 3), 0);
	a[128] = b[127] = '\0';
	assert_int_equal(text_distance(a, b, 3), 1);
	assert_int_equal(text_distance("\xff\xfe", "\xff\xfd", 3), 1);
}

static void dates_read_and_write(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int32_t days;
	} rows[] = {
		{"1970-01-01", 0},      {"1969-12-31", -1},      {"2000-02-29", 11016},
		{"2026-11-23", 20780},  {"0001-01-01", -719162}, {"9999-12-31", 2932896},
		{"1900-03-01", -25508},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int32_t days = 7;
		char text[16];
		assert_int_equal(text_to_date(rows[i].text, &days, NULL), 0);
		assert_int_equal(days, rows[i].days);
		text_from_date(days, text);
		assert_string_equal(text, rows[i].text);
	}
	int32_t days;
	assert_int_equal(text_to_date("23/11/2026", &days, NULL), 0);
	assert_int_equal(days, 20780);
	assert_int_equal(text_to_date("1/3/1900", &days, NULL), 0);
	assert_int_equal(days, -25508);
}

static void every_day_of_the_calendar_reads_back(void **state)
{
	(void)state;
	char last[16] = "";
	for (int32_t d = -719162; d <= 2932896; d++) {
		/* All days of some centuries, one in 97 of the others. */
		if (d % 97 != 0 && (d < -40000 || d > 50000))
			continue;
		char text[16];
		int32_t back;
		text_from_date(d, text);
		assert_true(strcmp(last, text) < 0);
		assert_int_equal(text_to_date(text, &back, NULL), 0);
		assert_int_equal(back, d);
		memcpy(last, text, sizeof last);
	}
	char text[16];
	text_from_date(INT32_MAX, text);
	assert_string_equal(text, "5881580-07-11");
	text_from_date(INT32_MIN, text);
	assert_string_equal(text, "-5877641-06-23");
}

static void days_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",           "2026",        "2026-11",     "2026-11-31",
		"2026-02-29", "1900-02-29",  "2026-00-10",  "2026-13-01",
		"2026-1-1",   "2026-11-23 ", " 2026-11-23", "0000-01-01",
		"31/02/2026", "2026/11/23",  "23-11-2026",  "23/11/26",
		"11/23/2026", "12026-01-01", "demain",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		int32_t days = 42;
		struct err e;
		assert_int_equal(text_to_date(bad[i], &days, &e), -ERR_INVALID);
		assert_int_equal(days, 42);
	}
}

static void instants_read_in_all_their_forms(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T18:30:00Z", 1795458600000},
		{"2026-11-23 18:30", 1795458600000},
		{"2026-11-23T18:30", 1795458600000},
		{"2026-11-23T19:30:00+01:00", 1795458600000},
		{"2026-11-23T13:00:00-0530", 1795458600000},
		{"2026-11-23t18:30:00z", 1795458600000},
		{"2026-11-23", 1795392000000},
		{"23/11/2026 18:30", 1795458600000},
		{"2026-11-23T18:30:00.5Z", 1795458600500},
		{"2026-11-23T18:30:00.123456789Z", 1795458600123},
		{"1969-12-31T23:59:59.999Z", -1},
		{"0001-01-01T00:00:00Z", -62135596800000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = 7;
		assert_int_equal(text_to_instant(rows[i].text, &ms, NULL), 0);
		assert_true(ms == rows[i].ms);
	}
}

static void instants_write_milliseconds_only_where_there_are_some(void **state)
{
	(void)state;
	char text[32];
	text_from_instant(1795458600000, text);
	assert_string_equal(text, "2026-11-23T18:30:00Z");
	text_from_instant(1795458600042, text);
	assert_string_equal(text, "2026-11-23T18:30:00.042Z");
	text_from_instant(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	text_from_instant(INT64_MAX, text);
	assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
	text_from_instant(INT64_MIN, text);
	assert_string_equal(text, "-292275055-05-16T16:47:04.192Z");
	for (int64_t ms = -4000000000; ms < 4000000000; ms += 7654321) {
		int64_t back;
		text_from_instant(ms, text);
		assert_int_equal(text_to_instant(text, &back, NULL), 0);
		assert_true(back == ms);
	}
}

static void times_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"18:30",
		"2026-11-23T",
		"2026-11-23T18",
		"2026-11-23T24:00",
		"2026-11-23T18:60",
		"2026-11-23T18:30:60Z",
		"2026-11-23T18:30:00.Z",
		"2026-11-23T18:30:00 Z",
		"2026-11-23T18:30:00+1",
		"2026-11-23T18:30:00+24:00",
		"2026-11-23T18:30:00ZZ",
		"2026-11-23Z",
		"0001-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-00:01",
		"2026-11-23T8:30",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t ms = 42;
		assert_int_equal(text_to_instant(bad[i], &ms, NULL), -ERR_INVALID);
		assert_int_equal(ms, 42);
	}
}

static void durations_have_a_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"30d", 2592000000}, {"12h", 43200000}, {"90m", 5400000}, {"45s", 45000},
		{"2w", 1209600000},  {"250ms", 250},    {"0s", 0},
	};
	int64_t ms;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(text_to_duration(rows[i].text, &ms, NULL), 0);
		assert_true(ms == rows[i].ms);
	}
	static const char *const bad[] = {"",
					  "5",
					  "d",
					  "-5d",
					  "5 d",
					  "5D",
					  "1.5h",
					  "5dd",
					  "1h30m",
					  "99999999999999999999s",
					  "99999999999999w"};
	ms = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_to_duration(bad[i], &ms, NULL), -ERR_INVALID);
	assert_int_equal(ms, 42);
}

static void whole_numbers_read_to_their_limits(void **state)
{
	(void)state;
	int64_t v = 42;
	assert_int_equal(text_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &v, NULL), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(text_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &v, NULL), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(text_to_int("-0", -1, 1, &v, NULL), 0);
	assert_int_equal(v, 0);
	assert_int_equal(text_to_int("007", 0, 7, &v, NULL), 0);
	assert_int_equal(v, 7);
	static const char *const bad[] = {
		"",
		"-",
		"+1",
		" 1",
		"1 ",
		"1x",
		"0x10",
		"--1",
		"1.0",
		"8",
		"-1",
		"9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999999999",
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_to_int(bad[i], 0, 7, &v, NULL), -ERR_INVALID);
	assert_int_equal(text_to_int("9223372036854775808", INT64_MIN, INT64_MAX, &v, NULL),
			 -ERR_INVALID);
	assert_int_equal(v, 7);
}

static void decimals_read_without_locale_or_oddities(void **state)
{
	(void)state;
	double v = 42;
	assert_int_equal(text_to_double("48.4545", &v, NULL), 0);
	assert_true(v == 48.4545);
	assert_int_equal(text_to_double("-2.5e-3", &v, NULL), 0);
	assert_true(v == -2.5e-3);
	assert_int_equal(text_to_double("7", &v, NULL), 0);
	assert_true(v == 7);
	static const char *const bad[] = {
		"",   "-",  ".5",  "5.",  "1e",    "1e+",   "48,45", " 1",
		"1 ", "+1", "inf", "nan", "0x1p3", "1e999", "1.2.3", "1f",
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(text_to_double(bad[i], &v, NULL), -ERR_INVALID);
	assert_true(v == 7);
}

static void assert_writes(double v, const char *expected)
{
	char text[32];
	text_from_double(v, text);
	assert_string_equal(text, expected);
	assert_true(strtod(text, NULL) == v);
}

static void decimals_write_as_short_as_they_can(void **state)
{
	(void)state;
	assert_writes(0, "0");
	assert_writes(-0.0, "-0");
	assert_writes(0.1, "0.1");
	assert_writes(48.4545, "48.4545");
	assert_writes(0.1 + 0.2, "0.30000000000000004");
	assert_writes(1e21, "1e+21");
	assert_writes(5e-324, "5e-324");
	assert_writes(DBL_MAX, "1.7976931348623157e+308");
	assert_writes(-DBL_MIN, "-2.2250738585072014e-308");
	uint64_t seed = 7;
	for (int i = 0; i < 20000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		double v, back;
		char text[32];
		memcpy(&v, &seed, sizeof v);
		if (!isfinite(v))
			continue;
		text_from_double(v, text);
		assert_int_equal(text_to_double(text, &back, NULL), 0);
		assert_memory_equal(&v, &back, sizeof v);
	}
}

static void a_locale_with_commas_changes_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"fr_FR.UTF-8", "de_DE.UTF-8", "fr_FR", "de_DE"};
	size_t i = 0;
	while (i < COUNT(names) && !setlocale(LC_NUMERIC, names[i]))
		i++;
	char text[32];
	double v;
	text_from_double(2.5, text);
	int rc = text_to_double("2.5", &v, NULL);
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(text, "2.5");
	assert_int_equal(rc, 0);
	assert_true(v == 2.5);
	if (i == COUNT(names))
		skip();
}

static void luhn_sums_are_checked(void **state)
{
	(void)state;
	assert_true(text_luhn("552081317"));
	assert_true(text_luhn("55208131766522"));
	assert_true(text_luhn("79927398713"));
	assert_true(text_luhn("0"));
	assert_false(text_luhn("79927398710"));
	assert_false(text_luhn("552081371"));
	assert_false(text_luhn(""));
	assert_false(text_luhn("5520 81317"));
	assert_false(text_luhn("55208131a"));
}

static void words_are_lowered_and_cut_to_fit(void **state)
{
	(void)state;
	char out[12];
	text_lower_word(&"STATUS_IN_PROGRESS"[strlen("STATUS_")], out, sizeof out);
	assert_string_equal(out, "in_progress");
	text_lower_word("MUCH_TOO_LONG_A_WORD", out, sizeof out);
	assert_string_equal(out, "much_too_lo");
	text_lower_word("A", out, 0);
	assert_string_equal(out, "much_too_lo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_utf8_is_taken_wherever_it_stands),
		cmocka_unit_test(what_is_not_utf8_is_refused_with_its_place),
		cmocka_unit_test(folding_drops_case_accents_and_forms),
		cmocka_unit_test(distance_counts_slips_of_the_keyboard),
		cmocka_unit_test(distance_stops_beyond_the_maximum),
		cmocka_unit_test(dates_read_and_write),
		cmocka_unit_test(every_day_of_the_calendar_reads_back),
		cmocka_unit_test(days_that_do_not_exist_are_refused),
		cmocka_unit_test(instants_read_in_all_their_forms),
		cmocka_unit_test(instants_write_milliseconds_only_where_there_are_some),
		cmocka_unit_test(times_that_do_not_exist_are_refused),
		cmocka_unit_test(durations_have_a_unit),
		cmocka_unit_test(whole_numbers_read_to_their_limits),
		cmocka_unit_test(decimals_read_without_locale_or_oddities),
		cmocka_unit_test(decimals_write_as_short_as_they_can),
		cmocka_unit_test(a_locale_with_commas_changes_nothing),
		cmocka_unit_test(luhn_sums_are_checked),
		cmocka_unit_test(words_are_lowered_and_cut_to_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

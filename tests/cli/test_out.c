/* test_out.c -- the same rows as table, JSON, JSON Lines and CSV. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "out.h"

static const struct out_column columns[] = {
	{.name = "ref"},
	{.name = "n", .type = OUT_NUMBER},
	{.name = "yes", .type = OUT_BOOL},
	{.name = "tags", .type = OUT_LIST},
	{.name = "more", .type = OUT_RAW},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const char *const rows[][COLUMNS] = {
	{"P-1", "12", "yes", "a|b\\|c", "{\"x\":1}"},
	{"é, \"q\"", "007", "no", "", NULL},
};

static char *print(enum out_format format, bool no_headers, const char *json)
{
	char *text = NULL;
	size_t n = 0;
	struct err e = {0};
	struct out o;
	FILE *file = open_memstream(&text, &n);
	assert_non_null(file);
	assert_int_equal(
		out_begin(&o, format, file, "seve.test/1", columns, COLUMNS, no_headers, &e), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(out_row(&o, rows[i], json, &e), 0);
	assert_int_equal(out_end(&o, &e), 0);
	fclose(file);
	return text;
}

static void prints(enum out_format format, const char *wanted)
{
	char *text = print(format, false, NULL);
	assert_string_equal(text, wanted);
	free(text);
}

static void json_is_one_object_with_typed_values(void **state)
{
	(void)state;
	prints(OUT_JSON, "{\"schema\":\"seve.test/1\",\"items\":["
			 "{\"ref\":\"P-1\",\"n\":12,\"yes\":true,\"tags\":[\"a\",\"b|c\"],\"more\":"
			 "{\"x\":1}},"
			 "{\"ref\":\"é, \\\"q\\\"\",\"n\":\"007\",\"yes\":false}]}\n");
}

static void json_lines_are_objects(void **state)
{
	(void)state;
	prints(OUT_JSONL, "{\"ref\":\"P-1\",\"n\":12,\"yes\":true,\"tags\":[\"a\",\"b|c\"],"
			  "\"more\":{\"x\":1}}\n"
			  "{\"ref\":\"é, \\\"q\\\"\",\"n\":\"007\",\"yes\":false}\n");
}

static void csv_quotes_what_needs_it_and_ends_rows_with_crlf(void **state)
{
	(void)state;
	prints(OUT_CSV, "ref,n,yes,tags,more\r\n"
			"P-1,12,yes,a|b\\|c,\"{\"\"x\"\":1}\"\r\n"
			"\"é, \"\"q\"\"\",007,no,,\r\n");
}

static void tables_are_aligned_by_what_characters_take_on_the_screen(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	char *text = print(OUT_TABLE, true, NULL);
	char *second = strchr(text, '\n') + 1;
	/* the number is right-aligned under the other one: é is one cell, though two bytes */
	assert_int_equal(strstr(second, "007") - second, strstr(text, "12") - text - 1 + 1);
	free(text);
}

static void a_whole_object_goes_in_the_place_of_the_cells(void **state)
{
	(void)state;
	char *text = print(OUT_JSONL, false, "{\"whole\":true}");
	assert_string_equal(text, "{\"whole\":true}\n{\"whole\":true}\n");
	free(text);
}

static void no_rows_are_an_empty_list(void **state)
{
	char *text = NULL;
	size_t n = 0;
	struct err e = {0};
	struct out o;
	(void)state;
	FILE *file = open_memstream(&text, &n);
	out_begin(&o, OUT_JSON, file, "seve.test/1", columns, COLUMNS, false, &e);
	assert_int_equal(out_end(&o, &e), 0);
	fclose(file);
	assert_string_equal(text, "{\"schema\":\"seve.test/1\",\"items\":[]}\n");
	free(text);
}

static void a_full_disk_is_an_error(void **state)
{
	struct err e = {0};
	struct out o;
	(void)state;
	FILE *file = fopen("/dev/full", "we");
	if (!file)
		skip();
	out_begin(&o, OUT_CSV, file, "", columns, COLUMNS, false, &e);
	out_row(&o, rows[0], NULL, &e);
	assert_int_equal(out_end(&o, &e), -ERR_IO);
	fclose(file);
}

static void formats_have_names(void **state)
{
	enum out_format format = OUT_TABLE;
	struct err e = {0};
	(void)state;
	assert_int_equal(out_format_parse("csv", &format, &e), 0);
	assert_int_equal(format, OUT_CSV);
	assert_int_equal(out_format_parse("xml", &format, &e), -ERR_USAGE);
	assert_int_equal(format, OUT_CSV);
	assert_non_null(strstr(e.remedy, "jsonl"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_one_object_with_typed_values),
		cmocka_unit_test(json_lines_are_objects),
		cmocka_unit_test(csv_quotes_what_needs_it_and_ends_rows_with_crlf),
		cmocka_unit_test(tables_are_aligned_by_what_characters_take_on_the_screen),
		cmocka_unit_test(a_whole_object_goes_in_the_place_of_the_cells),
		cmocka_unit_test(no_rows_are_an_empty_list),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(formats_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_csvfile.c -- CSV as partners write it: separators, line ends, quotes, encodings, and what is
 * no CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/csvfile.h"

/* Rows as "line:cell|cell" with a newline behind each. */
struct seen {
	char text[4096];
	unsigned rows, replaced;
	unsigned stop_at; /* 0: never */
};

static int see(void *ctx, const struct csvfile_row *row, struct err *e)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	(void)e;
	n += (size_t)snprintf(s->text + n, sizeof s->text - n, "%u:", row->line);
	for (size_t i = 0; i < row->n && n < sizeof s->text; i++)
		n += (size_t)snprintf(s->text + n, sizeof s->text - n, "%s%s", i ? "|" : "",
				      row->cells[i]);
	if (n < sizeof s->text)
		snprintf(s->text + n, sizeof s->text - n, "\n");
	s->replaced += row->replaced;
	s->rows++;
	return s->stop_at && s->rows == s->stop_at ? 77 : 0;
}

static int read_bytes(const void *bytes, size_t n, const struct csvfile_options *o, struct seen *s,
		      struct err *e)
{
	static const struct csvfile_options usual;
	FILE *file = tmpfile();
	assert_non_null(file);
	if (n)
		assert_int_equal(fwrite(bytes, 1, n, file), n);
	rewind(file);
	const int rc = csvfile_read(file, o ? o : &usual, see, s, e);
	fclose(file);
	return rc;
}

static void reads(const char *text, const char *wanted)
{
	struct seen s = {.rows = 0};
	struct err e = {0};
	assert_int_equal(read_bytes(text, strlen(text), NULL, &s, &e), 0);
	assert_string_equal(s.text, wanted);
}

static void comma_semicolon_and_tab_are_found_from_the_header(void **state)
{
	(void)state;
	reads("a,b\n1,2\n", "1:a|b\n2:1|2\n");
	reads("a;b\n1;2,5\n", "1:a|b\n2:1|2,5\n");
	reads("a\tb\n1\t2;3\n", "1:a|b\n2:1|2;3\n");
	reads("\"x;y;z\",b\n1,2\n", "1:x;y;z|b\n2:1|2\n");
}

static void a_given_separator_is_not_second_guessed(void **state)
{
	const struct csvfile_options o = {.separator = '|'};
	struct seen s = {.rows = 0};
	struct err e;
	(void)state;
	assert_int_equal(read_bytes("a,b|c\n", 6, &o, &s, &e), 0);
	assert_string_equal(s.text, "1:a,b|c\n");
}

static void line_ends_of_every_system_end_a_row(void **state)
{
	(void)state;
	reads("a,b\r\n1,2\r\n", "1:a|b\n2:1|2\n");
	reads("a,b\r1,2\r", "1:a|b\n2:1|2\n");
	reads("a,b\n1,2", "1:a|b\n2:1|2\n");
	reads("a,b\n\n\n1,2\n\n", "1:a|b\n4:1|2\n");
}

static void a_byte_order_mark_is_no_part_of_the_header(void **state)
{
	(void)state;
	reads("\xef\xbb\xbf"
	      "a;b\n1;2\n",
	      "1:a|b\n2:1|2\n");
}

static void a_row_of_several_lines_is_told_by_its_first(void **state)
{
	(void)state;
	reads("k,v\r\n1,\"x\n y\r\nz\"\r\n2,w\r\n", "1:k|v\n2:1|x\n y\nz\n5:2|w\n");
	reads("k,v\n\"a\n\nb\",c\n3,d\n", "1:k|v\n2:a\n\nb|c\n5:3|d\n");
}

static void doubled_quotes_are_one(void **state)
{
	(void)state;
	reads("k,v\n1,\"say \"\"yes\"\"\"\n2,\"\"\n", "1:k|v\n2:1|say \"yes\"\n3:2|\n");
}

static void blanks_at_the_ends_go_no_break_spaces_too(void **state)
{
	(void)state;
	reads("k,v\n 1 ,\"\u00a0 2 \u00a0\"\n", "1:k|v\n2:1|2\n");
}

static void control_characters_become_blanks_and_are_counted(void **state)
{
	const char text[] = "k,v\n1,a\x01"
			    "b\xc2\x9c"
			    "c\x7f"
			    "d\te\n";
	struct seen s = {.rows = 0};
	struct err e;
	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, NULL, &s, &e), 0);
	assert_string_equal(s.text, "1:k|v\n2:1|a b c d\te\n");
	assert_int_equal(s.replaced, 3);
}

static void bytes_that_are_not_utf8_are_named_with_line_and_remedy(void **state)
{
	struct seen s = {.rows = 0};
	struct err e = {0};
	const char latin[] = "cle;nom\nl0;ok\nl1;\"deux\nlignes, caf\xe9\"\n";
	const char windows[] = "cle;nom\nl1;l\x92\xe9t\xe9\n";
	(void)state;
	assert_int_equal(read_bytes(latin, sizeof latin - 1, NULL, &s, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "line 4"));
	assert_non_null(strstr(e.text, "\"nom\""));
	assert_non_null(strstr(e.text, "0xE9"));
	assert_non_null(strstr(e.text, "ISO-8859-1"));
	assert_non_null(strstr(e.remedy, "--encoding latin1"));
	assert_int_equal(read_bytes(windows, sizeof windows - 1, NULL, &s, &e), -ERR_INVALID);
	assert_non_null(strstr(e.remedy, "--encoding windows-1252"));
}

static void named_encodings_are_converted(void **state)
{
	const struct csvfile_options latin = {.encoding = "Latin1"};
	const struct csvfile_options windows = {.encoding = "windows-1252"};
	struct seen s = {.rows = 0}, w = {.rows = 0};
	struct err e;
	(void)state;
	assert_int_equal(read_bytes("k;v\n1;caf\xe9\n", 11, &latin, &s, &e), 0);
	assert_string_equal(s.text, "1:k|v\n2:1|café\n");
	assert_int_equal(read_bytes("k;v\n1;l\x92\x9cuf\n", 12, &windows, &w, &e), 0);
	assert_string_equal(w.text, "1:k|v\n2:1|l\u2019œuf\n");
}

static void what_is_no_text_is_refused(void **state)
{
	const struct csvfile_options klingon = {.encoding = "klingon"};
	struct seen s = {.rows = 0};
	struct err e = {0};
	(void)state;
	assert_int_equal(read_bytes("a,b\n1,\0\n", 8, NULL, &s, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "line 2"));
	assert_int_equal(read_bytes("\xff\xfe"
				    "a\0",
				    4, NULL, &s, &e),
			 -ERR_INVALID);
	assert_int_equal(read_bytes("\xff\xfe"
				    "ab",
				    4, NULL, &s, &e),
			 -ERR_INVALID);
	assert_non_null(strstr(e.text, "UTF-16"));
	assert_int_equal(read_bytes("a\n", 2, &klingon, &s, &e), -ERR_USAGE);
}

static void a_quote_that_never_ends_is_an_error_where_it_begins(void **state)
{
	struct seen s = {.rows = 0};
	struct err e = {0};
	const char text[] = "a,b\n1,2\n3,\"4\n5,6\n7,8\n";
	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, NULL, &s, &e), -ERR_INVALID);
	assert_non_null(strstr(e.text, "line 3"));
}

static void too_many_cells_and_too_long_rows_are_refused(void **state)
{
	struct seen s = {.rows = 0};
	struct err e = {0};
	char *long_row = malloc(CSVFILE_ROW_MAX + 10);
	(void)state;
	assert_non_null(long_row);
	memset(long_row, ',', CSVFILE_CELLS_MAX);
	long_row[CSVFILE_CELLS_MAX] = '\n';
	assert_int_equal(read_bytes(long_row, CSVFILE_CELLS_MAX + 1, NULL, &s, &e), -ERR_TOO_BIG);
	memset(long_row, 'x', CSVFILE_ROW_MAX + 10);
	assert_int_equal(read_bytes(long_row, CSVFILE_ROW_MAX + 10, NULL, &s, &e), -ERR_TOO_BIG);
	memset(long_row, '\n', CSVFILE_ROW_MAX + 10);
	long_row[0] = '"';
	assert_int_equal(read_bytes(long_row, CSVFILE_ROW_MAX + 10, NULL, &s, &e), -ERR_TOO_BIG);
	free(long_row);
}

static void the_reader_stops_when_told_to(void **state)
{
	struct seen s = {.stop_at = 2};
	struct err e;
	(void)state;
	assert_int_equal(read_bytes("a\n1\n2\n3\n", 8, NULL, &s, &e), 77);
	assert_int_equal(s.rows, 2);
}

static void an_empty_file_has_no_rows(void **state)
{
	(void)state;
	reads("", "");
	reads("\n\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comma_semicolon_and_tab_are_found_from_the_header),
		cmocka_unit_test(a_given_separator_is_not_second_guessed),
		cmocka_unit_test(line_ends_of_every_system_end_a_row),
		cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_header),
		cmocka_unit_test(a_row_of_several_lines_is_told_by_its_first),
		cmocka_unit_test(doubled_quotes_are_one),
		cmocka_unit_test(blanks_at_the_ends_go_no_break_spaces_too),
		cmocka_unit_test(control_characters_become_blanks_and_are_counted),
		cmocka_unit_test(bytes_that_are_not_utf8_are_named_with_line_and_remedy),
		cmocka_unit_test(named_encodings_are_converted),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(a_quote_that_never_ends_is_an_error_where_it_begins),
		cmocka_unit_test(too_many_cells_and_too_long_rows_are_refused),
		cmocka_unit_test(the_reader_stops_when_told_to),
		cmocka_unit_test(an_empty_file_has_no_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_reader.c -- every format as rows of named cells, and what is none: small files of ours, and
 * the nasty ones of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <jansson.h>

#include <cmocka.h>

#include "dialect.h"
#include "import/reader.h"

/* "line:name=cell|name=cell" with a newline behind each row; broken rows "line!reason". */
struct seen {
	char text[16384];
	unsigned rows, broken;
	int rc;
	struct err e;
};

static void add(struct seen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct seen *s, const char *fmt, ...)
{
	const size_t n = strlen(s->text);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(s->text + n, sizeof s->text - n, fmt, ap);
	va_end(ap);
}

static void see(struct reader *r, const struct reader_row *row, struct seen *s)
{
	size_t n;
	char *const *names = reader_columns(r, &n);
	s->rows++;
	s->broken += row->broken != NULL;
	if (row->broken) {
		add(s, "%u!%s\n", row->line, row->broken);
		return;
	}
	add(s, "%u:", row->line);
	for (size_t i = 0; i < row->n; i++)
		if (*row->cells[i])
			add(s, "%s=%s|", i < n ? names[i] : "?", row->cells[i]);
	add(s, "\n");
}

static void read_file(FILE *file, const char *name, const struct reader_options *o, struct seen *s)
{
	static const struct reader_options usual;
	struct reader *r = NULL;
	struct reader_row row;
	s->rc = reader_open(file, name, o ? o : &usual, &r, &s->e);
	while (s->rc == 0 && (s->rc = reader_next(r, &row, &s->e)) == 1) {
		see(r, &row, s);
		s->rc = 0;
	}
	assert_true(s->rc == 0 || s->e.text[0]);
	reader_close(r);
}

static void read_text(const char *text, size_t n, const char *name, const struct reader_options *o,
		      struct seen *s)
{
	FILE *file = tmpfile();
	assert_non_null(file);
	*s = (struct seen){.rows = 0};
	if (n)
		assert_int_equal(fwrite(text, 1, n, file), n);
	rewind(file);
	read_file(file, name, o, s);
	fclose(file);
}

static void reads_as(const char *text, const char *name, const struct reader_options *o,
		     const char *wanted)
{
	struct seen s;
	read_text(text, strlen(text), name, o, &s);
	if (s.rc)
		fail_msg("%s: %s", name, s.e.text);
	assert_string_equal(s.text, wanted);
}

static void refuses(const char *text, const char *name, const char *word)
{
	struct seen s;
	read_text(text, strlen(text), name, NULL, &s);
	assert_true(s.rc < 0);
	if (!strstr(s.e.text, word))
		fail_msg("\"%s\" does not say \"%s\"", s.e.text, word);
}

static void the_format_is_found_from_the_ending_or_the_first_bytes(void **state)
{
	(void)state;
	reads_as("a;b\n1;2\n", "x", NULL, "2:a=1|b=2|\n");
	reads_as("[{\"a\":1},{\"b\":\"x\"}]", "x", NULL, "1:a=1|\n2:b=x|\n");
	reads_as("{\"a\":1}\n{\"a\":2}\n", "x", NULL, "1:a=1|\n2:a=2|\n");
	reads_as("{\"a\":1}\n", "x.jsonl", NULL, "1:a=1|\n");
	reads_as("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":7,"
		 "\"geometry\":{\"type\":\"Point\",\"coordinates\":[2.5,51]},\"properties\":{"
		 "\"nom\":\"A\"}}]}",
		 "x.json", NULL,
		 "1:nom=A|feature.id=7|geometry.type=Point|geometry.lat=51|geometry.lon=2.5|\n");
}

static void an_object_s_members_are_columns_with_their_path(void **state)
{
	(void)state;
	reads_as("[{\"a\":{\"b\":{\"c\":true}},\"l\":[\"x\",\"y|z\",3],\"o\":[{\"k\":1},{\"k\":2}],"
		 "\"n\":null,\"r\":"
		 "0.5}]",
		 "x.json", NULL,
		 "1:a={\"b\":{\"c\":true}}|a.b={\"c\":true}|a.b.c=true|l=x|y\\|z|3|o=[{\"k\":1},{"
		 "\"k\":2}]|o.0.k="
		 "1|r=0.5|\n");
}

static void the_array_is_found_in_an_object_or_named_by_its_path(void **state)
{
	const struct reader_options deep = {.path = "data.rows"}, none = {.path = "data.rest"},
				    itself = {.path = "."};
	const char *text =
		"{\"total\":2,\"tags\":[1,2],\"items\":[{\"a\":1},{\"a\":2}],\"more\":{\"x\":[]}}";
	struct seen s;
	(void)state;
	reads_as(text, "x.json", NULL, "1:a=1|\n2:a=2|\n");
	reads_as("{\"x\":{},\"data\":{\"n\":1,\"rows\":[{\"a\":1}],\"z\":2},\"y\":3}", "x.json",
		 &deep, "1:a=1|\n");
	read_text(text, strlen(text), "x.json", &none, &s);
	assert_int_equal(s.rc, -ERR_NOT_FOUND);
	reads_as("{\"a\":1,\"l\":[{\"b\":2}]}", "x.json", &itself,
		 "1:a=1|l=[{\"b\":2}]|l.0.b=2|\n");
	reads_as("{\"a\":1}", "x.json", NULL, "1:a=1|\n");
}

static void what_stands_around_the_array_is_checked_too(void **state)
{
	(void)state;
	refuses("{\"items\":[{\"a\":1}],\"b\":}", "x.json", "value");
	refuses("{\"items\":[{\"a\":1}]} x", "x.json", "the end");
	refuses("[{\"a\":1}", "x.json", "ends in the middle");
	refuses("[{\"a\":1},]", "x.json", "value");
	refuses("[{\"a\":1}\n {\"a\":2}]", "x.json", "line 2");
}

static void a_broken_line_of_json_lines_does_not_stop_the_others(void **state)
{
	struct seen s;
	const char *text = "{\"a\":1}\n{\"a\":\n\n{\"a\":3}\n[4]\n";
	(void)state;
	read_text(text, strlen(text), "x.jsonl", NULL, &s);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.rows, 4);
	assert_int_equal(s.broken, 2);
	assert_non_null(strstr(s.text, "2!"));
	assert_non_null(strstr(s.text, "4:a=3|"));
}

static void rows_are_the_same_after_rewinding(void **state)
{
	static const struct reader_options usual;
	const char *text = "[{\"a\":1},{\"b\":2}]";
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct reader *r = NULL;
	struct reader_row row;
	struct err e;
	(void)state;
	assert_int_equal(reader_open(file, "x.json", &usual, &r, &e), 0);
	while (reader_next(r, &row, &e) == 1)
		;
	assert_int_equal(reader_rewind(r, &e), 0);
	assert_int_equal(reader_next(r, &row, &e), 1);
	assert_int_equal(row.n, 2);
	assert_string_equal(row.cells[0], "1");
	assert_string_equal(row.cells[1], "");
	reader_close(r);
	fclose(file);
}

/* ---- calendars ---- */

static const char *event(const char *lines)
{
	static char text[4096];
	snprintf(text, sizeof text,
		 "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:"
		 "20260101T000000Z\r\n%sEND:VEVENT\r\nEND:VCALENDAR\r\n",
		 lines);
	return text;
}

static const struct reader_options window = {.from_on = 20454, .until_on = 20818}; /* 2026 */

static void has(const char *text, const char *wanted)
{
	struct seen s;
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rc, 0);
	if (!strstr(s.text, wanted))
		fail_msg("%s\nhas no %s", s.text, wanted);
}

static void an_event_is_a_row_whatever_its_time_is_like(void **state)
{
	(void)state;
	has(event("DTSTART:20260312T090000Z\r\nDTEND:20260312T103000Z\r\nSUMMARY:A\\, B\\nC\r\n"),
	    "4:key=u1|uid=u1|summary=A, B\nC|start=2026-03-12T09:00:00Z|end=2026-03-12T10:30:00Z|");
	has(event("DTSTART;TZID=Europe/Paris:20260712T090000\r\nDURATION:PT1H\r\n"),
	    "start=2026-07-12T07:00:00Z|end=2026-07-12T08:00:00Z|");
	has(event("DTSTART;VALUE=DATE:20260312\r\n"), "start=2026-03-12|all_day=yes|");
	has(event("DTSTART;VALUE=DATE:20260312\r\nDTEND;VALUE=DATE:20260315\r\n"),
	    "end=2026-03-14|");
	has(event("DTSTART:20260312T090000Z\r\nSTATUS:CANCELLED\r\n"),
	    "state=cancelled|cause=cancelled in the calendar|");
	has(event("DTSTART:20260312T090000Z\r\nSUMMARY:Board (CANCELLED)\r\n"), "state=cancelled|");
}

static void a_repeated_event_is_told_once_for_each_time_with_a_stable_key(void **state)
{
	struct seen s;
	const char *text = event("DTSTART:20260105T090000Z\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\n"
				 "EXDATE:20260112T090000Z\r\nSUMMARY:Weekly\r\n");
	(void)state;
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rows, 3);
	assert_non_null(strstr(s.text, "key=u1/20260105T090000Z|"));
	assert_non_null(strstr(s.text, "key=u1/20260119T090000Z|"));
	assert_null(strstr(s.text, "20260112"));
}

static void dates_rules_and_exceptions_may_stand_in_several_lines(void **state)
{
	struct seen s;
	const char *text = event("DTSTART:20260105T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\n"
				 "RRULE:FREQ=WEEKLY;COUNT=3\r\nRDATE:20260301T090000Z\r\n"
				 "RDATE:20260302T090000Z\r\nRDATE:20260303T090000Z\r\n"
				 "EXDATE:20260105T090000Z\r\nEXDATE:20260302T090000Z\r\n");
	(void)state;
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rows, 5);
	assert_non_null(strstr(s.text, "20260106T090000Z"));
	assert_non_null(strstr(s.text, "20260112T090000Z"));
	assert_non_null(strstr(s.text, "20260119T090000Z"));
	assert_non_null(strstr(s.text, "20260301T090000Z"));
	assert_non_null(strstr(s.text, "20260303T090000Z"));
}

static void an_occurrence_that_was_moved_keeps_its_key(void **state)
{
	static const char text[] = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:"
				   "u\nDTSTART:20260105T090000Z\n"
				   "RRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\nBEGIN:VEVENT\nUID:"
				   "u\nRECURRENCE-ID:20260106T090000Z\n"
				   "DTSTART:20260106T140000Z\nEND:VEVENT\nEND:VCALENDAR\n";
	struct seen s;
	(void)state;
	read_text(text, sizeof text - 1, "x.ics", &window, &s);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.rows, 3);
	assert_non_null(strstr(s.text,
			       "key=u/20260106T090000Z|uid=u|recurrence_id=20260106T090000Z|start="
			       "2026-01-06T14:00:00Z"));
}

static void
a_rule_without_end_is_bounded_by_the_window_and_one_that_never_rests_is_refused(void **state)
{
	struct seen s;
	const char *text = event("DTSTART:20200101T090000Z\r\nRRULE:FREQ=MONTHLY\r\n");
	(void)state;
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rows, 12);
	text = event("DTSTART:20260101T090000Z\r\nRRULE:FREQ=SECONDLY\r\n");
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rows, 1);
	assert_int_equal(s.broken, 1);
	assert_non_null(strstr(s.text, "repeats more often"));
}

static void is_broken(const char *lines, const char *why)
{
	struct seen s;
	const char *text = event(lines);
	read_text(text, strlen(text), "x.ics", &window, &s);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.broken, 1);
	if (!strstr(s.text, why))
		fail_msg("%s\nhas no %s", s.text, why);
}

/* Each of them kept libical busy for minutes. */
static void a_rule_that_would_be_followed_for_ever_is_refused(void **state)
{
	static const char start[] = "DTSTART:20260101T090000Z\r\n";
	char lines[256];
	(void)state;
	snprintf(lines, sizeof lines, "%sRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\r\n", start);
	is_broken(lines, "under conditions");
	snprintf(lines, sizeof lines, "%sRRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30\r\n", start);
	is_broken(lines, "under conditions");
	snprintf(lines, sizeof lines, "%sRRULE:FREQ=HOURLY;BYWEEKNO=53;BYDAY=MO\r\n", start);
	is_broken(lines, "under conditions");
	is_broken("DTSTART:08000101T090000Z\r\nRRULE:FREQ=DAILY\r\n", "too far");
	has(event("DTSTART:20260101T090000Z\r\nRRULE:FREQ=HOURLY;COUNT=2\r\n"),
	    "key=u1/20260101T100000Z|");
}

/* A file of `n` events, each repeated day by day, each with a line that takes one away or moves it.
 */
static char *many_events(unsigned n, const char *more)
{
	const size_t room = n * 240 + 200;
	char *text = malloc(room);
	size_t at;
	assert_non_null(text);
	at = (size_t)snprintf(text, room, "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n");
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, room - at,
				       "BEGIN:VEVENT\nUID:u%u\nDTSTART:20260101T090000Z\n"
				       "RRULE:FREQ=DAILY;COUNT=100\nEND:VEVENT\n%s",
				       i, more);
	snprintf(text + at, room - at, "END:VCALENDAR\n");
	return text;
}

static void a_moved_occurrence_is_left_out_of_one_event_among_many(void **state)
{
	struct seen s;
	char *text = many_events(500, "BEGIN:VEVENT\nUID:u1\nRECURRENCE-ID:20260102T090000Z\n"
				      "DTSTART:20260102T100000Z\nEND:VEVENT\n");
	(void)state;
	read_text(text, strlen(text), "x.ics", &window, &s);
	free(text);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.rows, 500 * 100 - 1 + 500);
}

/* 600 * 400 occurrences: the events behind the limit are told as bad. */
static void a_small_file_does_not_become_an_endless_one(void **state)
{
	static const struct reader_options long_window = {.from_on = 20454, .until_on = 21000};
	struct seen s;
	char *text = many_events(600, "");
	(void)state;
	for (char *p = text; (p = strstr(p, "COUNT=100")); p += 9)
		memcpy(p, "COUNT=400", 9);
	read_text(text, strlen(text), "x.ics", &long_window, &s);
	free(text);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.rows, 200000 + 100);
	assert_int_equal(s.broken, 100);
}

static void a_component_of_very_many_lines_is_refused(void **state)
{
	enum { LINES = 6000, ROOM = 4 * LINES + 100 };
	char *text = malloc(ROOM);
	struct seen s;
	(void)state;
	assert_non_null(text);
	size_t at = (size_t)snprintf(text, ROOM, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n");
	for (unsigned i = 0; i < LINES; i++)
		at += (size_t)snprintf(text + at, ROOM - at, "X:\n");
	at += (size_t)snprintf(text + at, ROOM - at, "END:VEVENT\nEND:VCALENDAR\n");
	read_text(text, at, "x.ics", &window, &s);
	free(text);
	assert_int_equal(s.rc, -ERR_TOO_BIG);
}

static void a_byte_order_mark_does_not_move_the_lines(void **state)
{
	static char text[2000];
	(void)state;
	snprintf(text, sizeof text, "\xef\xbb\xbf%s", event("DTSTART:20260312T090000Z\r\n"));
	has(text, "4:key=u1|");
}

static void a_damaged_calendar_is_refused_in_words(void **state)
{
	(void)state;
	refuses("BEGIN:VEVENT\nEND:VEVENT\n", "x.ics", "outside a VCALENDAR");
	refuses("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "x.ics",
		"END:VCALENDAR where VEVENT");
	refuses("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "x.ics", "ends inside VEVENT");
	refuses("BEGIN:VCALENDAR\nSUMMARY:\xff\nEND:VCALENDAR\n", "x.ics", "line 2");
	has(event("SUMMARY:no start\r\n"), "4!the event has no DTSTART");
	has(event("DTSTART;TZID=Nowhere/At all:20260312T090000\r\n"), "is not known");
}

/* ---- what others collected ---- */

static char folder[512];

static bool data_folder(const char *name)
{
	const char *source = getenv("SEVE_SOURCE");
	if (source)
		snprintf(folder, sizeof folder, "%s/tests/data/%s", source, name);
	return source != NULL;
}

static void read_path(const char *name, struct seen *s)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	*s = (struct seen){.rows = 0};
	read_file(file, name, NULL, s);
	fclose(file);
}

/* Calls `fn` for each file of the folder with this ending. */
static unsigned each(const char *ending, void (*fn)(const char *name, struct seen *s, void *ctx),
		     void *ctx)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		const size_t len = strlen(d->d_name), e = strlen(ending);
		struct seen s;
		if (len < e || strcmp(d->d_name + len - e, ending) != 0)
			continue;
		read_path(d->d_name, &s);
		fn(d->d_name, &s, ctx);
		n++;
	}
	closedir(dir);
	return n;
}

struct counts {
	unsigned accepted, refused, free_accepted, rows, broken;
};

static void json_case(const char *name, struct seen *s, void *ctx)
{
	struct counts *c = ctx;
	if (*name == 'y' && s->rc)
		fail_msg("%s is refused: %s", name, s->e.text);
	if (*name == 'n' && s->rc == 0)
		fail_msg("%s is taken", name);
	c->accepted += *name == 'y';
	c->refused += *name == 'n';
	c->free_accepted += *name == 'i' && s->rc == 0;
}

static void the_json_test_suite_is_judged_as_it_wants(void **state)
{
	struct counts c = {0};
	(void)state;
	if (!data_folder("nasty/json"))
		skip();
	assert_int_equal(each(".json", json_case, &c), 159);
	assert_int_equal(c.accepted, 47);
	assert_int_equal(c.refused, 94);
}

/* The expected JSON holds objects of the columns, in order. */
static void csv_case(const char *name, struct seen *s, void *ctx)
{
	char path[1024];
	json_error_t why;
	unsigned *rows = ctx;
	snprintf(path, sizeof path, "%s/%.*s.json", folder, (int)strlen(name) - 4, name);
	json_t *wanted = json_load_file(path, 0, &why);
	assert_non_null(wanted);
	assert_int_equal(s->rc, 0);
	/* one of them expects an object, and another number than its file holds */
	assert_int_equal(s->rows, json_is_array(wanted) ? json_array_size(wanted) : 1);
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const char *key;
		json_t *v;
		json_object_foreach(json_array_get(wanted, i), key, v)
		{
			char cell[512], *cr;
			snprintf(cell, sizeof cell, "%s=%s|", key, json_string_value(v));
			while ((cr = strstr(cell, "\r\n")))
				memmove(cr, cr + 1, strlen(cr));
			if (*json_string_value(v) && !strstr(s->text, cell))
				fail_msg("%s: no %s in %s", name, cell, s->text);
		}
	}
	*rows += s->rows;
	json_decref(wanted);
}

static void csv_spectrum_is_read_as_it_wants(void **state)
{
	unsigned rows = 0;
	(void)state;
	if (!data_folder("nasty/csv"))
		skip();
	assert_int_equal(each(".csv", csv_case, &rows), 12);
	assert_true(rows >= 12);
}

/* Through CSV, with a blank for what is no text, every naughty string is a cell like another. */
static void naughty_strings_are_text_like_any_other(void **state)
{
	json_error_t why;
	char path[600];
	unsigned formulas = 0;
	(void)state;
	if (!data_folder("nasty/blns"))
		skip();
	snprintf(path, sizeof path, "%s/blns.json", folder);
	json_t *list = json_load_file(path, 0, &why);
	assert_non_null(list);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_pack("[{sO}]", "a", json_array_get(list, i));
		char *text = json_dumps(one, 0);
		struct seen s;
		read_text(text, strlen(text), "x.json", NULL, &s);
		assert_int_equal(s.rc, 0);
		assert_int_equal(s.rows, 1);
		const char *string = json_string_value(json_array_get(list, i));
		if (dialect_is_formula(string)) {
			char quoted[4096];
			formulas++;
			snprintf(quoted, sizeof quoted, "'%s", string);
			assert_string_equal(dialect_plain(quoted), string);
			assert_true(*quoted == '\'');
		} else {
			assert_string_equal(dialect_plain(string), string);
		}
		free(text);
		json_decref(one);
	}
	assert_true(json_array_size(list) > 400);
	assert_true(formulas > 10);
	json_decref(list);
}

static void ics_case(const char *name, struct seen *s, void *ctx)
{
	struct counts *c = ctx;
	(void)name;
	c->accepted += s->rc == 0;
	c->refused += s->rc != 0;
	c->rows += s->rows;
	c->broken += s->broken;
}

static void calendars_of_a_parser_s_tests_are_read_or_refused_in_words(void **state)
{
	struct counts c = {0};
	(void)state;
	if (!data_folder("calendars/nasty"))
		skip();
	assert_int_equal(each(".ics", ics_case, &c), 77);
	assert_int_equal(c.accepted, 50);
	assert_int_equal(c.refused, 27);
	assert_true(c.rows > 100 && c.broken < c.rows / 2);
}

static void a_number_is_no_formula_and_an_apostrophe_is_taken_away_once(void **state)
{
	static const char *const plain[] = {"", "a", "-12,5", "+3.25", "'quoted'", "12=3", "-"};
	static const char *const formulas[] = {"=1+1", "-1+2", "@x",   "+cmd",
					       "\tx",  "'=a",  "''-b", "-12,5,3"};
	(void)state;
	for (size_t i = 0; i + 1 < sizeof plain / sizeof *plain; i++)
		assert_false(dialect_is_formula(plain[i]));
	for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
		char quoted[32];
		assert_true(dialect_is_formula(formulas[i]));
		snprintf(quoted, sizeof quoted, "'%s", formulas[i]);
		assert_string_equal(dialect_plain(quoted), formulas[i]);
	}
	assert_string_equal(dialect_plain("'quoted'"), "'quoted'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_found_from_the_ending_or_the_first_bytes),
		cmocka_unit_test(an_object_s_members_are_columns_with_their_path),
		cmocka_unit_test(the_array_is_found_in_an_object_or_named_by_its_path),
		cmocka_unit_test(what_stands_around_the_array_is_checked_too),
		cmocka_unit_test(a_broken_line_of_json_lines_does_not_stop_the_others),
		cmocka_unit_test(rows_are_the_same_after_rewinding),
		cmocka_unit_test(an_event_is_a_row_whatever_its_time_is_like),
		cmocka_unit_test(a_repeated_event_is_told_once_for_each_time_with_a_stable_key),
		cmocka_unit_test(dates_rules_and_exceptions_may_stand_in_several_lines),
		cmocka_unit_test(an_occurrence_that_was_moved_keeps_its_key),
		cmocka_unit_test(
			a_rule_without_end_is_bounded_by_the_window_and_one_that_never_rests_is_refused),
		cmocka_unit_test(a_rule_that_would_be_followed_for_ever_is_refused),
		cmocka_unit_test(a_moved_occurrence_is_left_out_of_one_event_among_many),
		cmocka_unit_test(a_small_file_does_not_become_an_endless_one),
		cmocka_unit_test(a_component_of_very_many_lines_is_refused),
		cmocka_unit_test(a_byte_order_mark_does_not_move_the_lines),
		cmocka_unit_test(a_damaged_calendar_is_refused_in_words),
		cmocka_unit_test(the_json_test_suite_is_judged_as_it_wants),
		cmocka_unit_test(csv_spectrum_is_read_as_it_wants),
		cmocka_unit_test(naughty_strings_are_text_like_any_other),
		cmocka_unit_test(calendars_of_a_parser_s_tests_are_read_or_refused_in_words),
		cmocka_unit_test(a_number_is_no_formula_and_an_apostrophe_is_taken_away_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

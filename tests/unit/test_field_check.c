/* test_field_check.c -- common/field_check.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field.h"
#include "random.h"

enum { ARENA = 16 * 1024 * 1024 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct problem *only(const struct problems *p)
{
	assert_int_equal(p->n, 1);
	assert_int_equal(p->dropped, 0);
	assert_int_equal(p->errors, !p->list[0].warning);
	return &p->list[0];
}

/* Required fields of each kind that the tables below touch. */
static ProtobufCMessage *plain(struct arena *a, const char *kind)
{
	static const struct {
		const char *kind, *field, *text;
	} rows[] = {
		{"territory", "slug", "dinan"},
		{"territory", "name", "Pays de Dinan"},
		{"actor", "name", "Fonderie du Port"},
		{"contact", "actor_id", "019abcde-f012-7000-8000-0123456789ab"},
		{"contact", "name", "A. B."},
		{"action", "title", "Chaleur fatale"},
		{"position", "actor_id", "019abcde-f012-7000-8000-0123456789ab"},
		{"position", "action_id", "019abcde-f012-7000-8000-0123456789ab"},
		{"position", "stance", "pilot"},
		{"meeting", "kind", "workshop"},
		{"group", "name", "Énergie"},
		{"resource", "stance", "capacity"},
		{"resource", "actor_id", "019abcde-f012-7000-8000-0123456789ab"},
		{"resource", "family", "by_product_waste"},
		{"resource", "label", "Chutes de bois"},
	};
	const struct kind *k = kind_by_name(kind);
	ProtobufCMessage *m = field_new_message(a, k->desc);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!strcmp(rows[i].kind, kind))
			assert_int_equal(field_from_text(a, m, field_by_name(k, rows[i].field),
							 rows[i].text, NULL),
					 0);
	return m;
}

static void plain_records_are_good(void **state)
{
	(void)state;
	static const char *const kinds[] = {"territory", "actor",   "contact", "action",
					    "position",  "meeting", "group"};
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct problems p = {0};
		field_check_record(kind_by_name(kinds[i]), plain(&a, kinds[i]), &p);
		assert_int_equal(p.n, 0);
	}
	arena_fini(&a);
}

static const struct {
	const char *kind, *field, *text, *code; /* NULL: good */
} values[] = {
	{"territory", "slug", "", "REQUIRED"},
	{"territory", "slug", "d", "FORMAT"},
	{"territory", "slug", "Dinan", "FORMAT"},
	{"territory", "slug", "pays-de-dinan-2", NULL},
	{"territory", "insee_codes", "22050|2A004|2B033|97411", NULL},
	{"territory", "insee_codes", "22050|2C004", "FORMAT"},
	{"territory", "insee_codes", "2205", "ZERO"},
	{"territory", "insee_codes", "220", "FORMAT"},
	{"territory", "phase", "7", NULL},
	{"territory", "phase", "8", "RANGE"},
	{"territory", "policy", "{\"cohort_threshold\":1}", "RANGE"},
	{"territory", "policy", "{\"cohort_threshold\":2,\"load_mode\":\"warn\"}", NULL},
	{"actor", "name", "", "REQUIRED"},
	{"actor", "name", "  \n", "REQUIRED"},
	{"actor", "name", "one\ntwo\tthree", NULL},
	{"actor", "name", "bell \a", "FORMAT"},
	{"actor", "name", "delete \x7f", "FORMAT"},
	{"actor", "siren", "732829320", NULL},
	{"actor", "siren", "732829321", "LUHN"},
	{"actor", "siren", "73282932", "ZERO"},
	{"actor", "siren", "732829320.0", "NUMBER"},
	{"actor", "siren", "7328293", "FORMAT"},
	{"actor", "siret", "3282932000074", "ZERO"},
	{"actor", "postal_code", "1400", "ZERO"},
	{"actor", "postal_code", "84200.0", "NUMBER"},
	{"actor", "postal_code", "8.0", "NUMBER"},
	{"actor", "postal_code", "59140", NULL},
	{"actor", "postal_code", "SW1A 1AA", NULL},
	{"actor", "naf_code", "20.15A", "LIST"},
	{"actor", "insee_code", "1001", "ZERO"},
	{"actor", "insee_code", "01039", "COMMUNE"},
	{"actor", "insee_code", "99999", "COMMUNE"},
	{"actor", "insee_code", "75102", NULL},
	{"resource", "waste_code", "15 01 10*", NULL},
	{"resource", "waste_code", "150110", NULL},
	{"resource", "waste_code", "15 01 01*", "HAZARD"},
	{"resource", "waste_code", "15 01 99", "LIST"},
	{"resource", "waste_code", "15 01", "FORMAT"},
	{"resource", "waste_code", "15-01-10", "FORMAT"},
	{"actor", "siren", "73282932A", "FORMAT"},
	{"actor", "siret", "73282932000074", NULL},
	{"actor", "siret", "73282932000075", "LUHN"},
	{"actor", "siret", "732 829 320 00074", "FORMAT"},
	{"actor", "rna", "W221000123", NULL},
	{"actor", "rna", "221000123", "FORMAT"},
	{"actor", "rna", "w221000123", "FORMAT"},
	{"actor", "naf_code", "20.14Z", NULL},
	{"actor", "naf_code", "2014Z", "FORMAT"},
	{"actor", "naf_code", "20.14z", "FORMAT"},
	{"actor", "naf_code", "20.14ZZ", "FORMAT"},
	{"actor", "insee_code", "2A004", NULL},
	{"actor", "insee_code", "A2004", "FORMAT"},
	{"actor", "lat", "90", NULL},
	{"actor", "lat", "90.001", "RANGE"},
	{"actor", "lon", "-180.5", "RANGE"},
	{"contact", "email", "a.b@example.org", NULL},
	{"contact", "email", "a.b", "FORMAT"},
	{"contact", "email", "@b", "FORMAT"},
	{"contact", "email", "a@", "FORMAT"},
	{"contact", "email", "a@b@c", "FORMAT"},
	{"contact", "email", "a b@c", "FORMAT"},
	{"contact", "actor_id", "", "REQUIRED"},
	{"contact", "actor_id", "00000000-0000-0000-0000-000000000000", "FORMAT"},
	{"contact", "actor_id", "5f2d4e0c-4a3c-4d7f-9e5a-0c8e8d1b2a3f", "FORMAT"},
	{"action", "progress", "100", NULL},
	{"action", "progress", "101", "RANGE"},
	{"action", "effort", "0", "RANGE"},
	{"action", "objectives", "{\"people\":-2}", NULL},
	{"action", "objectives", "{\"people\":-3}", "RANGE"},
	{"position", "hours_month", "744.5", "RANGE"},
	{"position", "group_id", "019abcde-f012-7000-8000-0123456789ab", "REQUIRED"},
	{"position", "action_id", "", "REQUIRED"},
	{"meeting", "facilitation", "[{\"role\":\"lead\"}]", "REQUIRED"},
	{"meeting", "host_ids", "5f2d4e0c-4a3c-4d7f-9e5a-0c8e8d1b2a3f", "FORMAT"},
};

/* What is said, and does not stop the record. */
static bool is_remark(const char *code, const char *field)
{
	return !strcmp(code, "LUHN") || !strcmp(code, "COMMUNE") || !strcmp(code, "HAZARD") ||
	       (!strcmp(code, "ZERO") && !strcmp(field, "postal_code"));
}

static void each_value_is_judged_by_its_rule(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	for (size_t i = 0; i < COUNT(values); i++, arena_reset(&a)) {
		const struct kind *k = kind_by_name(values[i].kind);
		ProtobufCMessage *m = plain(&a, k->name);
		struct problems p = {0};
		assert_int_equal(field_from_text(&a, m, field_by_name(k, values[i].field),
						 values[i].text, NULL),
				 0);
		field_check_record(k, m, &p);
		if (p.n != (values[i].code != NULL) ||
		    (p.n && strcmp(p.list[0].code, values[i].code) != 0))
			fail_msg("%s=%s: %zu problems, %s", values[i].field, values[i].text, p.n,
				 p.n ? p.list[0].text : "");
		if (p.n)
			assert_int_equal(p.list[0].warning,
					 is_remark(values[i].code, values[i].field));
	}
	arena_fini(&a);
}

static void a_problem_names_the_path_and_what_is_wanted(void **state)
{
	(void)state;
	Seve__Action action = SEVE__ACTION__INIT;
	action.title = (char[]){"x"};
	action.has_progress = 1;
	action.progress = 130;
	struct problems p = {0};
	field_check_record(kind_by_name("action"), &action.base, &p);
	assert_string_equal(only(&p)->field, "action.progress");
	assert_string_equal(only(&p)->code, "RANGE");
	assert_string_equal(only(&p)->text, "action.progress: 130 is not between 0 and 100");
	assert_false(only(&p)->warning);
}

static void a_nested_problem_names_its_place_in_the_list(void **state)
{
	(void)state;
	struct random r = random_from(21);
	struct arena a;
	arena_init(&a, ARENA);
	Seve__Facilitation good = SEVE__FACILITATION__INIT, wrong = SEVE__FACILITATION__INIT;
	good.has_contact_id = wrong.has_contact_id = 1;
	good.contact_id = wrong.contact_id = random_id(&r, &a);
	wrong.has_role = 1;
	wrong.role = (Seve__Facilitation__Role)42;
	Seve__Facilitation *list[] = {&good, &good, &wrong};
	Seve__Meeting *m = (Seve__Meeting *)plain(&a, "meeting");
	m->facilitation = list;
	m->n_facilitation = 3;
	struct problems p = {0};
	field_check_record(kind_by_name("meeting"), &m->base, &p);
	assert_string_equal(only(&p)->field, "meeting.facilitation[2].role");
	assert_string_equal(only(&p)->code, "ENUM");
	assert_non_null(strstr(only(&p)->text, "42 is none of lead, co, observer, secretary"));
	arena_fini(&a);
}

static void the_unspecified_value_is_no_value(void **state)
{
	(void)state;
	Seve__Action action = SEVE__ACTION__INIT;
	action.title = (char[]){"x"};
	action.has_horizon = 1;
	struct problems p = {0};
	field_check_record(kind_by_name("action"), &action.base, &p);
	assert_string_equal(only(&p)->code, "ENUM");
}

static void texts_that_cannot_be_told_from_absence_are_refused(void **state)
{
	(void)state;
	Seve__Action action = SEVE__ACTION__INIT;
	action.title = (char[]){"x"};
	action.description = (char[]){""};
	struct problems p = {0};
	field_check_record(kind_by_name("action"), &action.base, &p);
	assert_string_equal(only(&p)->field, "action.description");
	assert_string_equal(only(&p)->code, "FORMAT");
}

static void bad_bytes_in_texts_are_refused(void **state)
{
	(void)state;
	Seve__Action action = SEVE__ACTION__INIT;
	action.title = (char[]){"caf\xe9"};
	struct problems p = {0};
	field_check_record(kind_by_name("action"), &action.base, &p);
	assert_string_equal(only(&p)->code, "FORMAT");
	assert_non_null(strstr(only(&p)->text, "UTF-8"));
}

static void numbers_and_times_have_bounds(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	Seve__Actor *actor = (Seve__Actor *)plain(&a, "actor");
	actor->has_lat = 1;
	actor->lat = strtod("nan", NULL);
	actor->has_joined_on = 1;
	actor->joined_on = INT32_MAX;
	struct problems p = {0};
	field_check_record(kind_by_name("actor"), &actor->base, &p);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.list[0].code, "RANGE");
	assert_string_equal(p.list[1].code, "RANGE");
	Seve__Meeting *meeting = (Seve__Meeting *)plain(&a, "meeting");
	static const struct {
		int64_t at;
		size_t problems;
	} rows[] = {{INT64_MAX, 1},
		    {INT64_MIN, 1},
		    {253402300799999, 0},
		    {253402300800000, 1},
		    {-62135596800000, 0},
		    {-62135596800001, 1},
		    {0, 0}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct problems q = {0};
		meeting->has_start_at = 1;
		meeting->start_at = rows[i].at;
		field_check_record(kind_by_name("meeting"), &meeting->base, &q);
		assert_int_equal(q.n, rows[i].problems);
	}
	arena_fini(&a);
}

static char *long_text(struct arena *a, size_t n)
{
	char *s = arena_alloc(a, n + 1);
	memset(s, 'x', n);
	s[n] = '\0';
	return s;
}

static void texts_lists_and_records_have_a_greatest_length(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	static const struct {
		size_t text, members, member;
		const char *field; /* of the problem; NULL: none */
	} rows[] = {
		{FIELD_TEXT_MAX, 0, 0, NULL},
		{FIELD_TEXT_MAX + 1, 0, 0, "actor.name"},
		{1, FIELD_LIST_MAX, 1, NULL},
		{1, FIELD_LIST_MAX + 1, 1, "actor.tags"},
		{1, 1, FIELD_TEXT_MAX + 1, "actor.tags"},
		{1, 5, FIELD_TEXT_MAX, "actor"},
	};
	for (size_t i = 0; i < COUNT(rows); i++, arena_reset(&a)) {
		Seve__Actor m = SEVE__ACTOR__INIT;
		m.name = long_text(&a, rows[i].text);
		m.tags = arena_array(&a, rows[i].members, sizeof *m.tags);
		for (m.n_tags = 0; m.n_tags < rows[i].members; m.n_tags++)
			m.tags[m.n_tags] = long_text(&a, rows[i].member);
		struct problems p = {0};
		field_check_record(kind_by_name("actor"), &m.base, &p);
		assert_int_equal(p.n, rows[i].field != NULL);
		if (p.n) {
			assert_string_equal(p.list[0].field, rows[i].field);
			assert_string_equal(p.list[0].code, "TOO_LONG");
		}
	}
	arena_fini(&a);
}

static void problems_beyond_the_room_are_counted(void **state)
{
	(void)state;
	struct problems p = {0};
	for (unsigned i = 0; i < 20; i++)
		problem_add(&p, i % 2, "f", "CODE", "problem %u", i);
	assert_int_equal(p.n, COUNT(p.list));
	assert_int_equal(p.dropped, 20 - COUNT(p.list));
	assert_int_equal(p.errors, 10);
	assert_string_equal(p.list[3].text, "problem 3");
}

static void levels_and_references_are_checked_in_meta(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	Seve__ExternalRef good = SEVE__EXTERNAL_REF__INIT, empty = SEVE__EXTERNAL_REF__INIT;
	good.source = (char[]){"cci"};
	good.key = (char[]){"42"};
	Seve__ExternalRef longer = good;
	longer.key = long_text(&a, FIELD_REF_MAX + 1);
	Seve__ExternalRef *refs[FIELD_REFS_MAX + 1];
	for (size_t i = 0; i < COUNT(refs); i++)
		refs[i] = &good;
	Seve__Meta meta = SEVE__META__INIT;
	meta.refs = refs;
	meta.n_refs = FIELD_REFS_MAX;
	meta.has_level = 1;
	meta.level = SEVE__LEVEL__LEVEL_TEAM;
	struct problems p = {0};
	field_check_meta(&meta, &p);
	assert_int_equal(p.n, 0);
	meta.n_refs++;
	field_check_meta(&meta, &p);
	assert_string_equal(only(&p)->code, "TOO_LONG");
	p = (struct problems){0};
	refs[0] = &empty;
	refs[1] = &longer;
	meta.n_refs = 2;
	meta.level = (Seve__Level)4;
	field_check_meta(&meta, &p);
	assert_int_equal(p.errors, 4);
	assert_string_equal(p.list[0].field, "meta.level");
	assert_string_equal(p.list[1].field, "meta.refs.source");
	assert_string_equal(p.list[1].code, "REQUIRED");
	assert_string_equal(p.list[2].field, "meta.refs.key");
	assert_string_equal(p.list[3].code, "TOO_LONG");
	arena_fini(&a);
}

struct seen {
	char text[400];
	int stop_at, n;
};

static int note(void *ctx, const field_desc *field, const struct kind *target, const uint8_t id[16])
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s:%s:%02x ", field->name,
		 target ? target->name : "any", id[0]);
	return ++s->n == s->stop_at ? 7 : 0;
}

static void every_reference_is_visited(void **state)
{
	(void)state;
	uint8_t x[16] = {0xa1}, y[16] = {0xb2}, z[16] = {0xc3};
	ProtobufCBinaryData hosts[] = {{16, x}, {16, y}, {3, z}};
	Seve__Facilitation lead = SEVE__FACILITATION__INIT;
	lead.has_contact_id = 1;
	lead.contact_id = (ProtobufCBinaryData){16, z};
	Seve__Facilitation *list[] = {&lead};
	Seve__Meeting m = SEVE__MEETING__INIT;
	m.has_group_id = 1;
	m.group_id = (ProtobufCBinaryData){16, y};
	m.host_ids = hosts;
	m.n_host_ids = 3;
	m.facilitation = list;
	m.n_facilitation = 1;
	struct seen all = {.stop_at = 0}, two = {.stop_at = 2}, task = {.stop_at = 0};
	const struct kind *k = kind_by_name("meeting");
	assert_int_equal(field_each_ref(k, &m.base, note, &all), 0);
	assert_string_equal(all.text, "group_id:group:b2 host_ids:actor:a1 host_ids:actor:b2 "
				      "facilitation:contact:c3 ");
	assert_int_equal(field_each_ref(k, &m.base, note, &two), 7);
	assert_string_equal(two.text, "group_id:group:b2 host_ids:actor:a1 ");
	Seve__Task t = SEVE__TASK__INIT;
	t.has_assignee_id = 1;
	t.assignee_id = (ProtobufCBinaryData){16, x};
	assert_int_equal(field_each_ref(kind_by_name("task"), &t.base, note, &task), 0);
	assert_string_equal(task.text, "assignee_id:any:a1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_records_are_good),
		cmocka_unit_test(each_value_is_judged_by_its_rule),
		cmocka_unit_test(a_problem_names_the_path_and_what_is_wanted),
		cmocka_unit_test(a_nested_problem_names_its_place_in_the_list),
		cmocka_unit_test(the_unspecified_value_is_no_value),
		cmocka_unit_test(texts_that_cannot_be_told_from_absence_are_refused),
		cmocka_unit_test(bad_bytes_in_texts_are_refused),
		cmocka_unit_test(numbers_and_times_have_bounds),
		cmocka_unit_test(texts_lists_and_records_have_a_greatest_length),
		cmocka_unit_test(problems_beyond_the_room_are_counted),
		cmocka_unit_test(levels_and_references_are_checked_in_meta),
		cmocka_unit_test(every_reference_is_visited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

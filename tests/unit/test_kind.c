/* test_kind.c -- common/kind.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kind.h"

static void every_kind_is_found_by_each_of_its_names(void **state)
{
	(void)state;
	assert_true(kind_count() > 0);
	for (size_t i = 0; i < kind_count(); i++) {
		const struct kind *k = kind_at(i);
		assert_ptr_equal(kind_by_number(k->number), k);
		assert_ptr_equal(kind_by_name(k->name), k);
		if (k->prefix)
			assert_ptr_equal(kind_by_prefix(k->prefix), k);
		assert_non_null(k->desc);
		assert_non_null(k->member);
		assert_string_equal(k->member->name, k->name);
		assert_int_equal(k->member->id, k->number);
		assert_ptr_equal(k->member->descriptor, k->desc);
	}
}

static void unknown_kinds_are_not_found(void **state)
{
	(void)state;
	assert_null(kind_at(kind_count()));
	assert_null(kind_by_number(0));
	assert_null(kind_by_number(255));
	assert_null(kind_by_number(256));
	assert_null(kind_by_number(UINT32_MAX));
	assert_null(kind_by_name(""));
	assert_null(kind_by_name("Actor"));
	assert_null(kind_by_prefix('Z'));
	assert_null(kind_by_prefix('\0'));
}

static void a_table_has_the_kinds_name_unless_sql_keeps_that_word(void **state)
{
	(void)state;
	assert_string_equal(kind_by_name("action")->table, "action");
	assert_string_equal(kind_by_name("group")->table, "group_");
	assert_string_equal(kind_by_name("position")->table, "position");
}

static void rows_say_who_writes_and_how(void **state)
{
	(void)state;
	const struct kind *actor = kind_by_name("actor"), *contact = kind_by_name("contact");
	assert_int_equal(actor->writers, KIND_BY_F | KIND_BY_I);
	assert_int_equal(actor->flags, KIND_IMPORT);
	assert_int_equal(actor->level, SEVE__LEVEL__LEVEL_NETWORK);
	assert_int_equal(contact->level, SEVE__LEVEL__LEVEL_TEAM);
	assert_int_equal(kind_by_name("territory")->flags, KIND_ONLINE);
	assert_string_equal(kind_by_name("task")->sort, "due_on");
}

static void a_body_gives_its_message_and_kind(void **state)
{
	(void)state;
	Seve__Body body = SEVE__BODY__INIT;
	Seve__Meeting meeting = SEVE__MEETING__INIT;
	assert_null(kind_of(NULL));
	assert_null(kind_of(&body));
	assert_null(kind_message(&body));
	const struct kind *k = kind_by_name("meeting");
	kind_set_message(k, &body, &meeting.base);
	assert_int_equal(body.kind_case, SEVE__BODY__KIND_MEETING);
	assert_ptr_equal(body.meeting, &meeting);
	assert_ptr_equal(kind_of(&body), k);
	assert_ptr_equal(kind_message(&body), &meeting);
	kind_set_message(k, &body, NULL);
	assert_null(kind_of(&body));
}

static void a_body_of_a_kind_unknown_here_has_no_message(void **state)
{
	(void)state;
	Seve__Body body = SEVE__BODY__INIT;
	body.kind_case = (Seve__Body__KindCase)200;
	assert_null(kind_of(&body));
	assert_null(kind_message(&body));
}

static void references_are_written(void **state)
{
	(void)state;
	char out[16];
	kind_format_ref(kind_by_name("action"), 12, out);
	assert_string_equal(out, "P-12");
	kind_format_ref(kind_by_name("actor"), UINT32_MAX, out);
	assert_string_equal(out, "A-4294967295");
	kind_format_ref(kind_by_name("action"), 0, out);
	assert_string_equal(out, "");
	kind_format_ref(kind_by_name("position"), 3, out);
	assert_string_equal(out, "");
}

static void references_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text, *kind;
		uint32_t number;
	} good[] = {{"P-12", "action", 12}, {"p12", "action", 12},
		    {"P12", "action", 12},  {"a-1", "actor", 1},
		    {"G-007", "group", 7},  {"T-4294967295", "task", UINT32_MAX}};
	static const char *const bad[] = {
		"",     "P",    "P-",  "-12",  "12",   "Z-1",          "P-0",
		"P--1", "P-1x", "P 1", " P-1", "P-1 ", "P-4294967296", "P-99999999999999999999",
		"P-+1", "é-1"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const struct kind *k = NULL;
		uint32_t n = 0;
		assert_int_equal(kind_parse_ref(good[i].text, &k, &n, NULL), 0);
		assert_string_equal(k->name, good[i].kind);
		assert_int_equal(n, good[i].number);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct kind *k = NULL;
		uint32_t n = 77;
		struct err e = {0};
		assert_int_equal(kind_parse_ref(bad[i], &k, &n, &e), -ERR_INVALID);
		assert_null(k);
		assert_int_equal(n, 77);
		assert_non_null(strstr(e.remedy, "A, C, P, G, M, T"));
	}
}

static void roles_say_what_they_may(void **state)
{
	(void)state;
	const struct role *admin = role_by_name("admin"),
			  *importer = role_by_number(SEVE__ROLE__ROLE_IMPORTER);
	assert_int_equal(admin->number, SEVE__ROLE__ROLE_ADMIN);
	assert_int_equal(admin->reads, SEVE__LEVEL__LEVEL_UNSPECIFIED);
	assert_int_equal(admin->writes_as, KIND_BY_A);
	assert_int_equal(admin->may, ROLE_MAY_ACCOUNTS | ROLE_MAY_TERRITORIES);
	assert_string_equal(importer->name, "importer");
	assert_int_equal(importer->may, ROLE_MAY_OWN_SOURCE);
	assert_int_equal(role_by_name("observer")->writes_as, 0);
	assert_int_equal(role_by_name("facilitator")->reads, SEVE__LEVEL__LEVEL_TEAM);
	assert_null(role_by_name("ADMIN"));
	assert_null(role_by_name("pilote"));
	assert_null(role_by_number(0));
	assert_null(role_by_number(99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_found_by_each_of_its_names),
		cmocka_unit_test(unknown_kinds_are_not_found),
		cmocka_unit_test(a_table_has_the_kinds_name_unless_sql_keeps_that_word),
		cmocka_unit_test(rows_say_who_writes_and_how),
		cmocka_unit_test(a_body_gives_its_message_and_kind),
		cmocka_unit_test(a_body_of_a_kind_unknown_here_has_no_message),
		cmocka_unit_test(references_are_written),
		cmocka_unit_test(references_are_read),
		cmocka_unit_test(roles_say_what_they_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_err.c -- common/err.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"
#include "text.h"

static void setting_an_error_returns_the_negative_code(void **state)
{
	(void)state;
	struct err e = {.remedy = "old", .retry_after_ms = 5};
	assert_int_equal(err_set(&e, ERR_NOT_FOUND, "actor %s", "A-7"), -ERR_NOT_FOUND);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.text, "actor A-7");
	assert_string_equal(e.remedy, "");
	assert_int_equal(e.retry_after_ms, 0);
	assert_int_equal(err_remedy(&e, "see \"%s\"", "seve actor list"), -ERR_NOT_FOUND);
	assert_string_equal(e.remedy, "see \"seve actor list\"");
}

static void without_a_struct_the_code_still_travels(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_TLS, "x"), -ERR_TLS);
	assert_int_equal(err_remedy(NULL, "y"), -ERR_TLS);
	assert_int_equal(err_prefix(NULL, "z"), -ERR_TLS);
}

static void a_prefix_stands_before_the_text_and_keeps_the_remedy(void **state)
{
	(void)state;
	struct err e;
	err_set(&e, ERR_IO, "no such file");
	err_remedy(&e, "make it");
	assert_int_equal(err_prefix(&e, "%s:%d", "seved.conf", 3), -ERR_IO);
	assert_string_equal(e.text, "seved.conf:3: no such file");
	assert_string_equal(e.remedy, "make it");
}

static void the_text_may_be_made_of_the_old_text(void **state)
{
	(void)state;
	struct err e;
	err_set(&e, ERR_IO, "inner");
	err_set(&e, ERR_DATABASE, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	err_prefix(&e, "%s", e.text);
	assert_string_equal(e.text, "outer (inner): outer (inner)");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	struct err e;
	char long_text[1000];
	for (size_t shift = 0; shift < 2; shift++) {
		memset(long_text, 'a', shift);
		for (size_t i = shift; i + 2 < sizeof long_text; i += 2)
			memcpy(long_text + i, "\xc3\xa9", 3);
		err_set(&e, ERR_INVALID, "%s", long_text);
		assert_in_range(strlen(e.text), sizeof e.text - 3, sizeof e.text - 1);
		assert_true(text_is_utf8(e.text, strlen(e.text), NULL));
		err_prefix(&e, "%s", long_text);
		assert_true(text_is_utf8(e.text, strlen(e.text), NULL));
	}
}

static void the_text_is_one_line(void **state)
{
	(void)state;
	struct err e;
	err_set(&e, ERR_DATABASE, "ERROR: x\nDETAIL:\ty\n");
	assert_string_equal(e.text, "ERROR: x DETAIL: y");
}

static void every_code_has_a_name_that_leads_back_to_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		enum err_code code = (enum err_code)i;
		assert_int_equal(err_by_name(err_name(code)), code);
		assert_true(strlen(err_meaning(code)) > 0);
		assert_true(err_rpc(code) <= 16);
		assert_in_range(err_exit_status(code), code ? 1 : 0, 130);
	}
	assert_int_equal(err_by_name("NOT_FOUND"), ERR_NOT_FOUND);
	assert_int_equal(err_rpc(ERR_NOT_FOUND), 5);
	assert_int_equal(err_exit_status(ERR_CONFIG), 78);
	assert_int_equal(err_class(ERR_DEADLINE), ERR_RETRYABLE);
	assert_int_equal(err_class(ERR_OUTCOME), ERR_UNKNOWN_OUTCOME);
}

static void what_is_unknown_counts_as_internal(void **state)
{
	(void)state;
	assert_int_equal(err_by_name("NO_SUCH_CODE"), ERR_INTERNAL);
	assert_string_equal(err_name(ERR_COUNT), "INTERNAL");
	assert_int_equal(err_rpc((enum err_code)12345), 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_an_error_returns_the_negative_code),
		cmocka_unit_test(without_a_struct_the_code_still_travels),
		cmocka_unit_test(a_prefix_stands_before_the_text_and_keeps_the_remedy),
		cmocka_unit_test(the_text_may_be_made_of_the_old_text),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(the_text_is_one_line),
		cmocka_unit_test(every_code_has_a_name_that_leads_back_to_it),
		cmocka_unit_test(what_is_unknown_counts_as_internal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

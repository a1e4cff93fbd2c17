/* Phrases: patterns and arguments apart, and said again in another language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "phrase.h"

static __attribute__((format(printf, 2, 3))) void take(struct phrase *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	phrase_take(p, fmt, ap);
	va_end(ap);
}

/* Says what was taken, as the other side of a connection would. */
static bool say(const struct phrase *p, char *out, size_t size)
{
	const char *args[PHRASE_ARGS];
	const char *at = p->args;
	for (size_t i = 0; i < p->n; i++, at += strlen(at) + 1)
		args[i] = at;
	return phrase_say(p->pattern, args, p->n, out, size);
}

static const char *french(const char *english)
{
	static const char *const words[][2] = {
		{"%s: %u of %u actors", "%3$u acteurs, dont %2$u (%1$s)"},
		{"%s: %s", "%s : %s"},
		{"not a date", "ceci n'est pas une date"},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], english) == 0)
			return words[i][1];
	return english;
}

static void every_conversion_is_kept_as_its_text(void **state)
{
	(void)state;
	struct phrase p;
	char out[200];
	take(&p, "%s %.*s %c %d %04d %ld %lld %zu %%", "a", 2, "bcd", 'e', -6, 7, 8L, 9LL,
	     (size_t)10);
	assert_non_null(p.pattern);
	assert_int_equal(p.n, 8);
	assert_true(say(&p, out, sizeof out));
	assert_string_equal(out, "a bc e -6 0007 8 9 10 %");
	take(&p, "%u %lu %llu %x %.1f %g %jd", 1U, 2UL, 3ULL, 255U, 1.25, 0.5, (intmax_t)-4);
	assert_true(say(&p, out, sizeof out));
	assert_string_equal(out, "1 2 3 ff 1.2 0.5 -4");
}

static void what_cannot_be_kept_leaves_no_pattern(void **state)
{
	(void)state;
	struct phrase p;
	char longer[PHRASE_ARG_BYTES + 1];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	take(&p, "%s", longer);
	assert_null(p.pattern);
	take(&p, "%p", (void *)&p);
	assert_null(p.pattern);
	take(&p, "%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9);
	assert_null(p.pattern);
}

static void a_translator_says_it_in_its_language(void **state)
{
	(void)state;
	struct phrase p;
	char out[200];
	phrase_translate_with(french);
	take(&p, "%s: %u of %u actors", "P-1", 1U, 2U);
	assert_true(say(&p, out, sizeof out));
	assert_string_equal(out, "2 acteurs, dont 1 (P-1)");
	take(&p, "%s: %s", "due_on", "not a date");
	assert_true(say(&p, out, sizeof out));
	assert_string_equal(out, "due_on : ceci n'est pas une date");
	phrase_translate_with(NULL);
	assert_string_equal(phrase_local("not a date"), "not a date");
}

static void a_pattern_from_anywhere_reads_no_argument_that_is_not_there(void **state)
{
	(void)state;
	const char *const one[] = {"x"};
	char out[20];
	static const char *const bad[] = {"%s %s", "%2$s",          "%n", "%", "%99999$s",
					  "%0$n",  "%4294967297$s", "%*s"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(phrase_say(bad[i], one, 1, out, sizeof out));
		assert_string_equal(out, "");
	}
	assert_false(phrase_say("longer than the room there is", one, 1, out, sizeof out));
	assert_true(phrase_say("%1$s%1$s", one, 1, out, sizeof out));
	assert_string_equal(out, "xx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_conversion_is_kept_as_its_text),
		cmocka_unit_test(what_cannot_be_kept_leaves_no_pattern),
		cmocka_unit_test(a_translator_says_it_in_its_language),
		cmocka_unit_test(a_pattern_from_anywhere_reads_no_argument_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

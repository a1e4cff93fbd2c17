/* test_page.c -- the page that is handed out: what comes from records is escaped, numbers and days
 * are written for people, and no key of the program is left in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field.h"
#include "report/html.h"
#include "report/wording.h"

static char *text;
static size_t size;
static FILE *file;

static int setup(void **state)
{
	(void)state;
	file = open_memstream(&text, &size);
	return file ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fclose(file);
	free(text);
	text = NULL;
	return 0;
}

static void wrote(const char *wanted)
{
	fflush(file);
	assert_string_equal(text, wanted);
}

static void what_stands_in_records_is_escaped(void **state)
{
	(void)state;
	html_name(file, "<script>\"O'Neil\" & \x01 é</script>");
	wrote("<bdi>&lt;script&gt;&quot;O&#39;Neil&quot; &amp; \xef\xbf\xbd "
	      "é&lt;/script&gt;</bdi>");
}

static void what_fills_a_hole_is_escaped_and_the_markup_is_not(void **state)
{
	(void)state;
	html_put(file, "<a title=\"%s\">%u %zu %s%%</a>", "a\" onclick=\"b", 7U, (size_t)8, "");
	wrote("<a title=\"a&quot; onclick=&quot;b\">7 8 %</a>");
}

static void numbers_are_grouped_and_keep_their_value(void **state)
{
	(void)state;
	html_number(file, 1234567.5);
	html_number(file, -1200.256);
	html_number(file, 0.07);
	html_number(file, 0);
	html_number(file, 999.999);
	wrote("<data value=\"1234567.5\">1,234,567.5</data>"
	      "<data value=\"-1200.26\">\xe2\x88\x92"
	      "1,200.26</data>"
	      "<data value=\"0.07\">0.07</data><data value=\"0\">0</data>"
	      "<data value=\"1000\">1,000</data>");
}

static void days_are_told_in_words_and_for_programs(void **state)
{
	(void)state;
	html_day(file, 20581);
	html_day(file, INT32_MIN);
	wrote("<time datetime=\"2026-05-08\">8\xc2\xa0May\xc2\xa0"
	      "2026</time>");
}

static void a_bar_stays_within_its_frame(void **state)
{
	(void)state;
	html_bar(file, 30, 20, "hot");
	html_bar(file, 0, 0, "");
	fflush(file);
	assert_non_null(strstr(text, "class=\"part\" width=\"100\""));
	assert_non_null(strstr(text, "class=\"part\" width=\"0\""));
}

/* The digest of the policy is that of the style, as openssl gives it:
 * printf 'b{}' | openssl dgst -sha256 -binary | base64 */
static void the_policy_allows_this_style_and_nothing_else(void **state)
{
	(void)state;
	html_head(file, "en", "A & B", "b{}");
	fflush(file);
	assert_non_null(strstr(text, "default-src &#39;none&#39;"));
	assert_non_null(strstr(
		text, "style-src &#39;sha256-7yqHVAesot11p6HczDsgKRipvI5UPgs97z80zNXlans=&#39;\""));
	assert_non_null(strstr(text, "<title>A &amp; B</title>\n<style>b{}</style>"));
}

static void every_word(const char *enumeration, const ProtobufCEnumDescriptor *d)
{
	for (unsigned i = 0; i < d->n_values; i++) {
		char word[48], key[80];
		if (!d->values[i].value)
			continue;
		field_enum_word(d, d->values[i].value, word);
		snprintf(key, sizeof key, "%s.%s", enumeration, word);
		if (!wording_has(key))
			fail_msg("words.def has no \"%s\"", key);
	}
}

static void every_word_of_what_a_page_shows_is_said_to_people(void **state)
{
	(void)state;
	static const char *const stalls[][2] = {
#define STALL(kind, state, since, times) {#kind, #state},
#include "method/stalls.def"
#undef STALL
	};
	every_word("category", &seve__actor__category__descriptor);
	every_word("actor", &seve__actor__state__descriptor);
	every_word("action", &seve__action__status__descriptor);
	every_word("group", &seve__group__state__descriptor);
	every_word("meeting_kind", &seve__meeting__kind__descriptor);
	every_word("measure", &seve__benefit__measure__descriptor);
	every_word("method", &seve__knowhow__method__descriptor);
	for (size_t i = 0; i < sizeof stalls / sizeof *stalls; i++) {
		char key[80];
		snprintf(key, sizeof key, "%s.%s", stalls[i][0], stalls[i][1]);
		if (!wording_has(key))
			fail_msg("words.def has no \"%s\"", key);
		snprintf(key, sizeof key, "kind.%s", stalls[i][0]);
		if (!wording_has(key))
			fail_msg("words.def has no \"%s\"", key);
	}
	assert_string_equal(wording("action.unheard_of"), "unheard_of");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		ROW(what_stands_in_records_is_escaped),
		ROW(what_fills_a_hole_is_escaped_and_the_markup_is_not),
		ROW(numbers_are_grouped_and_keep_their_value),
		ROW(days_are_told_in_words_and_for_programs),
		ROW(a_bar_stays_within_its_frame),
		ROW(the_policy_allows_this_style_and_nothing_else),
		ROW(every_word_of_what_a_page_shows_is_said_to_people),
#undef ROW
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

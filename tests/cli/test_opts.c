/* test_opts.c -- options from tables, "did you mean", times as people type them, text for
 * terminals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "command.h"
#include "human.h"
#include "opts.h"
#include "say.h"
#include "suggest.h"

struct given {
	struct arena a;
	bool flag;
	const char *text;
	struct words list, rest;
	struct opt table[5];
};

static void given_init(struct given *g)
{
	*g = (struct given){.flag = false};
	arena_init(&g->a, 1024 * 1024);
	g->table[0] = (struct opt){OPT_FLAG, "json", 0, &g->flag, NULL, "x"};
	g->table[1] = (struct opt){OPT_TEXT, "territory", 't', &g->text, "SLUG", "x"};
	g->table[2] = (struct opt){OPT_LIST, "tag", 0, &g->list, "TEXT", "x"};
	g->table[3] = (struct opt){.type = OPT_END};
}

static int parse(struct given *g, struct err *e, size_t n, const char *const *words)
{
	return opts_parse(&g->a, g->table, NULL, words, n, &g->rest, e);
}

static void values_flags_lists_and_arguments_are_told_apart(void **state)
{
	const char *words[] = {"P-1",  "--territory=sud", "--tag", "a,b", "--json", "-t",
			       "nord", "--tag=c",         "-",     "--",  "--x"};
	struct given g;
	struct err e = {0};
	(void)state;
	given_init(&g);
	assert_int_equal(parse(&g, &e, 11, words), 0);
	assert_true(g.flag);
	assert_string_equal(g.text, "nord");
	assert_int_equal(g.list.n, 2);
	assert_string_equal(g.list.at[0], "a,b");
	assert_int_equal(g.rest.n, 3);
	assert_string_equal(g.rest.at[0], "P-1");
	assert_string_equal(g.rest.at[1], "-");
	assert_string_equal(g.rest.at[2], "--x");
	arena_fini(&g.a);
}

static void wrong_options_are_told_with_the_nearest(void **state)
{
	const char *typo[] = {"--teritory", "nord"}, *french[] = {"--etiquette=a"},
		   *bare[] = {"--tag"}, *flag[] = {"--json=yes"};
	struct given g;
	struct err e = {0};
	(void)state;
	given_init(&g);
	assert_int_equal(parse(&g, &e, 2, typo), -ERR_USAGE);
	assert_string_equal(e.text, "there is no option --teritory");
	assert_string_equal(e.remedy, "did you mean --territory?");
	assert_int_equal(parse(&g, &e, 1, french), -ERR_USAGE);
	assert_string_equal(e.remedy, "did you mean --tag?");
	assert_int_equal(parse(&g, &e, 1, bare), -ERR_USAGE);
	assert_int_equal(parse(&g, &e, 1, flag), -ERR_USAGE);
	arena_fini(&g.a);
}

static void lists_are_cut_at_commas(void **state)
{
	struct arena a;
	struct words w = {0};
	(void)state;
	arena_init(&a, 1024 * 1024);
	assert_int_equal(words_add_list(&a, &w, "a,,b,"), 0);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.at[1], "b");
	arena_fini(&a);
}

static const char *nearest(struct suggest *s, const char *typed, const char *const *words)
{
	suggest_start(s, typed);
	for (; *words; words++)
		suggest_try(s, *words);
	return suggest_best(s);
}

static void a_word_near_or_french_is_recognised(void **state)
{
	const char *const nouns[] = {"actor", "action", "group", "meeting", "task", NULL};
	const char *const words[] = {"idea", "planned", "in_progress", "merged", NULL};
	struct suggest s;
	(void)state;
	assert_string_equal(nearest(&s, "actoin", nouns), "action");
	assert_string_equal(nearest(&s, "Acteurs", nouns), "actor");
	assert_string_equal(nearest(&s, "réunion", nouns), "meeting");
	assert_string_equal(nearest(&s, "REUNIONS", nouns), "meeting");
	assert_string_equal(nearest(&s, "tâche", nouns), "task");
	assert_string_equal(nearest(&s, "fiche", nouns), "action");
	assert_string_equal(nearest(&s, "meet", nouns), "meeting");
	assert_string_equal(nearest(&s, "en cours", words), "in_progress");
	assert_string_equal(nearest(&s, "in-progress", words), "in_progress");
	assert_null(nearest(&s, "xyzzy", nouns));
	assert_null(nearest(&s, "", nouns));
}

static void nouns_may_be_plural(void **state)
{
	(void)state;
	assert_string_equal(command_noun("actors"), "actor");
	assert_string_equal(command_noun("territories"), "territory");
	assert_string_equal(command_noun("status"), "status");
	assert_null(command_noun("acteurs"));
	assert_null(command_noun("s"));
	assert_null(command_noun(""));
}

static void every_command_can_be_found_by_its_words(void **state)
{
	const struct command *cmd;
	(void)state;
	for (size_t i = 0; (cmd = command_at(i)); i++) {
		const char *noun = cmd->noun ? cmd->noun : "action";
		assert_ptr_equal(command_find(noun, cmd->verb), cmd);
		assert_true(!cmd->help || strncmp(cmd->example, "seve ", 5) == 0);
	}
	assert_null(command_find("territory", "add"));
	assert_null(command_find("action", NULL));
}

static void times_without_zone_are_local(void **state)
{
	char out[HUMAN_MAX];
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	human_to_instant("2027-01-12 09:00", out);
	assert_string_equal(out, "2027-01-12T08:00:00Z");
	human_to_instant("2027-07-12T09:00", out);
	assert_string_equal(out, "2027-07-12T07:00:00Z");
	human_to_instant("2027-07-12T09:00Z", out);
	assert_string_equal(out, "2027-07-12T09:00:00Z");
	human_to_instant("2027-07-12T09:00+01:00", out);
	assert_string_equal(out, "2027-07-12T08:00:00Z");
	human_to_instant("soon", out);
	assert_string_equal(out, "soon");
	human_time("2027-01-12T08:00:00Z", out);
	assert_string_equal(out, "2027-01-12 09:00");
	human_time("", out);
	assert_string_equal(out, "");
}

static void ages_are_told_in_the_unit_that_fits(void **state)
{
	char out[HUMAN_MAX];
	(void)state;
	human_age(59000, out);
	assert_string_equal(out, "59 s");
	human_age(3599000, out);
	assert_string_equal(out, "59 min");
	human_age(47LL * 3600 * 1000, out);
	assert_string_equal(out, "47 h");
	human_age(48LL * 3600 * 1000, out);
	assert_string_equal(out, "2 d");
	human_age(-5, out);
	assert_string_equal(out, "0 s");
}

static void what_could_command_a_terminal_is_taken_out(void **state)
{
	char text[] = "a\x1b[31mb\xc2\x9b"
		      "c\x7f\n\xc3\xa9";
	(void)state;
	say_clean(text);
	assert_string_equal(text, "a?[31mb??c??\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_flags_lists_and_arguments_are_told_apart),
		cmocka_unit_test(wrong_options_are_told_with_the_nearest),
		cmocka_unit_test(lists_are_cut_at_commas),
		cmocka_unit_test(a_word_near_or_french_is_recognised),
		cmocka_unit_test(nouns_may_be_plural),
		cmocka_unit_test(every_command_can_be_found_by_its_words),
		cmocka_unit_test(times_without_zone_are_local),
		cmocka_unit_test(ages_are_told_in_the_unit_that_fits),
		cmocka_unit_test(what_could_command_a_terminal_is_taken_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

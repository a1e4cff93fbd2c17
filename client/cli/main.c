/* main.c -- finds the command in the words, and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "help.h"
#include "i18n.h"
#include "say.h"
#include "suggest.h"

struct words_of_command {
	const char *noun, *verb;
	const char **rest; /* everything else, in its order */
	size_t n;
};

/* Whether the noun is the whole command, and `word` no verb of it: a verb stands right behind it.
 */
static bool is_whole(const char *noun, const char *word, bool next)
{
	const struct command *cmd = command_find(noun, NULL), *more = command_find(noun, word);
	return cmd && (!next || !more || !more->verb);
}

/* The first two words that are neither options nor their values. */
static void split(struct cli *c, int argc, char **argv, struct words_of_command *out)
{
	const struct opt *globals = cli_globals(c);
	int noun_at = 0;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		const bool option = word[0] == '-' && word[1];
		const bool next = i == noun_at + 1;
		const bool whole = out->noun && (out->verb || is_whole(out->noun, word, next));
		if (!option && !whole) {
			if (!out->noun) {
				out->noun = command_noun(word) ? command_noun(word) : word;
				noun_at = i;
			} else
				out->verb = word;
			continue;
		}
		out->rest[out->n++] = word;
		const struct opt *o = whole ? NULL : opts_find(globals, word);
		if (o && o->type != OPT_FLAG && !strchr(word, '=') && i + 1 < argc)
			out->rest[out->n++] = argv[++i];
	}
}

/* The language must be known before the first text, so before the options are parsed. */
static const char *language(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--lang=", 7) == 0)
			return argv[i] + 7;
		if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
			return argv[i + 1];
	}
	return NULL;
}

static bool has_word(const struct words_of_command *w, const char *a, const char *b)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->rest[i], a) == 0 || strcmp(w->rest[i], b) == 0)
			return true;
	return false;
}

/* The verb that may have been meant with a noun, NULL: none that is near. */
static const char *near_verb(struct cli *c, const char *noun, const char *verb)
{
	struct suggest s;
	suggest_start(&s, verb);
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->verb && command_fits(command_at(i), noun))
			suggest_try(&s, command_at(i)->verb);
	const char *best = suggest_best(&s);
	return best ? cli_printf(c, "%s", best) : NULL;
}

static int no_noun(struct cli *c, const char *word, const char *verb)
{
	struct suggest s;
	const char *kind;
	suggest_start(&s, word);
	for (size_t i = 0; command_at(i); i++)
		if (command_at(i)->noun && command_at(i)->help)
			suggest_try(&s, command_at(i)->noun);
	for (size_t i = 0; (kind = seve_kind_name(i)); i++)
		suggest_try(&s, kind);
	const char *best = suggest_best(&s);
	if (best && verb)
		verb = near_verb(c, best, verb);
	if (best && verb)
		best = cli_printf(c, "%s %s", best, verb);
	return say_usage(c,
			 best ? cli_printf(c, _("did you mean seve %s?"), best)
			      : _("seve help lists them"),
			 _("there is no command \"%s\""), word);
}

static int no_verb(struct cli *c, const char *noun, const char *verb)
{
	const char *all = "";
	for (size_t i = 0; command_at(i); i++) {
		if (!command_at(i)->verb || !command_fits(command_at(i), noun))
			continue;
		all = cli_printf(c, "%s%s%s", all, *all ? ", " : "", command_at(i)->verb);
	}
	const char *best = verb ? near_verb(c, noun, verb) : NULL;
	if (!verb)
		return say_usage(c, cli_printf(c, _("one of: %s"), all), _("%s wants a verb"),
				 noun);
	return say_usage(c,
			 best ? cli_printf(c, _("did you mean seve %s %s?"), noun, best)
			      : cli_printf(c, _("one of: %s"), all),
			 _("%s has no verb \"%s\""), noun, verb);
}

static int run(struct cli *c, const struct words_of_command *w)
{
	const bool help = has_word(w, "--help", "-h");
	c->argv = w->rest;
	c->argc = w->n;
	c->json =
		has_word(w, "--json", "--format=json"); /* for errors before the options are read */
	if (!w->noun) {
		if (has_word(w, "--version", "--version"))
			printf("seve %s (libseve %s)\n", SEVE_VERSION_TEXT, seve_version());
		else
			help_summary();
		return 0;
	}
	if (!command_is_noun(w->noun))
		return no_noun(c, w->noun, w->verb);
	c->noun = w->noun;
	c->command = command_find(w->noun, w->verb);
	if (!c->command && help && !w->verb) {
		help_noun(w->noun);
		return 0;
	}
	if (!c->command)
		return no_verb(c, w->noun, w->verb);
	c->asking = help ? CLI_HELP : CLI_RUN;
	return c->command->run(c);
}

int main(int argc, char **argv)
{
	struct cli c;
	/* a reader that has seen enough (head) ends us without a word */
	signal(SIGPIPE, SIG_DFL);
	i18n_start(language(argc, argv));
	cli_init(&c);
	struct words_of_command w = {
		.rest = arena_array(&c.arena, (size_t)argc + 1, sizeof(char *))};
	int status = SEVE_FAILURE;
	if (w.rest) {
		split(&c, argc, argv, &w);
		status = run(&c, &w);
	}
	cli_fini(&c);
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0)
		status = SEVE_FAILURE;
	return status;
}

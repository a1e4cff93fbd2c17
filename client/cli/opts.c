/* opts.c -- option tables through popt.  popt only cuts the words: values are taken one by one, so
 * that a repeated option leaks nothing and every text lives in the caller's arena. */
#include "opts.h"

#include <popt.h>
#include <stdlib.h>
#include <string.h>

#include "i18n.h"
#include "suggest.h"

int words_add(struct arena *a, struct words *w, const char *word)
{
	if (w->n == w->room) {
		const size_t room = w->room ? 2 * w->room : 8;
		const char **at = arena_array(a, room, sizeof *at);
		if (!at)
			return -ERR_NOMEM;
		if (w->n)
			memcpy(at, w->at, w->n * sizeof *at);
		w->at = at;
		w->room = room;
	}
	w->at[w->n++] = word;
	return 0;
}

int words_add_list(struct arena *a, struct words *w, const char *list)
{
	while (*list) {
		const size_t n = strcspn(list, ",");
		if (n) {
			const char *word = arena_strndup(a, list, n);
			if (!word || words_add(a, w, word) < 0)
				return -ERR_NOMEM;
		}
		list += n;
		list += *list == ',';
	}
	return 0;
}

size_t opts_count(const struct opt *table)
{
	size_t n = 0;
	while (table && table[n].type != OPT_END)
		n++;
	return n;
}

const struct opt *opts_find(const struct opt *table, const char *word)
{
	if (!table || word[0] != '-' || !word[1])
		return NULL;
	const bool is_long = word[1] == '-';
	const char *name = word + 2;
	const size_t n = is_long ? strcspn(name, "=") : 0;
	for (; table->type != OPT_END; table++) {
		if (is_long ? strlen(table->name) == n && strncmp(table->name, name, n) == 0
			    : table->letter && table->letter == word[1])
			return table;
	}
	return NULL;
}

static int take(struct arena *a, const struct opt *o, const char *value)
{
	const char *copy = value ? arena_strdup(a, value) : NULL;
	if (value && !copy)
		return -ERR_NOMEM;
	switch (o->type) {
	case OPT_FLAG:
		*(bool *)o->target = true;
		return 0;
	case OPT_TEXT:
		*(const char **)o->target = copy;
		return 0;
	case OPT_LIST:
		return words_add(a, o->target, copy);
	case OPT_END:
		break;
	}
	return 0;
}

/* popt returns a row's number + 1. */
static void fill(struct poptOption *out, const struct opt *table, size_t n, size_t first)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct poptOption){
			.longName = table[i].name,
			.shortName = table[i].letter,
			.argInfo = table[i].type == OPT_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING,
			.val = (int)(first + i + 1),
		};
	}
}

static int unknown(const char *word, const struct opt *table, const struct opt *more, struct err *e)
{
	const size_t n = strcspn(word, "=");
	err_set(e, ERR_USAGE, _("there is no option %.*s"), (int)n, word);
	char bare[64];
	snprintf(bare, sizeof bare, "%.*s", n > 2 ? (int)(n - 2) : 0, n > 2 ? word + 2 : "");
	struct suggest s;
	suggest_start(&s, bare);
	const struct opt *tables[] = {table, more};
	for (size_t t = 0; t < 2; t++)
		for (const struct opt *o = tables[t]; o && o->type != OPT_END; o++)
			suggest_try(&s, o->name);
	const char *best = suggest_best(&s);
	return best ? err_remedy(e, _("did you mean --%s?"), best)
		    : err_remedy(e, _("--help lists the options of this command"));
}

static int misused(poptContext popt, int rc, const struct opt *table, const struct opt *more,
		   struct err *e)
{
	const char *word = poptBadOption(popt, POPT_BADOPTION_NOALIAS);
	if (!word)
		word = "";
	if (rc == POPT_ERROR_BADOPT)
		return unknown(word, table, more, e);
	if (rc == POPT_ERROR_NOARG)
		return err_set(e, ERR_USAGE, _("%s wants a value"), word);
	if (rc == POPT_ERROR_UNWANTEDARG)
		return err_set(e, ERR_USAGE, _("%s takes no value"), word);
	if (rc == POPT_ERROR_MALLOC)
		return err_set(e, ERR_NOMEM, _("reading the options"));
	return err_set(e, ERR_USAGE, "%s: %s", word, poptStrerror(rc));
}

static int walk(struct arena *a, poptContext popt, const struct opt *table, const struct opt *more,
		struct words *rest, struct err *e)
{
	const size_t first = opts_count(table);
	int rc;
	while ((rc = poptGetNextOpt(popt)) > 0) {
		const size_t i = (size_t)rc - 1;
		char *value = poptGetOptArg(popt);
		rc = take(a, i < first ? &table[i] : &more[i - first], value);
		free(value);
		if (rc < 0)
			return err_set(e, ERR_NOMEM, _("reading the options"));
	}
	if (rc < -1)
		return misused(popt, rc, table, more, e);
	for (const char **left = poptGetArgs(popt); left && *left; left++) {
		const char *copy = arena_strdup(a, *left);
		if (!copy || words_add(a, rest, copy) < 0)
			return err_set(e, ERR_NOMEM, _("reading the options"));
	}
	return 0;
}

int opts_parse(struct arena *a, const struct opt *table, const struct opt *more,
	       const char *const *argv, size_t n, struct words *rest, struct err *e)
{
	const size_t first = opts_count(table), second = opts_count(more);
	struct poptOption *rows = arena_array(a, first + second + 1, sizeof *rows);
	const char **words = arena_array(a, n + 2, sizeof *words);
	if (!rows || !words)
		return err_set(e, ERR_NOMEM, _("reading the options"));
	fill(rows, table, first, 0);
	fill(rows + first, more, second, first);
	words[0] = "seve";
	for (size_t i = 0; i < n; i++)
		words[i + 1] = argv[i];
	poptContext popt = poptGetContext(NULL, (int)n + 1, words, rows, POPT_CONTEXT_NO_EXEC);
	if (!popt)
		return err_set(e, ERR_NOMEM, _("reading the options"));
	const int rc = walk(a, popt, table, more, rest, e);
	poptFreeContext(popt);
	return rc;
}

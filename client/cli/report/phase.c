/* phase.c -- see phase.h. */
#include "phase.h"

#include <string.h>

#include "cli.h"
#include "i18n.h"

/* `some` takes done and of; `none` is said where of is 0. */
static const struct {
	const char *name, *title, *some, *none;
} phases[] = {
	{"recruit", N_("recruiting partners"), N_("%u of %u asked are members"),
	 N_("nobody was asked yet")},
	{"authorities", N_("interviews with authorities"), N_("%u of %u interviews done"), ""},
	{"visits", N_("visits"), N_("%u of %u members visited"), N_("no member yet")},
	{"swot", N_("strengths and weaknesses"), N_("%u of %u quadrants filled"), ""},
	{"ideas", N_("workshop 1: ideas and plan"), N_("%u of %u leads have a treatment"),
	 N_("no lead to treat")},
	{"selection", N_("workshop 2: selection"), N_("%u of %u low-hanging actions selected"),
	 N_("no low-hanging action")},
	{"groups", N_("working groups"), N_("%u of %u groups concluded"), N_("no group yet")},
	{"extension", N_("extension"), N_("%u of %u waves taken in"), N_("no wave yet")},
};
enum { KNOWN = sizeof phases / sizeof *phases };

const char *phase_title(const char *name)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(phases[i].name, name) == 0)
			return _(phases[i].title);
	return name;
}

const char *phase_standing(struct cli *c, const struct phase *p)
{
	size_t i = 0;
	while (i < KNOWN && strcmp(phases[i].name, p->name) != 0)
		i++;
	if (i == KNOWN)
		return cli_printf(c, "%u / %u", p->done, p->of);
	if (!p->of)
		return *phases[i].none ? _(phases[i].none) : "";
		/* a table of formats that all take the same two numbers */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return cli_printf(c, _(phases[i].some), p->done, p->of);
#pragma GCC diagnostic pop
}

const char *phase_missing(const char *what)
{
	static const struct {
		const char *word, *text;
	} words[] = {
		{"members", N_("some members")},
		{"authority_interview", N_("an interview with an authority")},
		{"strength", N_("a strength")},
		{"weakness", N_("a weakness")},
		{"opportunity", N_("an opportunity")},
		{"threat", N_("a threat")},
		{"workshop_1", N_("workshop 1 is to be closed")},
		{"workshop_2", N_("workshop 2 is to be closed")},
		{"plan", N_("a planned action")},
		{"groups", N_("a working group")},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, what) == 0)
			return _(words[i].text);
	return what;
}

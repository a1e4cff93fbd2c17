/* page_head.c -- see page.h: what stands first and last on the page, and the phases. */
#include <string.h>

#include "cli.h"
#include "human.h"
#include "i18n.h"
#include "method/figures.h"
#include "method/progress.h"
#include "page.h"
#include "phase.h"

enum { MISSING_SHOWN = 6 };

static void figure(struct page *p, const char *class, double v, const char *what)
{
	html_put(p->file, "<div class=\"%s\"><dt>%s</dt><dd>", class, what);
	html_number(p->file, v);
	fputs("</dd></div>\n", p->file);
}

int page_summary(struct page *p)
{
	struct comparison *k = NULL;
	unsigned over = 0;
	if (figures_compare(p->net, &p->territory, 1, p->now_ms, p->arena, &k, &p->err) < 0)
		return -(int)p->err.code;
	for (size_t i = 0; i < p->load.n; i++)
		over += p->load.actors[i].org->over && p->load.actors[i].hours > 0;
	html_put(p->file, "<dl class=\"figures\" aria-label=\"%s\">\n", _("Key figures"));
	figure(p, "f", k->members, _("members"));
	figure(p, "f", k->visited, _("members visited"));
	figure(p, "f", k->states[SHARED_IDEA], _("ideas and planned actions"));
	figure(p, "f", k->states[SHARED_DISCUSSION], _("actions in discussion"));
	figure(p, "f", k->states[SHARED_UNDER_WAY], _("actions under way"));
	figure(p, "f", k->states[SHARED_DONE], _("actions achieved"));
	figure(p, "f", k->groups, _("active groups"));
	figure(p, "f", k->meetings, _("meetings held"));
	figure(p, k->stalled ? "warn" : "f", k->stalled, _("actions that stand still"));
	figure(p, over ? "warn" : "f", over, _("actors that promised too much"));
	fputs("</dl>\n", p->file);
	return 0;
}

/* ---- phases -------------------------------------------------------------------------------------
 */

static void missing(struct page *p, const struct phase *ph)
{
	if (!ph->n_missing)
		return;
	html_put(p->file, "<p class=\"missing\">%s ", _("Missing:"));
	for (size_t i = 0; i < ph->n_missing && i < MISSING_SHOWN; i++)
		html_put(p->file, "%s%s", i ? ", " : "", phase_missing(ph->missing[i]));
	if (ph->n_missing > MISSING_SHOWN)
		html_text(p->file,
			  cli_printf(p->c, _(" and %zu more"), ph->n_missing - MISSING_SHOWN));
	fputs("</p>", p->file);
}

static void put_phase(struct page *p, unsigned i, unsigned current, const struct phase *ph)
{
	const bool now = i == current;
	const char *state = now            ? _("present phase")
			    : ph->complete ? _("complete")
			    : i < current  ? _("not complete")
					   : _("to come");
	html_put(p->file, "<li class=\"%s\"><span class=\"state\">%s</span>",
		 now            ? "now"
		 : ph->complete ? "full"
				: "open",
		 cli_printf(p->c, _("Phase %u: %s"), i, state));
	html_put(p->file, "<strong>%s</strong><p>%s</p>", phase_title(ph->name),
		 phase_standing(p->c, ph));
	/* of what is to come, everything is missing: that is no news */
	if (i <= current)
		missing(p, ph);
	fputs("</li>\n", p->file);
}

int page_phases(struct page *p)
{
	struct phase phases[PHASES];
	const struct node *t = network_territory(p->net, p->territory);
	const unsigned current = t ? t->body->territory->phase : 0;
	if (progress_make(p->net, p->territory, p->arena, phases, &p->err) < 0)
		return -(int)p->err.code;
	fputs("<ol class=\"phases\" start=\"0\">\n", p->file);
	for (unsigned i = 0; i < PHASES; i++)
		put_phase(p, i, current, &phases[i]);
	fputs("</ol>\n", p->file);
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------------
 */

static void paragraph(struct page *p, const char *text)
{
	html_put(p->file, "<p>%s</p>\n", text);
}

static const char *of_withheld(struct page *p)
{
	if (!p->counted)
		return _("How many records are above what the author of this page may read is not "
			 "known: the territory has not been read from the server yet.");
	if (!p->withheld)
		return _("No record is withheld from the author of this page.");
	return cli_printf(p->c,
			  _("%llu records are withheld: they are above what the author of this "
			    "page may read."),
			  (unsigned long long)p->withheld);
}

int page_about(struct page *p)
{
	char age[HUMAN_MAX];
	html_put(p->file, "<footer>\n<p>%s ", _("State of"));
	html_day(p->file, p->today);
	html_put(p->file, ". %s</p>\n",
		 _("Contacts, notes of interviews and assessments never stand here."));
	paragraph(p, of_withheld(p));
	if (p->left_out)
		paragraph(p,
			  cli_printf(p->c,
				     _("%zu records that the author may read were left out: they "
				       "are above the level \"%s\" of this page."),
				     p->left_out, p->level));
	if (p->age_ms >= 0) {
		human_age(p->age_ms, age);
		paragraph(p, cli_printf(p->c,
					_("Made from a copy that was in step with the server %s "
					  "before."),
					age));
	}
	fputs("</footer>\n", p->file);
	return 0;
}

/* page_plan.c -- see page.h: the actions, how far they have come, what they have brought. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "method/figures.h"
#include "method/simulate.h"
#include "page.h"
#include "report.h"
#include "wording.h"

enum { LEADS_SHOWN = 80 };

/* ---- the plan, from what is done to what is only said -------------------------------------------
 */

/* Where the action stands in the table; -1: not in it. */
static int rank(const Seve__Action *a)
{
	static const int of[] = {
		[SHARED_UNDER_WAY] = 0, [SHARED_DISCUSSION] = 1, [SHARED_DONE] = 3};
	const enum shared_state s = figures_shared(a->status);
	if (a->status == SEVE__ACTION__STATUS__STATUS_SUSPENDED)
		return 1;
	if (a->status == SEVE__ACTION__STATUS__STATUS_PLANNED ||
	    a->status == SEVE__ACTION__STATUS__STATUS_DEFERRED)
		return 2;
	if (s == SHARED_IDEA)
		return 4;
	return s == SHARED_NONE ? -1 : of[s];
}

static void put_next_step(struct page *p, const Seve__Action *a)
{
	const bool late = a->has_next_step_due_on && a->next_step_due_on < p->today &&
			  figures_shared(a->status) < SHARED_DONE;
	fputs("<td>", p->file);
	if (a->next_step && *a->next_step) {
		fputs("<span class=\"step\">", p->file);
		html_name(p->file, a->next_step);
		fputs("</span>", p->file);
	}
	if (late)
		html_put(p->file, "<span class=\"tag late\">%s</span>", _("late"));
	fputs("</td>", p->file);
	page_day(p, a->has_next_step_due_on, a->next_step_due_on);
}

static void put_action(struct page *p, const struct node *n)
{
	const Seve__Action *a = n->body->action;
	struct candidate k;
	const struct node *pilot;
	candidate_look(p->net, n, &k);
	pilot = k.pilot           ? k.pilot
		: a->has_pilot_id ? network_find(p->net, n->territory, a->pilot_id)
				  : NULL;
	html_put(p->file, "<tr><td class=\"ref\">%s</td><th scope=\"row\">", report_ref(p->c, n));
	html_name(p->file, node_name(n));
	if (a->low_hanging)
		html_put(p->file, " <span class=\"tag\">%s</span>", _("low-hanging fruit"));
	fputs("</th>", p->file);
	page_cell(p, page_word(p, "action", &seve__action__status__descriptor, (int)a->status));
	if (!pilot && rank(a) < 2)
		html_put(p->file, "<td><span class=\"tag late\">%s</span></td>", _("no pilot"));
	else
		page_name(p, pilot ? node_name(pilot) : "");
	page_count(p, k.actors);
	put_next_step(p, a);
	fputs("</tr>\n", p->file);
}

static size_t put_rank(struct page *p, const struct nodes *all, int which, const char *title)
{
	const size_t most = which == 4 ? LEADS_SHOWN : SIZE_MAX;
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++) {
		if (rank(all->list[i]->body->action) != which || n++ >= most)
			continue;
		if (n == 1)
			html_put(p->file,
				 "</tbody>\n<tbody><tr class=\"group\"><th scope=\"rowgroup\" "
				 "colspan=\"7\">%s</th>"
				 "</tr>\n",
				 title);
		put_action(p, all->list[i]);
	}
	return n > most ? n - most : 0;
}

int page_plan(struct page *p)
{
	static const struct page_heading headings[] = {
		{N_("Ref"), NULL},   {N_("Action"), NULL},  {N_("Status"), NULL},
		{N_("Pilot"), NULL}, {N_("Partners"), "n"}, {N_("Next step"), NULL},
		{N_("Due"), NULL},
	};
	static const char *const titles[] = {N_("Under way"), N_("In discussion: selected"),
					     N_("Planned"), N_("Achieved"), N_("Ideas and leads")};
	const struct nodes all = network_kind(p->net, "action");
	size_t more = 0, shown = 0;
	for (size_t i = 0; i < all.n; i++)
		shown += rank(all.list[i]->body->action) >= 0;
	if (!shown) {
		page_none(p, _("There is no action yet."));
	} else {
		page_table(p, _("Action plan"), headings, 7);
		for (int i = 0; i < 5; i++)
			more += put_rank(p, &all, i, _(titles[i]));
		page_table_end(p);
		page_note(p,
			  _("Partners: actors positioned as pilot, contributor or beneficiary."));
	}
	if (more)
		page_note(p, cli_printf(p->c, _("And %zu more."), more));
	return 0;
}

/* ---- conversion ---------------------------------------------------------------------------------
 */

static void aside(struct page *p, const struct conversion *v)
{
	unsigned abandoned = 0;
	for (size_t i = 0; i < CONVERSION_CAUSES; i++)
		abandoned += v->abandoned[i];
	page_note(p, cli_printf(p->c,
				_("Beside these: deferred %u, rejected %u, suspended %u, abandoned "
				  "%u, merged into others %u."),
				v->deferred, v->rejected, v->suspended, abandoned, v->merged));
}

int page_conversion(struct page *p)
{
	static const struct page_heading headings[] = {
		{N_("Came as far as"), NULL}, {N_("Actions"), "n"}, {N_("Share of all"), "wide"}};
	struct conversion v;
	figures_conversion(p->net, &v);
	if (!v.reached[0]) {
		page_none(p, _("There is no action yet."));
		return 0;
	}
	page_table(p, _("How far actions have come"), headings, 3);
	for (unsigned i = 0; i < CONVERSION_STAGES; i++) {
		html_put(p->file, "<tr><th scope=\"row\">%s</th>",
			 page_word(p, "action", &seve__action__status__descriptor, (int)i + 1));
		page_count(p, v.reached[i]);
		fputs("<td class=\"wide\">", p->file);
		html_bar(p->file, v.reached[i], v.reached[0], "");
		fputs("</td></tr>\n", p->file);
	}
	page_table_end(p);
	aside(p, &v);
	return 0;
}

/* ---- benefits -----------------------------------------------------------------------------------
 */

static void put_gain(struct page *p, unsigned measure, const struct gain *g)
{
	const char *unit = figures_unit(measure);
	html_put(p->file, "<tr><th scope=\"row\">%s</th>",
		 page_word(p, "measure", &seve__benefit__measure__descriptor, (int)measure));
	if (g->n_measured)
		page_number(p, g->measured);
	else
		fputs("<td class=\"n\"></td>", p->file);
	if (g->n_estimated)
		page_number(p, g->estimated);
	else
		fputs("<td class=\"n\"></td>", p->file);
	page_cell(p, wording(cli_printf(p->c, "unit.%s", unit)));
	fputs("</tr>\n", p->file);
}

int page_benefits(struct page *p)
{
	static const struct page_heading headings[] = {{N_("Benefit"), NULL},
						       {N_("Measured"), "n"},
						       {N_("Estimated"), "n"},
						       {N_("Unit"), NULL}};
	struct gain gains[BENEFIT_MEASURES];
	unsigned told = 0, odd = 0;
	figures_benefits(p->net, gains);
	for (unsigned i = 1; i < BENEFIT_MEASURES; i++) {
		told += gains[i].n_measured || gains[i].n_estimated;
		odd += gains[i].odd;
	}
	if (told) {
		page_table(p, _("What the actions have brought"), headings, 4);
		for (unsigned i = 1; i < BENEFIT_MEASURES; i++)
			if (gains[i].n_measured || gains[i].n_estimated)
				put_gain(p, i, &gains[i]);
		page_table_end(p);
	} else {
		page_none(p, _("No benefit has been noted yet."));
	}
	if (odd)
		page_note(p, cli_printf(p->c, _("Figures in other units, not summed: %u."), odd));
	return 0;
}

/* ---- growth -------------------------------------------------------------------------------------
 */

int page_growth(struct page *p)
{
	enum { QUARTERS = 12 };
	static const struct page_heading headings[] = {
		{N_("Quarter"), NULL},      {N_("Joined"), "n"},
		{N_("Members"), "n"},       {N_("Positions taken"), "n"},
		{N_("Actions begun"), "n"}, {N_("Meetings held"), "n"},
	};
	struct growth *list = NULL;
	size_t n = 0;
	if (figures_growth(p->net, p->arena, &list, &n, &p->err) < 0)
		return -(int)p->err.code;
	if (!n) {
		page_none(p, _("Nothing has happened yet."));
		return 0;
	}
	page_table(p, _("The network by quarter"), headings, 6);
	for (size_t i = n > QUARTERS ? n - QUARTERS : 0; i < n; i++) {
		const struct growth *g = &list[i];
		char quarter[16];
		figures_quarter(g->first, quarter);
		html_put(p->file, "<tr><th scope=\"row\">%s</th>",
			 cli_printf(p->c, _("Q%s %.4s"), quarter + 6, quarter));
		page_count(p, g->joined);
		page_count(p, g->members);
		page_count(p, g->positions);
		page_count(p, g->actions);
		page_count(p, g->meetings);
		fputs("</tr>\n", p->file);
	}
	page_table_end(p);
	return 0;
}

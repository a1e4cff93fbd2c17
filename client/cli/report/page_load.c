/* page_load.c -- see page.h: who promised too much, and what stands still. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "method/stalled.h"
#include "page.h"
#include "report.h"
#include "wording.h"

enum { LOADED_SHOWN = 20, STALLED_SHOWN = 40 };

/* ---- load ---------------------------------------------------------------------------------------
 */

static int by_load(const void *a, const void *b)
{
	const struct load_actor *x = *(const struct load_actor *const *)a,
				*y = *(const struct load_actor *const *)b;
	const double p = load_ratio(x->org), q = load_ratio(y->org);
	if (p > q || p < q)
		return p > q ? -1 : 1;
	return (x > y) - (x < y);
}

static void put_load(struct page *p, const struct load_actor *a)
{
	const struct load_org *o = a->org;
	const double hours = o->hours + o->foreign;
	fputs("<tr><th scope=\"row\">", p->file);
	html_name(p->file, report_name(p->c, a->actor));
	if (o->over)
		html_put(p->file, " <span class=\"tag late\">%s</span>", _("too much"));
	fputs("</th>", p->file);
	page_count(p, a->positions);
	page_number(p, hours);
	page_number(p, o->available);
	fputs("<td class=\"wide\">", p->file);
	html_bar(p->file, hours, o->available > hours ? o->available : hours, o->over ? "hot" : "");
	fputs("</td></tr>\n", p->file);
}

/* Those whose hours are known; of the others, how many there are. */
static size_t sorted(struct page *p, const struct load_actor **list, unsigned *unknown,
		     unsigned *cold)
{
	size_t n = 0;
	for (size_t i = 0; i < p->load.n; i++) {
		const struct load_actor *a = &p->load.actors[i];
		*cold += a->cold;
		if (a->hours <= 0 || !page_shows(p, a->actor))
			continue;
		if (a->org->known)
			list[n++] = a;
		else
			*unknown += 1;
	}
	qsort(list, n, sizeof *list, by_load);
	return n;
}

static void load_notes(struct page *p, size_t n, unsigned unknown, unsigned cold)
{
	if (n > LOADED_SHOWN)
		page_note(p, cli_printf(p->c, _("And %zu more, with less to carry."),
					n - LOADED_SHOWN));
	if (unknown)
		page_note(p,
			  cli_printf(p->c,
				     _("Actors who promised hours and have not said how many they "
				       "have: %u."),
				     unknown));
	if (cold)
		page_note(p, cli_printf(p->c, _("Positions that nobody has confirmed lately: %u."),
					cold));
	if (p->partial)
		page_note(p,
			  _("Hours that actors give in other territories are not known here, and "
			    "not counted."));
}

int page_load(struct page *p)
{
	static const struct page_heading headings[] = {{N_("Actor"), NULL},
						       {N_("Positions"), "n"},
						       {N_("Hours promised"), "n"},
						       {N_("Hours it has"), "n"},
						       {N_("Load"), "wide"}};
	const struct load_actor **list = arena_array(p->arena, p->load.n + 1, sizeof *list);
	unsigned unknown = 0, cold = 0;
	size_t n;
	if (!list)
		return err_set(&p->err, ERR_NOMEM, "load");
	n = sorted(p, list, &unknown, &cold);
	if (n) {
		page_table(p, _("Hours promised and hours there are"), headings, 5);
		for (size_t i = 0; i < n && i < LOADED_SHOWN; i++)
			put_load(p, list[i]);
		page_table_end(p);
	} else {
		page_none(p, _("No actor has promised hours and said how many it has."));
	}
	load_notes(p, n, unknown, cold);
	return 0;
}

/* ---- what stands still --------------------------------------------------------------------------
 */

static void put_stall(struct page *p, const struct stall *s)
{
	const char *kind = s->node->kind->name;
	char state[48];
	node_state(s->node, state);
	html_put(p->file, "<tr><td class=\"ref\">%s</td><th scope=\"row\">",
		 report_ref(p->c, s->node));
	html_name(p->file, report_name(p->c, s->node));
	fputs("</th>", p->file);
	page_cell(p, wording(cli_printf(p->c, "kind.%s", kind)));
	page_cell(p, wording(cli_printf(p->c, "%s.%s", kind, state)));
	if (s->old)
		page_count(p, (uint64_t)s->age_days);
	else
		fputs("<td class=\"n\"></td>", p->file);
	if (s->overdue_days)
		page_count(p, (uint64_t)s->overdue_days);
	else
		fputs("<td class=\"n\"></td>", p->file);
	fputs("</tr>\n", p->file);
}

int page_stalled(struct page *p)
{
	static const struct page_heading headings[] = {
		{N_("Ref"), NULL},
		{N_("Record"), NULL},
		{N_("Kind"), NULL},
		{N_("State"), NULL},
		{N_("Days in this state"), "n"},
		{N_("Days late"), "n"},
	};
	struct stall *list = NULL;
	size_t n = 0;
	if (stalled_make(p->net, p->now_ms, p->arena, &list, &n, &p->err) < 0)
		return -(int)p->err.code;
	if (n) {
		page_table(p, _("What stands still or is late"), headings, 6);
		for (size_t i = 0; i < n && i < STALLED_SHOWN; i++)
			put_stall(p, &list[i]);
		page_table_end(p);
	} else {
		page_none(p, _("Nothing stands still."));
	}
	if (n > STALLED_SHOWN)
		page_note(p, cli_printf(p->c, _("And %zu more."), n - STALLED_SHOWN));
	return 0;
}

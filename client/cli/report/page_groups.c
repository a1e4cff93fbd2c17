/* page_groups.c -- see page.h: groups, meetings, know-how.  Persons are counted, never named. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "method/readiness.h"
#include "page.h"
#include "report.h"
#include "wording.h"

enum { MEETINGS_SHOWN = 12 };

static bool is_held(const Seve__Meeting *m)
{
	return m->state == SEVE__MEETING__STATE__STATE_HELD ||
	       m->state == SEVE__MEETING__STATE__STATE_CLOSED;
}

static bool is_coming(const Seve__Meeting *m)
{
	return m->state == SEVE__MEETING__STATE__STATE_PLANNED ||
	       m->state == SEVE__MEETING__STATE__STATE_POSTPONED;
}

/* ---- groups -------------------------------------------------------------------------------------
 */

struct group_figures {
	unsigned held; /* in its present round */
	int32_t next;  /* day of the next meeting; INT32_MIN: none */
};

static struct group_figures group_look(struct page *p, const struct node *group)
{
	struct group_figures f = {.next = INT32_MIN};
	const Seve__Group *g = group->body->group;
	const uint32_t round = g->round ? g->round : 1;
	size_t n;
	const struct edge *edges = network_edges(p->net, group, &n);
	for (size_t i = 0; i < n; i++) {
		const Seve__Meeting *m = NODE_AS(edges[i].from, Meeting, meeting);
		const int32_t day = m && m->has_start_at ? day_of(m->start_at) : INT32_MIN;
		f.held += m && is_held(m) && (m->round ? m->round : 1) == round;
		if (m && is_coming(m) && day >= p->today && (f.next == INT32_MIN || day < f.next))
			f.next = day;
	}
	return f;
}

/* The actions that it works on. */
static void put_actions(struct page *p, const struct node *group)
{
	const Seve__Group *g = group->body->group;
	bool first = true;
	fputs("<td>", p->file);
	for (size_t i = 0; i < g->n_action_ids; i++) {
		const struct node *a = network_find(p->net, group->territory, g->action_ids[i]);
		if (!a)
			continue;
		html_put(p->file, "%s<span class=\"ref\">%s</span> ", first ? "" : ", ",
			 report_ref(p->c, a));
		html_name(p->file, node_name(a));
		first = false;
	}
	fputs("</td>", p->file);
}

static void put_group(struct page *p, const struct node *n, const Seve__Policy *policy)
{
	const Seve__Group *g = n->body->group;
	const struct group_figures f = group_look(p, n);
	html_put(p->file, "<tr><td class=\"ref\">%s</td><th scope=\"row\">", report_ref(p->c, n));
	html_name(p->file, node_name(n));
	fputs("</th>", p->file);
	page_cell(p, page_word(p, "group", &seve__group__state__descriptor, (int)g->state));
	put_actions(p, n);
	page_count(p, g->round ? g->round : 1);
	html_put(p->file, "<td>%s</td>",
		 cli_printf(p->c, _("%u of %u to %u"), f.held, policy->group_meetings_min,
			    policy->group_meetings_max));
	page_day(p, f.next != INT32_MIN, f.next);
	fputs("</tr>\n", p->file);
}

int page_groups(struct page *p)
{
	static const struct page_heading headings[] = {
		{N_("Ref"), NULL},          {N_("Group"), NULL}, {N_("State"), NULL},
		{N_("Actions"), NULL},      {N_("Round"), "n"},  {N_("Meetings held"), NULL},
		{N_("Next meeting"), NULL},
	};
	const struct nodes all = network_kind(p->net, "group");
	const Seve__Policy policy = network_policy(p->net, p->territory);
	if (all.n) {
		page_table(p, _("Working groups"), headings, 7);
		for (size_t i = 0; i < all.n; i++)
			put_group(p, all.list[i], &policy);
		page_table_end(p);
	} else {
		page_none(p, _("There is no working group yet."));
	}
	return 0;
}

/* ---- meetings -----------------------------------------------------------------------------------
 */

static int by_start(const void *a, const void *b)
{
	const Seve__Meeting *x = (*(const struct node *const *)a)->body->meeting,
			    *y = (*(const struct node *const *)b)->body->meeting;
	return (x->start_at > y->start_at) - (x->start_at < y->start_at);
}

/* Organisations that were there. */
static unsigned present(struct page *p, const struct node *meeting)
{
	unsigned count = 0;
	size_t n;
	const struct edge *edges = network_edges(p->net, meeting, &n);
	for (size_t i = 0; i < n; i++) {
		const Seve__Attendance *a = NODE_AS(edges[i].from, Attendance, attendance);
		count += a && a->status == SEVE__ATTENDANCE__STATUS__STATUS_PRESENT;
	}
	return count;
}

static void put_meeting(struct page *p, const struct node *n, bool held)
{
	const Seve__Meeting *m = n->body->meeting;
	fputs("<tr>", p->file);
	page_day(p, m->has_start_at, m->has_start_at ? day_of(m->start_at) : 0);
	fputs("<th scope=\"row\">", p->file);
	html_name(p->file, m->title && *m->title ? m->title : report_ref(p->c, n));
	fputs("</th>", p->file);
	page_cell(p, page_word(p, "meeting_kind", &seve__meeting__kind__descriptor, (int)m->kind));
	page_name(p, m->place);
	if (held)
		page_count(p, present(p, n));
	fputs("</tr>\n", p->file);
}

/* Of those that come the nearest, of those that were the latest. */
static void put_meetings(struct page *p, const struct node **list, size_t n, bool held)
{
	static const struct page_heading headings[] = {{N_("Day"), NULL},
						       {N_("Meeting"), NULL},
						       {N_("Kind"), NULL},
						       {N_("Place"), NULL},
						       {N_("Organisations"), "n"}};
	const char *title = held ? _("Held") : _("To come");
	html_put(p->file, "<div class=\"together\"><h3>%s</h3>\n", title);
	page_table(p, title, headings, held ? 5 : 4);
	for (size_t i = 0; i < n && i < MEETINGS_SHOWN; i++)
		put_meeting(p, list[held ? n - 1 - i : i], held);
	page_table_end(p);
	if (n > MEETINGS_SHOWN)
		page_note(p, cli_printf(p->c, _("And %zu more."), n - MEETINGS_SHOWN));
	fputs("</div>\n", p->file);
}

int page_meetings(struct page *p)
{
	const struct nodes all = network_kind(p->net, "meeting");
	const struct node **held = arena_array(p->arena, all.n + 1, sizeof *held),
			  **coming = arena_array(p->arena, all.n + 1, sizeof *coming);
	size_t n_held = 0, n_coming = 0;
	if (!held || !coming)
		return err_set(&p->err, ERR_NOMEM, "meetings");
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Meeting *m = all.list[i]->body->meeting;
		if (is_held(m))
			held[n_held++] = all.list[i];
		else if (is_coming(m))
			coming[n_coming++] = all.list[i];
	}
	qsort(held, n_held, sizeof *held, by_start);
	qsort(coming, n_coming, sizeof *coming, by_start);
	if (n_coming)
		put_meetings(p, coming, n_coming, false);
	if (n_held)
		put_meetings(p, held, n_held, true);
	if (!n_held && !n_coming)
		page_none(p, _("No meeting was held or is planned."));
	return 0;
}

/* ---- know-how -----------------------------------------------------------------------------------
 */

static void readiness(struct page *p, const struct apprentice *list, size_t n)
{
	unsigned ready = 0, best = 0;
	for (size_t i = 0; i < n; i++) {
		ready += list[i].ready;
		best = list[i].methods_ready > best ? list[i].methods_ready : best;
	}
	if (ready)
		page_note(p,
			  cli_printf(p->c, _("Local actors who could run the network alone: %u."),
				     ready));
	else
		page_note(p, cli_printf(p->c,
					_("Nobody local could run the network alone yet; the most "
					  "advanced person masters %u of %u parts of the method."),
					best, (unsigned)METHODS));
}

int page_knowhow(struct page *p)
{
	static const struct page_heading headings[] = {
		{N_("Part of the method"), NULL},
		{N_("Aware"), "n"},
		{N_("Observer"), "n"},
		{N_("Co-facilitator"), "n"},
		{N_("Supported lead"), "n"},
		{N_("Autonomous"), "n"},
	};
	struct coverage methods[METHODS];
	struct apprentice *list = NULL;
	unsigned any = 0;
	size_t n = 0;
	/* sums over persons whom the page does not name */
	if (readiness_make(p->all, p->arena, &list, &n, methods, &p->err) < 0)
		return -(int)p->err.code;
	for (unsigned i = 0; i < METHODS; i++)
		for (unsigned k = 1; k < MASTERIES; k++)
			any += methods[i].people[k];
	if (!any) {
		page_none(p, _("No know-how has been noted yet."));
		return 0;
	}
	page_table(p, _("How many persons master what"), headings, 6);
	for (unsigned i = 0; i < METHODS; i++) {
		html_put(p->file, "<tr><th scope=\"row\">%s</th>",
			 wording(cli_printf(p->c, "method.%s", readiness_method(i))));
		for (unsigned k = 1; k < MASTERIES; k++)
			page_count(p, methods[i].people[k]);
		fputs("</tr>\n", p->file);
	}
	page_table_end(p);
	readiness(p, list, n);
	return 0;
}

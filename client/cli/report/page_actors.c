/* page_actors.c -- see page.h: who takes part, and the matrix of strengths and weaknesses. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "i18n.h"
#include "method/progress.h"
#include "page.h"
#include "report.h"
#include "text.h"
#include "wording.h"

enum { CATEGORIES = 13, MEMBERS_SHOWN = 150 };

/* ---- branches: sections of NAF rév. 2, by its first two digits ----------------------------------
 */

static const struct {
	int first, last;
	const char *title;
} branches[] = {
	{1, 3, N_("Agriculture, forestry and fishing")},
	{5, 9, N_("Mining and quarrying")},
	{10, 33, N_("Manufacturing")},
	{35, 35, N_("Electricity, gas, steam")},
	{36, 39, N_("Water, sewerage, waste")},
	{41, 43, N_("Construction")},
	{45, 47, N_("Trade and repair")},
	{49, 53, N_("Transport and storage")},
	{55, 56, N_("Accommodation and food")},
	{58, 63, N_("Information and communication")},
	{64, 66, N_("Finance and insurance")},
	{68, 68, N_("Real estate")},
	{69, 75, N_("Scientific and technical services")},
	{77, 82, N_("Administrative and support services")},
	{84, 84, N_("Public administration")},
	{85, 85, N_("Education")},
	{86, 88, N_("Health and social work")},
	{90, 93, N_("Arts, entertainment, recreation")},
	{94, 96, N_("Other services, associations")},
};
enum { BRANCHES = sizeof branches / sizeof *branches };

/* BRANCHES: not told, or of none. */
static size_t branch_of(const Seve__Actor *a)
{
	const char *code = a->naf_code ? a->naf_code : "";
	int division = 0;
	size_t i = 0;
	if (strlen(code) < 2 || code[0] < '0' || code[0] > '9' || code[1] < '0' || code[1] > '9')
		return BRANCHES;
	division = (code[0] - '0') * 10 + (code[1] - '0');
	while (i < BRANCHES && !(division >= branches[i].first && division <= branches[i].last))
		i++;
	return i;
}

struct tally {
	unsigned all, members, visited;
};

static void tally_add(struct tally *t, const struct network *net, const struct node *actor)
{
	const bool member = progress_is_member(actor);
	t->all++;
	t->members += member;
	t->visited += member && progress_is_visited(net, actor);
}

static void put_tally(struct page *p, const char *title, const struct tally *t, bool visits)
{
	if (!t->all)
		return;
	html_put(p->file, "<tr><th scope=\"row\">%s</th>", title);
	page_count(p, t->all);
	page_count(p, t->members);
	if (visits)
		page_count(p, t->visited);
	fputs("</tr>\n", p->file);
}

static void by_category(struct page *p, const struct nodes *all)
{
	static const struct page_heading headings[] = {{N_("Kind of actor"), NULL},
						       {N_("Known"), "n"},
						       {N_("Members"), "n"},
						       {N_("Visited"), "n"}};
	struct tally of[CATEGORIES] = {0}, total = {0};
	for (size_t i = 0; i < all->n; i++) {
		const Seve__Actor *a = all->list[i]->body->actor;
		const size_t k = (size_t)a->category;
		tally_add(&of[k < CATEGORIES ? k : 0], p->net, all->list[i]);
		tally_add(&total, p->net, all->list[i]);
	}
	html_put(p->file, "<div>\n<h3>%s</h3>\n", _("By kind"));
	page_table(p, _("Actors by kind"), headings, 4);
	for (size_t k = 1; k < CATEGORIES; k++)
		put_tally(p, page_word(p, "category", &seve__actor__category__descriptor, (int)k),
			  &of[k], true);
	put_tally(p, _("Not told"), &of[0], true);
	put_tally(p, _("All"), &total, true);
	page_table_end(p);
	fputs("</div>\n", p->file);
}

static void by_branch(struct page *p, const struct nodes *all)
{
	static const struct page_heading headings[] = {
		{N_("Branch"), NULL}, {N_("Known"), "n"}, {N_("Members"), "n"}};
	struct tally of[BRANCHES + 1] = {0};
	for (size_t i = 0; i < all->n; i++)
		tally_add(&of[branch_of(all->list[i]->body->actor)], p->net, all->list[i]);
	html_put(p->file, "<div>\n<h3>%s</h3>\n", _("By branch (NAF)"));
	page_table(p, _("Actors by branch"), headings, 3);
	for (size_t k = 0; k < BRANCHES; k++)
		put_tally(p, _(branches[k].title), &of[k], false);
	put_tally(p, _("Not told"), &of[BRANCHES], false);
	page_table_end(p);
	fputs("</div>\n", p->file);
}

/* ---- members ------------------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
	return strcmp(node_name(*(const struct node *const *)a),
		      node_name(*(const struct node *const *)b));
}

static void put_member(struct page *p, const struct node *n)
{
	const Seve__Actor *a = n->body->actor;
	fputs("<tr><th scope=\"row\">", p->file);
	html_name(p->file, report_name(p->c, n));
	fputs("</th>", p->file);
	page_cell(p,
		  page_word(p, "category", &seve__actor__category__descriptor, (int)a->category));
	page_name(p, a->commune);
	page_cell(p, !a->wave ? _("pioneer") : cli_printf(p->c, _("wave %u"), a->wave));
	page_cell(p, progress_is_visited(p->net, n) ? _("yes") : _("no"));
	fputs("</tr>\n", p->file);
}

static void members(struct page *p, const struct nodes *all)
{
	static const struct page_heading headings[] = {{N_("Member"), NULL},
						       {N_("Kind of actor"), NULL},
						       {N_("Commune"), NULL},
						       {N_("Joined as"), NULL},
						       {N_("Visited"), NULL}};
	const struct node **list = arena_array(&p->c->arena, all->n + 1, sizeof *list);
	size_t n = 0;
	for (size_t i = 0; list && i < all->n; i++)
		if (progress_is_member(all->list[i]))
			list[n++] = all->list[i];
	if (!n)
		return;
	qsort(list, n, sizeof *list, by_name);
	html_put(p->file, "<h3>%s</h3>\n", _("Members"));
	page_table(p, _("Members"), headings, 5);
	for (size_t i = 0; i < n && i < MEMBERS_SHOWN; i++)
		put_member(p, list[i]);
	page_table_end(p);
	if (n > MEMBERS_SHOWN)
		page_note(p, cli_printf(p->c, _("And %zu more."), n - MEMBERS_SHOWN));
}

int page_actors(struct page *p)
{
	const struct nodes all = network_kind(p->net, "actor");
	if (!all.n) {
		page_none(p, _("No actor stands in the network yet."));
	} else {
		fputs("<div class=\"two\">\n", p->file);
		by_category(p, &all);
		by_branch(p, &all);
		fputs("</div>\n", p->file);
		members(p, &all);
	}
	return 0;
}

/* ---- the matrix ---------------------------------------------------------------------------------
 */

static void quadrant(struct page *p, const struct nodes *all, int which, const char *title,
		     bool against)
{
	size_t n = 0;
	html_put(p->file, "<div class=\"%s\"><h3>%s</h3>\n", against ? "against" : "for", title);
	for (size_t i = 0; i < all->n; i++) {
		const Seve__SwotEntry *s = all->list[i]->body->swot_entry;
		if ((int)s->quadrant != which)
			continue;
		fputs(n++ ? "<li>" : "<ul><li>", p->file);
		html_name(p->file, s->text);
		if (s->has_weight)
			html_put(p->file, " <span class=\"weight\">(%s)</span>",
				 cli_printf(p->c, _("weight %u of 3"), s->weight));
		fputs("</li>\n", p->file);
	}
	fputs(n ? "</ul>" : "", p->file);
	if (!n)
		page_none(p, _("Nothing noted."));
	fputs("</div>\n", p->file);
}

int page_matrix(struct page *p)
{
	struct nodes all = network_kind(p->net, "swot_entry");
	report_matrix(&all, INT32_MAX);
	fputs("<div class=\"matrix\">\n", p->file);
	quadrant(p, &all, 1, _("Strengths"), false);
	quadrant(p, &all, 2, _("Weaknesses"), true);
	quadrant(p, &all, 3, _("Opportunities"), false);
	quadrant(p, &all, 4, _("Threats"), true);
	fputs("</div>\n", p->file);
	if (all.n) {
		html_put(p->file, "<p class=\"note\">%s ", _("As of"));
		html_day(p->file, all.list[0]->body->swot_entry->as_of_on);
		fputs("</p>\n", p->file);
	}
	return 0;
}

/* cmd_plan.c -- the action plan, and the matrix of strengths and weaknesses. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "i18n.h"
#include "method/day.h"
#include "method/simulate.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "text.h"

static const struct rows_column plan_columns[] = {
	{"treatment", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"title", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"status", OUT_TEXT, 0},
	{"horizon", OUT_TEXT, 0},
	{"scope", OUT_TEXT, 0},
	{"low_hanging", OUT_BOOL, 0},
	{"actors", OUT_NUMBER, 0},
	{"pilot", OUT_TEXT, ROWS_SHRINKS},
	{"target_on", OUT_TEXT, 0},
	{"next_step", OUT_TEXT, ROWS_SHRINKS},
	{"next_step_due_on", OUT_TEXT, 0},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static const char *word_of(struct cli *c, const struct node *n, const char *field)
{
	const field_desc *fd = field_by_name(n->kind, field);
	const ProtobufCMessage *m = kind_message(n->body);
	char word[48];
	if (!fd || !field_present(m, fd))
		return "";
	field_enum_word(fd->descriptor, (int)field_int(m, fd), word);
	return cli_printf(c, "%s", word);
}

static int put_plan(struct rows *r, const struct network *net, const struct node *n)
{
	struct cli *c = r->c;
	const Seve__Action *a = n->body->action;
	struct candidate k;
	candidate_look(net, n, &k);
	const struct node *pilot = k.pilot           ? k.pilot
				   : a->has_pilot_id ? network_find(net, n->territory, a->pilot_id)
						     : NULL;
	const char *const cells[] = {
		word_of(c, n, "treatment"),
		report_ref(c, n),
		node_name(n),
		report_state(c, n),
		word_of(c, n, "horizon"),
		word_of(c, n, "scope"),
		rows_bool(a->low_hanging),
		rows_count(c, k.actors),
		pilot ? node_name(pilot) : "",
		a->has_target_on ? rows_date(c, a->target_on) : "",
		a->next_step,
		a->has_next_step_due_on ? rows_date(c, a->next_step_due_on) : "",
		report_id(c, n),
	};
	return rows_put(r, cells);
}

/* To implement, to document, to elaborate, then what has no treatment yet. */
static int by_treatment(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	const unsigned p = (unsigned)x->body->action->treatment - 1,
		       q = (unsigned)y->body->action->treatment - 1;
	if (p != q)
		return p < q ? -1 : 1;
	return (x > y) - (x < y);
}

static bool in_plan(const Seve__Action *a)
{
	return (a->status >= SEVE__ACTION__STATUS__STATUS_PLANNED &&
		a->status <= SEVE__ACTION__STATUS__STATUS_DEFERRED) ||
	       a->status == SEVE__ACTION__STATUS__STATUS_SUSPENDED ||
	       (a->status == SEVE__ACTION__STATUS__STATUS_LEAD && a->has_treatment);
}

int cmd_plan_show(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct gathered g;
	struct rows r;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = gather_one(c, territory, "territory actor action position", &g);
	if (rc == 0) {
		struct nodes all = network_kind(&g.net, "action");
		if (all.n)
			qsort(all.list, all.n, sizeof *all.list, by_treatment);
		rc = rows_begin(&r, c, "seve.plan/1", plan_columns, ROWS_N(plan_columns));
		for (size_t i = 0; rc == 0 && i < all.n; i++)
			if (in_plan(all.list[i]->body->action))
				rc = put_plan(&r, &g.net, all.list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- swot ---------------------------------------------------------------------------------------
 */

static const struct rows_column swot_columns[] = {
	{"quadrant", OUT_TEXT, 0},     {"weight", OUT_NUMBER, 0}, {"ref", OUT_TEXT, 0},
	{"text", OUT_TEXT, 0},         {"as_of", OUT_TEXT, 0},    {"evidence", OUT_LIST, 0},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static int by_quadrant(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
	const Seve__SwotEntry *p = x->body->swot_entry, *q = y->body->swot_entry;
	if (p->quadrant != q->quadrant)
		return p->quadrant < q->quadrant ? -1 : 1;
	if (p->weight != q->weight)
		return p->weight > q->weight ? -1 : 1;
	return (x > y) - (x < y);
}

static const char *evidence(struct cli *c, const struct network *net, const struct node *n)
{
	const Seve__SwotEntry *s = n->body->swot_entry;
	const char *list = "";
	for (size_t i = 0; i < s->n_evidence_ids; i++)
		list = cli_printf(
			c, "%s%s%s", list, i ? "|" : "",
			report_ref(c, network_find(net, n->territory, s->evidence_ids[i])));
	return list;
}

static int put_entry(struct rows *r, const struct network *net, const struct node *n)
{
	struct cli *c = r->c;
	const Seve__SwotEntry *s = n->body->swot_entry;
	const char *const cells[] = {word_of(c, n, "quadrant"),
				     s->has_weight ? rows_count(c, s->weight) : "",
				     report_ref(c, n),
				     s->text,
				     rows_date(c, s->as_of_on),
				     evidence(c, net, n),
				     report_id(c, n)};
	return rows_put(r, cells);
}

/* Entries of the latest date: a new version replaces the one before. */
void report_matrix(struct nodes *all, int32_t on)
{
	int32_t latest = INT32_MIN;
	size_t kept = 0;
	for (size_t i = 0; i < all->n; i++) {
		const int32_t day = all->list[i]->body->swot_entry->as_of_on;
		latest = day <= on && day > latest ? day : latest;
	}
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i]->body->swot_entry->as_of_on == latest)
			all->list[kept++] = all->list[i];
	all->n = kept;
	if (kept)
		qsort(all->list, kept, sizeof *all->list, by_quadrant);
}

/* The next entry of a quadrant from *at on, as a line; "" at the end. */
static const char *next_entry(struct cli *c, const struct nodes *all, int quadrant, size_t *at)
{
	while (*at < all->n) {
		const Seve__SwotEntry *s = all->list[(*at)++]->body->swot_entry;
		if ((int)s->quadrant == quadrant)
			return cli_printf(c, "%.*s %s", (int)(s->weight < 3 ? s->weight : 3), "+++",
					  s->text);
	}
	return "";
}

/* Two quadrants beside each other, an entry a row. */
static int print_quadrants(struct cli *c, struct out *o, const struct nodes *all, int left,
			   struct err *e)
{
	static const char *const titles[] = {"", N_("Strengths"), N_("Weaknesses"),
					     N_("Opportunities"), N_("Threats")};
	const char *texts[2] = {_(titles[left]), _(titles[left + 1])};
	size_t at[2] = {0, 0};
	int rc = 0;
	while (rc == 0 && (*texts[0] || *texts[1])) {
		rc = out_row(o, texts, NULL, e);
		for (int side = 0; side < 2; side++)
			texts[side] = next_entry(c, all, left + side, &at[side]);
	}
	return rc;
}

/* For people: two columns, strengths beside weaknesses, opportunities beside threats. */
static int print_matrix(struct cli *c, const struct nodes *all)
{
	static const struct out_column halves[] = {{.name = "left", .wraps = true},
						   {.name = "right", .wraps = true}};
	struct err e = {0};
	struct out o;
	int rc = out_begin(&o, OUT_TABLE, stdout, "", halves, 2, true, &e);
	if (rc == 0)
		rc = print_quadrants(c, &o, all, 1, &e);
	if (rc == 0)
		rc = print_quadrants(c, &o, all, 3, &e);
	const int ended = out_end(&o, rc ? NULL : &e);
	return rc || ended < 0 ? say_err(c, &e) : 0;
}

int cmd_swot_show(struct cli *c)
{
	const char *territory = NULL, *on = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{OPT_TEXT, "as-of", 0, &on, "2026-11-23",
		 N_("as it was on this day; else the latest")},
		{.type = OPT_END},
	};
	struct gathered g;
	struct rows r;
	struct err e = {0};
	int32_t day = INT32_MAX;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	if (on && text_to_date(on, &day, &e) < 0)
		return say_misuse(c, &e);
	int rc = gather_one(c, territory, NULL, &g);
	if (rc == 0) {
		struct nodes all = network_kind(&g.net, "swot_entry");
		report_matrix(&all, day);
		if (c->format == OUT_TABLE && !c->columns && all.n) {
			rc = print_matrix(c, &all);
		} else {
			rc = rows_begin(&r, c, "seve.swot/1", swot_columns, ROWS_N(swot_columns));
			for (size_t i = 0; rc == 0 && i < all.n; i++)
				rc = put_entry(&r, &g.net, all.list[i]);
			rc = rows_end(&r, rc);
		}
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

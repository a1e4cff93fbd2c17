/* cmd_load.c -- the dispersion guard, and the selection before it is decided. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "gather.h"
#include "i18n.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "method/simulate.h"
#include "text.h"

static int month_option(struct cli *c, const char *text, struct month *out)
{
	struct err e = {0};
	*out = month_of(day_of(clock_wall_ms()));
	if (text && month_parse(text, out, &e) < 0)
		return say_misuse(c, &e);
	return 0;
}

/* ---- load ---------------------------------------------------------------------------------------
 */

static const char *ratio_of(struct cli *c, const struct load_org *o)
{
	return o->known ? rows_number(c, load_ratio(o)) : "";
}

static const struct rows_column load_columns[] = {
	{"territory", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"month", OUT_TEXT, 0},
	{"positions", OUT_NUMBER, 0},
	{"cold", OUT_NUMBER, 0},
	{"hours", OUT_NUMBER, 0},
	{"total", OUT_NUMBER, 0},
	{"elsewhere", OUT_NUMBER, ROWS_HIDDEN},
	{"available", OUT_NUMBER, 0},
	{"load", OUT_NUMBER, 0},
	{"over", OUT_BOOL, 0},
	{"blackout", OUT_BOOL, ROWS_HIDDEN},
	{"siren", OUT_TEXT, ROWS_HIDDEN},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static int put_load(struct rows *r, const struct load_actor *a, const char *month)
{
	struct cli *c = r->c;
	const struct load_org *o = a->org;
	const char *const cells[] = {
		scope_slug(c, a->actor->territory),
		report_ref(c, a->actor),
		node_name(a->actor),
		month,
		rows_count(c, a->positions),
		rows_count(c, a->cold),
		rows_number(c, a->hours),
		rows_number(c, o->hours + o->foreign),
		rows_number(c, o->hours + o->foreign - a->hours),
		o->known ? rows_number(c, o->available) : "",
		ratio_of(c, o),
		rows_bool(o->over),
		rows_bool(o->blackout),
		o->siren,
		report_id(c, a->actor),
	};
	return rows_put(r, cells);
}

/* Most loaded first; what is not known by its hours. */
static int by_load(const void *a, const void *b)
{
	const struct load_actor *x = *(const struct load_actor *const *)a,
				*y = *(const struct load_actor *const *)b;
	const double p = load_ratio(x->org), q = load_ratio(y->org);
	if (p > q || p < q)
		return p > q ? -1 : 1;
	if (x->org->hours > y->org->hours || x->org->hours < y->org->hours)
		return x->org->hours > y->org->hours ? -1 : 1;
	return (x > y) - (x < y);
}

static int print_load(struct cli *c, const struct load *l, struct month m, bool over)
{
	struct rows r;
	char month[16];
	const struct load_actor **sorted = arena_array(&c->arena, l->n + 1, sizeof *sorted);
	size_t n = 0;
	month_format(m.first, month);
	if (!sorted)
		return say_nomem(c);
	for (size_t i = 0; i < l->n; i++) {
		const struct load_actor *a = &l->actors[i];
		if (over ? a->org->over && a->hours > 0 : a->hours > 0 || a->positions)
			sorted[n++] = a;
	}
	if (n)
		qsort(sorted, n, sizeof *sorted, by_load);
	int rc = rows_begin(&r, c, "seve.load/1", load_columns, ROWS_N(load_columns));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_load(&r, sorted[i], month);
	return rows_end(&r, rc);
}

int report_add_elsewhere(struct cli *c, const struct gathered *g, struct load *l, struct month m,
			 bool *partial)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	const int asked = c->offline ? SEVE_RETRY
				     : seve_load_elsewhere(c->seve, g->territories, g->n, m.first,
							   m.last, &t, &err);
	if (asked && !g->replica && asked != SEVE_FORBIDDEN)
		return say_seve(c, err);
	seve_error_free(err);
	*partial = asked != SEVE_OK;
	if (asked) {
		say_warning(c,
			    _("partial: hours of %zu of %zu territories, as far as this account "
			      "and this machine know"),
			    g->n, g->granted);
		return 0;
	}
	for (size_t i = 0; i < seve_table_rows(t); i++) {
		double hours;
		if (text_to_double(seve_table_get(t, i, "hours"), &hours, NULL) == 0)
			load_add_foreign(l, seve_table_get(t, i, "siren"), hours);
	}
	seve_table_free(t);
	return 0;
}

int cmd_load(struct cli *c)
{
	struct words slugs = {0};
	const char *month = NULL;
	bool over = false, partial;
	const struct opt table[] = {
		{OPT_FLAG, "over", 0, &over, NULL,
		 N_("only those who promised more than they have")},
		{OPT_TEXT, "month", 'm', &month, "2026-11",
		 N_("of this month; else of the present one")},
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	struct gathered g;
	struct month m;
	struct load l;
	struct err e = {0};
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = month_option(c, month, &m);
	if (rc)
		return rc;
	rc = gather(c, &slugs, "territory actor position availability", &g);
	if (rc == 0 && load_make(&g.net, m, day_of(clock_wall_ms()), NULL, &g.arena, &l, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = report_add_elsewhere(c, &g, &l, m, &partial);
	if (rc == 0)
		rc = print_load(c, &l, m, over);
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- select simulate ----------------------------------------------------------------------------
 */

static const struct rows_column simulate_columns[] = {
	{"finding", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"hours", OUT_NUMBER, 0},
	{"available", OUT_NUMBER, 0},
	{"load", OUT_NUMBER, 0},
	{"load_before", OUT_NUMBER, 0},
	{"actors", OUT_NUMBER, 0},
	{"pilot", OUT_TEXT, 0},
	{"low_hanging", OUT_BOOL, ROWS_HIDDEN},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static int put_candidate(struct rows *r, const struct candidate *k, const char *finding)
{
	struct cli *c = r->c;
	const char *const cells[] = {finding,
				     report_ref(c, k->action),
				     node_name(k->action),
				     NULL,
				     NULL,
				     NULL,
				     NULL,
				     rows_count(c, k->actors),
				     report_ref(c, k->pilot),
				     rows_bool(k->forced),
				     report_id(c, k->action)};
	return rows_put(r, cells);
}

static int put_over(struct rows *r, const struct load_actor *a, const struct load_org *before)
{
	struct cli *c = r->c;
	const char *const cells[] = {"over",
				     report_ref(c, a->actor),
				     node_name(a->actor),
				     rows_number(c, a->org->hours + a->org->foreign),
				     rows_number(c, a->org->available),
				     ratio_of(c, a->org),
				     ratio_of(c, before),
				     NULL,
				     NULL,
				     NULL,
				     report_id(c, a->actor)};
	return rows_put(r, cells);
}

/* Who goes over, then which lead lacks a pilot, then which are forced in, then what is chosen. */
static int print_simulation(struct cli *c, const struct simulation *s)
{
	struct rows r;
	int rc = rows_begin(&r, c, "seve.select.simulate/1", simulate_columns,
			    ROWS_N(simulate_columns));
	for (size_t i = 0; rc == 0 && i < s->after.n; i++)
		if (s->after.actors[i].org->over)
			rc = put_over(&r, &s->after.actors[i], s->before.actors[i].org);
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (s->candidates[i].chosen && s->candidates[i].pilots != 1)
			rc = put_candidate(&r, &s->candidates[i],
					   s->candidates[i].pilots ? "several_pilots" : "no_pilot");
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (s->candidates[i].forced)
			rc = put_candidate(&r, &s->candidates[i], "forced");
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (s->candidates[i].chosen && !s->candidates[i].forced)
			rc = put_candidate(&r, &s->candidates[i], "chosen");
	return rows_end(&r, rc);
}

static int find_chosen(struct cli *c, const struct gathered *g, const struct node ***out)
{
	const struct node **list = arena_array(&c->arena, c->args.n + 1, sizeof *list);
	int rc = list ? 0 : say_nomem(c);
	for (size_t i = 0; rc == 0 && i < c->args.n; i++) {
		rc = gather_find(c, g, "action", c->args.at[i], &list[i]);
		if (rc == 0 &&
		    list[i]->body->action->status != SEVE__ACTION__STATUS__STATUS_PLANNED)
			say_warning(
				c,
				_("%s is not planned: workshop 2 decides on planned actions only"),
				c->args.at[i]);
	}
	*out = list;
	return rc;
}

int cmd_select_simulate(struct cli *c)
{
	const char *territory = NULL, *month = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{OPT_TEXT, "month", 'm', &month, "2026-11",
		 N_("in this month; else in the present one")},
		{.type = OPT_END},
	};
	const struct node **chosen = NULL;
	struct simulation s;
	struct gathered g;
	struct month m;
	struct err e = {0};
	bool partial;
	if (!cli_options(c, table, 0, 1000))
		return c->status;
	int rc = month_option(c, month, &m);
	if (rc)
		return rc;
	rc = gather_one(c, territory, "territory actor action position availability", &g);
	if (rc == 0)
		rc = find_chosen(c, &g, &chosen);
	if (rc == 0 && simulate(&g.net, c->args.n ? chosen : NULL, c->args.n, m,
				day_of(clock_wall_ms()), &g.arena, &s, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = report_add_elsewhere(c, &g, &s.after, m, &partial);
	if (rc == 0)
		rc = print_simulation(c, &s);
	gather_end(&g);
	return rc;
}

/* ---- select rank --------------------------------------------------------------------------------
 */

static const struct rows_column rank_columns[] = {
	{"rank", OUT_NUMBER, 0},
	{"ref", OUT_TEXT, 0},
	{"title", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"score", OUT_NUMBER, 0},
	{"low_hanging", OUT_BOOL, 0},
	{"promise", OUT_NUMBER, 0},
	{"effort", OUT_NUMBER, 0},
	{"objectives", OUT_NUMBER, 0},
	{"actors", OUT_NUMBER, 0},
	{"pilot", OUT_TEXT, 0},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static int put_rank(struct rows *r, size_t rank, const struct candidate *k)
{
	struct cli *c = r->c;
	const Seve__Action *a = k->action->body->action;
	const Seve__Objectives *o = a->objectives;
	const char *const cells[] = {
		rows_count(c, rank),
		report_ref(c, k->action),
		node_name(k->action),
		rows_number(c, k->score),
		rows_bool(k->forced),
		a->has_promise ? rows_count(c, a->promise) : "",
		a->has_effort ? rows_count(c, a->effort) : "",
		o ? rows_number(c,
				o->competitiveness + o->attractiveness + o->people + o->environment)
		  : "",
		rows_count(c, k->actors),
		report_ref(c, k->pilot),
		report_id(c, k->action),
	};
	return rows_put(r, cells);
}

int cmd_select_rank(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct candidate *list = NULL;
	struct gathered g;
	struct rows r;
	struct err e = {0};
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = gather_one(c, territory, "territory actor action position", &g);
	if (rc == 0 && simulate_rank(&g.net, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.select.rank/1", rank_columns, ROWS_N(rank_columns));
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = put_rank(&r, i + 1, &list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

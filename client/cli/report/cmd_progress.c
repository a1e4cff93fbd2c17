/* cmd_progress.c -- where a territory stands in the method, and territories beside each other. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "method/figures.h"
#include "phase.h"
#include "report.h"
#include "rows.h"
#include "say.h"

static const struct rows_column progress_columns[] = {
	{"phase", OUT_NUMBER, 0},          {"name", OUT_TEXT, 0},
	{"current", OUT_BOOL, 0},          {"complete", OUT_BOOL, 0},
	{"done", OUT_NUMBER, 0},           {"of", OUT_NUMBER, ROWS_HIDDEN},
	{"missing", OUT_LIST, ROWS_WRAPS}, {"blocked_by", OUT_NUMBER, 0},
};

static int put_phase(struct rows *r, unsigned i, const struct phase *p, unsigned current)
{
	struct cli *c = r->c;
	const bool people = c->format == OUT_TABLE;
	const char *missing = "";
	for (size_t k = 0; k < p->n_missing; k++)
		missing = cli_printf(c, "%s%s%s", missing,
				     !k       ? ""
				     : people ? ", "
					      : "|",
				     people ? phase_missing(p->missing[k]) : p->missing[k]);
	const char *const cells[] = {
		rows_count(c, i),
		people ? phase_title(p->name) : p->name,
		rows_bool(i == current),
		rows_bool(p->complete),
		people ? phase_standing(c, p) : rows_count(c, p->done),
		rows_count(c, p->of),
		missing,
		p->blocked_by >= 0 ? rows_count(c, (uint64_t)p->blocked_by) : "",
	};
	return rows_put(r, cells);
}

int cmd_territory_progress(struct cli *c)
{
	struct phase phases[PHASES];
	struct gathered g;
	struct rows r;
	struct err e = {0};
	if (!cli_options(c, NULL, 0, 1))
		return c->status;
	int rc = gather_one(c, c->args.n ? c->args.at[0] : NULL, NULL, &g);
	if (rc == 0 && progress_make(&g.net, g.territories[0], &g.arena, phases, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		const struct node *t = network_territory(&g.net, g.territories[0]);
		const unsigned current = t ? t->body->territory->phase : 0;
		rc = rows_begin(&r, c, "seve.territory.progress/1", progress_columns,
				ROWS_N(progress_columns));
		for (unsigned i = 0; rc == 0 && i < PHASES; i++)
			rc = put_phase(&r, i, &phases[i], current);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- compare ------------------------------------------------------------------------------------
 */

static const struct rows_column compare_columns[] = {
	{"territory", OUT_TEXT, 0},    {"phase", OUT_NUMBER, 0},     {"actors", OUT_NUMBER, 0},
	{"members", OUT_NUMBER, 0},    {"visited", OUT_NUMBER, 0},   {"idea", OUT_NUMBER, 0},
	{"discussion", OUT_NUMBER, 0}, {"under_way", OUT_NUMBER, 0}, {"achieved", OUT_NUMBER, 0},
	{"abandoned", OUT_NUMBER, 0},  {"stalled", OUT_NUMBER, 0},   {"groups", OUT_NUMBER, 0},
	{"meetings", OUT_NUMBER, 0},
};

static int put_comparison(struct rows *r, const struct comparison *k)
{
	struct cli *c = r->c;
	const char *const cells[] = {
		scope_slug(c, k->territory),
		rows_count(c, k->phase),
		rows_count(c, k->actors),
		rows_count(c, k->members),
		rows_count(c, k->visited),
		rows_count(c, k->states[SHARED_IDEA]),
		rows_count(c, k->states[SHARED_DISCUSSION]),
		rows_count(c, k->states[SHARED_UNDER_WAY]),
		rows_count(c, k->states[SHARED_DONE]),
		rows_count(c, k->abandoned),
		rows_count(c, k->stalled),
		rows_count(c, k->groups),
		rows_count(c, k->meetings),
	};
	return rows_put(r, cells);
}

int cmd_territory_compare(struct cli *c)
{
	struct comparison *list = NULL;
	struct gathered g;
	struct rows r;
	struct err e = {0};
	if (!cli_options(c, NULL, 0, 500))
		return c->status;
	int rc = gather(c, &c->args, "territory actor interview action group meeting", &g);
	if (rc == 0 &&
	    figures_compare(&g.net, g.territories, g.n, clock_wall_ms(), &g.arena, &list, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.territory.compare/1", compare_columns,
				ROWS_N(compare_columns));
		for (size_t i = 0; rc == 0 && i < g.n; i++)
			rc = put_comparison(&r, &list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

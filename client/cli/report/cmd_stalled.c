/* cmd_stalled.c -- what stands still, and words wherever they stand. */
#include <string.h>

#include "clock.h"
#include "command.h"
#include "find.h"
#include "gather.h"
#include "i18n.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "stalled.h"

static const struct rows_column stall_columns[] = {
	{"territory", OUT_TEXT, 0},
	{"kind", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"state", OUT_TEXT, 0},
	{"why", OUT_TEXT, 0},
	{"age_days", OUT_NUMBER, 0},
	{"limit_days", OUT_NUMBER, 0},
	{"overdue_days", OUT_NUMBER, 0},
	{"at_least", OUT_BOOL, ROWS_HIDDEN},
	{"next_step", OUT_TEXT, ROWS_SHRINKS},
	{"pilot", OUT_TEXT, ROWS_SHRINKS},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static int put_stall(struct rows *r, const struct network *net, const struct stall *s)
{
	struct cli *c = r->c;
	const Seve__Action *a = NODE_AS(s->node, Action, action);
	const struct node *pilot =
		a && a->has_pilot_id ? network_find(net, s->node->territory, a->pilot_id) : NULL;
	char state[48];
	node_state(s->node, state);
	/* what is older than its kept date is at least that old: said to people by a sign */
	const char *sign = !s->exact && c->format == OUT_TABLE ? "≥" : "";
	const char *const cells[] = {
		scope_slug(c, s->node->territory),
		s->node->kind->name,
		report_ref(c, s->node),
		node_name(s->node),
		cli_printf(c, "%s", state),
		s->old && s->overdue_days ? "age, overdue"
		: s->old                  ? "age"
					  : "overdue",
		s->limit_days ? cli_printf(c, "%s%d", sign, s->age_days) : "",
		s->limit_days ? rows_count(c, (uint64_t)s->limit_days) : "",
		s->overdue_days ? rows_count(c, (uint64_t)s->overdue_days) : "",
		rows_bool(!s->exact),
		a ? a->next_step : NULL,
		pilot ? node_name(pilot) : "",
		report_id(c, s->node),
	};
	return rows_put(r, cells);
}

int cmd_stalled(struct cli *c)
{
	struct words slugs = {0};
	const char *kind = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "kind", 'k', &kind, "KIND", N_("of this kind only")},
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	struct stall *list = NULL;
	struct gathered g;
	struct rows r;
	struct err e = {0};
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	if (kind && !kind_by_name(kind))
		return say_usage(c, _("seve help lists them"), _("there is no kind \"%s\""), kind);
	int rc = gather(c, &slugs, NULL, &g);
	if (rc == 0 && stalled_make(&g.net, clock_wall_ms(), &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.stalled/1", stall_columns, ROWS_N(stall_columns));
		for (size_t i = 0; rc == 0 && i < n; i++)
			if (!kind || strcmp(list[i].node->kind->name, kind) == 0)
				rc = put_stall(&r, &g.net, &list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- find ---------------------------------------------------------------------------------------
 */

static const struct rows_column find_columns[] = {
	{"territory", OUT_TEXT, 0},
	{"kind", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"state", OUT_TEXT, 0},
	{"field", OUT_TEXT, 0},
	{"text", OUT_TEXT, ROWS_SHRINKS},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static const char *text_of(struct cli *c, const struct found *f)
{
	const ProtobufCMessage *m = kind_message(f->node->body);
	const char *list = "";
	if (field_type(f->field) == FIELD_TEXT)
		return *(char *const *)field_at(m, f->field);
	for (size_t i = 0; i < field_count(m, f->field); i++)
		list = cli_printf(c, "%s%s%s", list, *list ? ", " : "",
				  (const char *)field_member(m, f->field, i).at);
	return list;
}

static int put_found(struct rows *r, const struct found *f)
{
	struct cli *c = r->c;
	char state[48];
	node_state(f->node, state);
	const char *const cells[] = {scope_slug(c, f->node->territory),
				     f->node->kind->name,
				     report_ref(c, f->node),
				     node_name(f->node),
				     cli_printf(c, "%s", state),
				     f->field->name,
				     text_of(c, f),
				     report_id(c, f->node)};
	return rows_put(r, cells);
}

int cmd_find(struct cli *c)
{
	struct words slugs = {0};
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	struct found *list = NULL;
	struct gathered g;
	struct rows r;
	struct err e = {0};
	const char *words = "";
	size_t n = 0;
	if (!cli_options(c, table, 1, 16))
		return c->status;
	for (size_t i = 0; i < c->args.n; i++)
		words = cli_printf(c, "%s%s%s", words, i ? " " : "", c->args.at[i]);
	int rc = gather(c, &slugs, NULL, &g);
	if (rc == 0 && find_words(&g.net, words, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.find/1", find_columns, ROWS_N(find_columns));
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = put_found(&r, &list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

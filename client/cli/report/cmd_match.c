/* cmd_match.c -- needs that could meet what others offer, and what a person says to it. */
#include <string.h>

#include "command.h"
#include "i18n.h"
#include "method/match.h"
#include "names.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "text.h"
#include "view.h"

static const struct rows_column match_columns[] = {
	{"territory", OUT_TEXT, ROWS_HIDDEN},
	{"score", OUT_NUMBER, 0},
	{"need", OUT_TEXT, 0},
	{"need_label", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"need_actor", OUT_TEXT, ROWS_SHRINKS},
	{"offer", OUT_TEXT, 0},
	{"offer_label", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"offer_actor", OUT_TEXT, ROWS_SHRINKS},
	{"family", OUT_TEXT, 0},
	{"reasons", OUT_LIST, 0},
	{"km", OUT_NUMBER, 0},
	{"need_id", OUT_TEXT, ROWS_HIDDEN},
	{"offer_id", OUT_TEXT, ROWS_HIDDEN},
};

static const char *reasons(struct cli *c, unsigned bits)
{
	const char *list = "", *gap = c->format == OUT_TABLE ? ", " : "|";
	for (unsigned bit = 1; bit <= MATCH_DISTANCE; bit <<= 1)
		if (bits & bit)
			list = cli_printf(c, "%s%s%s", list, *list ? gap : "",
					  match_reason_word(bit));
	return list;
}

static const struct node *actor_of(const struct network *net, const struct node *n)
{
	const Seve__Resource *r = n->body->resource;
	return r->has_actor_id ? network_find(net, n->territory, r->actor_id) : NULL;
}

static int put_match(struct rows *r, const struct network *net, const struct suggestion *s)
{
	struct cli *c = r->c;
	char family[48];
	field_enum_word(&seve__resource__family__descriptor, s->need->body->resource->family,
			family);
	const char *const cells[] = {
		scope_slug(c, s->need->territory),
		rows_number(c, s->score),
		report_ref(c, s->need),
		node_name(s->need),
		report_name(c, actor_of(net, s->need)),
		report_ref(c, s->offer),
		node_name(s->offer),
		report_name(c, actor_of(net, s->offer)),
		family,
		reasons(c, s->reasons),
		s->km >= 0 ? rows_number(c, s->km) : "",
		report_id(c, s->need),
		report_id(c, s->offer),
	};
	return rows_put(r, cells);
}

static int print_matches(struct cli *c, const struct gathered *g, const struct suggestion *list,
			 size_t n)
{
	struct rows r;
	int rc = rows_begin(&r, c, "seve.match/1", match_columns, ROWS_N(match_columns));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_match(&r, &g->net, &list[i]);
	return rows_end(&r, rc);
}

/* ---- across territories: only the server sees both sides ---- */

static const char *const cross_columns[] = {"own",   "own_label", "stance", "family", "unit",
					    "band",  "handle",    "opened", "label",  "quantity",
					    "basis", "actor",     "place",  "own_id"};

static int print_cross(struct cli *c, const char *territory)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	uint32_t id = 0;
	const char *columns = "";
	int rc = c->offline ? say_usage(c, NULL, "%s",
					_("other territories are seen by the server only"))
			    : cli_open(c);
	if (rc == 0)
		rc = scope_choose(c, territory, &id);
	if (rc == 0 && seve_match_cross(c->seve, id, &t, &err))
		rc = say_seve(c, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof cross_columns / sizeof *cross_columns; i++)
		if (c->format != OUT_TABLE || strcmp(cross_columns[i], "own_id") != 0)
			columns = cli_printf(c, "%s%s%s", columns, i ? "," : "", cross_columns[i]);
	rc = view_table(c, "seve.match.cross/1", columns, t);
	if (seve_table_cut(t))
		say_warning(c, "%s",
			    _("there are more pairs than one answer tells: each card has its "
			      "share, in an order that is the same each time"));
	seve_table_free(t);
	return rc;
}

int cmd_match(struct cli *c)
{
	const char *territory = NULL, *limit = "5";
	bool cross = false;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{OPT_FLAG, "cross", 0, &cross, NULL,
		 N_("with other territories, blinded until their facilitators open a card")},
		{OPT_TEXT, "limit", 'n', &limit, "N",
		 N_("at most so many for one need; 0: all; else 5")},
		{.type = OPT_END},
	};
	struct suggestion *list = NULL;
	struct gathered g;
	struct words one = {0};
	struct err e = {0};
	int64_t per_need;
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	if (text_to_int(limit, 0, 1000000, &per_need, &e) < 0)
		return say_misuse(c, &e);
	if (cross)
		return print_cross(c, territory);
	if (territory && words_add(&c->arena, &one, territory) < 0)
		return say_nomem(c);
	int rc = gather(c, &one, "territory actor resource match", &g);
	if (rc == 0 && match_make(&g.net, (size_t)per_need, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = print_matches(c, &g, list, n);
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- verdicts -----------------------------------------------------------------------------------
 */

struct verdict {
	struct seve_record *need, *offer, *match, *action;
	bool need_moves, offer_moves;
};

static int set(struct cli *c, struct seve_record *r, const char *field, const char *text)
{
	struct seve_error *err = NULL;
	return text && seve_record_set(r, field, text, &err) ? say_seve(c, err) : 0;
}

static int open_pair(struct cli *c, const char *territory, struct verdict *v)
{
	int rc = names_record(c, territory, "resource", c->args.at[0], &v->need);
	if (rc == 0)
		rc = names_record(c, scope_slug(c, seve_record_territory(v->need)), "resource",
				  c->args.at[1], &v->offer);
	if (rc == 0 && (strcmp(seve_record_get(v->need, "stance"), "need") != 0 ||
			strcmp(seve_record_get(v->offer, "stance"), "need") == 0))
		rc = say_usage(c, _("first the need, then the capacity or opportunity"), "%s",
			       _("these two are no need and offer"));
	return rc;
}

static int make_match(struct cli *c, struct verdict *v, const char *word, const char *reason)
{
	struct seve_error *err = NULL;
	if (seve_record_new("match", seve_record_territory(v->need), &v->match, &err))
		return say_seve(c, err);
	int rc = set(c, v->match, "need_id", seve_record_id(v->need));
	if (rc == 0)
		rc = set(c, v->match, "capacity_id", seve_record_id(v->offer));
	if (rc == 0)
		rc = set(c, v->match, "verdict", word);
	return rc ? rc : set(c, v->match, "why", reason);
}

static int save_all(struct cli *c, struct verdict *v, const char *reason)
{
	struct seve_record *list[4];
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	size_t n = 0;
	int queued = 0;
	list[n++] = v->match;
	if (v->action) {
		list[n++] = v->action;
		if (v->need_moves)
			list[n++] = v->need;
		if (v->offer_moves)
			list[n++] = v->offer;
	}
	int rc = seve_save(c->seve, list, n, reason, c->offline, &queued, &report, &err);
	rc = rc && !err ? say_nomem(c) : say_refusal(c, err, report);
	seve_table_free(report);
	if (rc == 0 && queued)
		say_note(c, _("%s waits in the outbox; seve sync sends it."), names_ref(v->match));
	return rc;
}

/* The lead, from both cards; those that are open are matched from now on. */
static int make_lead(struct cli *c, struct verdict *v, const char *title)
{
	struct seve_error *err = NULL;
	if (seve_record_new("action", seve_record_territory(v->need), &v->action, &err))
		return say_seve(c, err);
	if (!title)
		title = cli_printf(c, "%s / %s", seve_record_get(v->need, "label"),
				   seve_record_get(v->offer, "label"));
	int rc = set(c, v->action, "title", title);
	if (rc == 0)
		rc = set(c, v->action, "status", "lead");
	if (rc == 0)
		rc = set(c, v->action, "origin", "match");
	if (rc == 0)
		rc = set(c, v->action, "source_ids",
			 cli_printf(c, "%s|%s", seve_record_id(v->need), seve_record_id(v->offer)));
	if (rc == 0)
		rc = set(c, v->match, "action_id", seve_record_id(v->action));
	v->need_moves = strcmp(seve_record_get(v->need, "state"), "open") == 0;
	v->offer_moves = strcmp(seve_record_get(v->offer, "state"), "open") == 0;
	if (rc == 0 && v->need_moves)
		rc = set(c, v->need, "state", "matched");
	if (rc == 0 && v->offer_moves)
		rc = set(c, v->offer, "state", "matched");
	return rc;
}

static void free_verdict(struct verdict *v)
{
	seve_record_free(v->need);
	seve_record_free(v->offer);
	seve_record_free(v->match);
	seve_record_free(v->action);
}

static int judge(struct cli *c, bool adopt)
{
	const char *territory = NULL, *reason = NULL, *title = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{OPT_TEXT, "reason", 0, &reason, "TEXT", N_("why; kept in the history")},
		{adopt ? OPT_TEXT : OPT_END, "title", 0, &title, "TEXT", N_("of the lead")},
		{.type = OPT_END},
	};
	struct verdict v = {0};
	if (!cli_options(c, table, 2, 2))
		return c->status;
	int rc = open_pair(c, territory, &v);
	if (rc == 0)
		rc = make_match(c, &v, adopt ? "adopted" : "dismissed", reason);
	if (rc == 0 && adopt)
		rc = make_lead(c, &v, title);
	if (rc == 0)
		rc = save_all(c, &v, reason);
	if (rc == 0 && adopt)
		printf("%s\n", names_ref(v.action));
	free_verdict(&v);
	return rc;
}

int cmd_match_adopt(struct cli *c)
{
	return judge(c, true);
}

int cmd_match_dismiss(struct cli *c)
{
	return judge(c, false);
}

int cmd_match_open(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_record *r = NULL;
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	int queued = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = names_record(c, territory, "resource", c->args.at[0], &r);
	if (rc == 0)
		rc = set(c, r, "level", "public");
	if (rc == 0) {
		rc = seve_save(c->seve, &r, 1, NULL, c->offline, &queued, &report, &err);
		rc = rc && !err ? say_nomem(c) : say_refusal(c, err, report);
		seve_table_free(report);
	}
	seve_record_free(r);
	return rc;
}

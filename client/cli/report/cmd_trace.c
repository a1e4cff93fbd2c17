/* cmd_trace.c -- the story of an action, and what changed lately. */
#include "clock.h"
#include "command.h"
#include "i18n.h"
#include "method/digest.h"
#include "method/trace.h"
#include "report.h"
#include "rows.h"
#include "say.h"
#include "text.h"

static const struct rows_column trace_columns[] = {
	{"stage", OUT_TEXT, 0},        {"at", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},          {"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"detail", OUT_TEXT, 0},       {"actor", OUT_TEXT, ROWS_SHRINKS},
	{"via", OUT_TEXT, 0},          {"kind", OUT_TEXT, ROWS_HIDDEN},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

/* What the stage is about, in a word: a state, an outcome, a stance, a value. */
static const char *detail(struct cli *c, const struct node *n)
{
	static const char *const fields[] = {"outcome", "stance", "verdict"};
	const Seve__Benefit *b = NODE_AS(n, Benefit, benefit);
	const ProtobufCMessage *m = kind_message(n->body);
	char word[48];
	if (b) {
		field_enum_word(&seve__benefit__measure__descriptor, b->measure, word);
		return cli_printf(c, "%s %s%s%s", word, rows_number(c, b->value),
				  b->unit ? " " : "", b->unit ? b->unit : "");
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const field_desc *fd = field_by_name(n->kind, fields[i]);
		if (fd && field_type(fd) == FIELD_ENUM && field_present(m, fd)) {
			field_enum_word(fd->descriptor, (int)field_int(m, fd), word);
			return cli_printf(c, "%s", word);
		}
	}
	return report_state(c, n);
}

static const struct node *actor_of(const struct network *net, const struct node *n)
{
	const field_desc *fd = field_by_name(n->kind, "actor_id");
	const ProtobufCMessage *m = kind_message(n->body);
	if (!fd || !field_present(m, fd))
		return NULL;
	return network_find(net, n->territory, *(const ProtobufCBinaryData *)field_at(m, fd));
}

static int put_trace(struct rows *r, const struct network *net, const struct trace_event *e)
{
	struct cli *c = r->c;
	const struct node *actor = actor_of(net, e->node);
	const char *const cells[] = {
		trace_word(e->stage),  rows_time(c, e->at), report_ref(c, e->node),
		node_name(e->node),    detail(c, e->node),  actor ? node_name(actor) : "",
		report_ref(c, e->via), e->node->kind->name, report_id(c, e->node)};
	return rows_put(r, cells);
}

int cmd_action_trace(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	const struct node *action = NULL;
	struct trace_event *list = NULL;
	struct gathered g;
	struct rows r;
	struct words one = {0};
	struct err e = {0};
	size_t n = 0;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	if (territory && words_add(&c->arena, &one, territory) < 0)
		return say_nomem(c);
	int rc = gather(c, &one, NULL, &g);
	if (rc == 0)
		rc = gather_find(c, &g, "action", c->args.at[0], &action);
	if (rc == 0 && trace_make(&g.net, action, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.action.trace/1", trace_columns, ROWS_N(trace_columns));
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = put_trace(&r, &g.net, &list[i]);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

/* ---- digest -------------------------------------------------------------------------------------
 */

static const struct rows_column digest_columns[] = {
	{"territory", OUT_TEXT, 0},
	{"subject", OUT_TEXT, 0},
	{"subject_name", OUT_TEXT, ROWS_SHRINKS},
	{"at", OUT_TEXT, 0},
	{"what", OUT_TEXT, 0},
	{"kind", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"state", OUT_TEXT, 0},
	{"by", OUT_TEXT, 0},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

/* In a table the subject stands once, above what belongs to it. */
static int put_digest(struct rows *r, const struct digest_event *e, bool again)
{
	struct cli *c = r->c;
	again = again && c->format == OUT_TABLE;
	const char *const cells[] = {again ? "" : scope_slug(c, e->node->territory),
				     again ? "" : report_ref(c, e->subject),
				     again ? "" : report_name(c, e->subject),
				     rows_time(c, e->at),
				     digest_word(e->what),
				     e->node->kind->name,
				     report_ref(c, e->node),
				     node_name(e->node),
				     report_state(c, e->node),
				     e->by,
				     report_id(c, e->node)};
	return rows_put(r, cells);
}

/* "7d", or a date or time. */
static int since_option(struct cli *c, const char *text, int64_t *out)
{
	struct err e = {0};
	int64_t ms;
	if (text_to_duration(text, &ms, NULL) == 0) {
		*out = clock_wall_ms() - ms;
		return 0;
	}
	if (text_to_instant(text, out, &e) == 0)
		return 0;
	err_remedy(&e, _("write it like 7d, 2026-11-01 or 2026-11-01T18:00:00Z"));
	return say_misuse(c, &e);
}

int cmd_digest(struct cli *c)
{
	struct words slugs = {0};
	const char *since = "7d";
	const struct opt table[] = {
		{OPT_TEXT, "since", 's', &since, "7d",
		 N_("since this day, or for so long; else 7 days")},
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	struct digest_event *list = NULL;
	struct gathered g;
	struct rows r;
	struct err e = {0};
	int64_t ms = 0;
	size_t n = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = since_option(c, since, &ms);
	if (rc)
		return rc;
	rc = gather(c, &slugs, NULL, &g);
	if (rc == 0 && digest_make(&g.net, ms, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0) {
		rc = rows_begin(&r, c, "seve.digest/1", digest_columns, ROWS_N(digest_columns));
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = put_digest(&r, &list[i], i && list[i].subject == list[i - 1].subject);
		rc = rows_end(&r, rc);
	}
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

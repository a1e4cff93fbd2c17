/* cmd_read.c -- list, show and history of any kind. */
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "command.h"
#include "fieldopt.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "scope.h"
#include "text.h"
#include "view.h"

struct list_options {
	struct words territories, filters;
	const char *limit, *stale;
};

static int stale(struct cli *c, const char *duration, struct seve_query *q)
{
	struct err e = {0};
	struct seve_error *err = NULL;
	int64_t ms;
	char instant[32];
	if (text_to_duration(duration, &ms, &e) < 0)
		return say_misuse(c, &e);
	text_from_instant(clock_wall_ms() - ms, instant);
	return seve_query_filter(q, "updated_at", "<", instant, &err) ? say_seve(c, err) : 0;
}

static int limit(struct cli *c, const char *text, struct seve_query *q)
{
	struct err e = {0};
	int64_t n;
	if (text_to_int(text, 0, INT32_MAX, &n, &e) < 0)
		return say_misuse(c, &e);
	seve_query_limit(q, (size_t)n);
	return 0;
}

static int build(struct cli *c, const struct list_options *o, const struct fieldopts *f,
		 struct seve_query *q)
{
	uint32_t *ids = NULL;
	size_t n = 0;
	int rc = scope_ids(c, &o->territories, &ids, &n);
	const char *slug = rc == 0 && n == 1 ? scope_slug(c, ids[0]) : NULL;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (seve_query_territory(q, ids[i]))
			rc = say_nomem(c);
	if (rc == 0)
		rc = fieldopts_filter(c, f, slug, q);
	for (size_t i = 0; rc == 0 && i < o->filters.n; i++)
		rc = fieldopts_condition(c, c->noun, slug, o->filters.at[i], q);
	if (rc == 0 && o->stale)
		rc = stale(c, o->stale, q);
	if (rc == 0 && o->limit)
		rc = limit(c, o->limit, q);
	return rc;
}

static int print_list(struct cli *c, const struct seve_list *list)
{
	struct view v;
	bool many = false;
	const size_t n = seve_list_count(list);
	for (size_t i = 1; i < n && !many; i++)
		many = seve_record_territory(seve_list_at(list, i)) !=
		       seve_record_territory(seve_list_at(list, 0));
	int rc = view_begin(&v, c, c->noun, "list", many);
	v.tails = seve_list_from_replica(list) != 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = view_record(&v, seve_list_at(list, i));
	rc = view_end(&v, rc);
	if (rc == 0 && n == 0)
		say_note(c, "%s", _("None."));
	if (rc == 0 && seve_list_from_replica(list))
		scope_tell_age(c, seve_list_age_ms(list));
	return rc;
}

int cmd_record_list(struct cli *c)
{
	struct list_options o = {0};
	struct seve_error *err = NULL;
	const struct opt more[] = {
		{OPT_LIST, "territory", 't', &o.territories, "SLUG",
		 N_("of this territory only; may be repeated")},
		{OPT_TEXT, "stale", 0, &o.stale, "30d", N_("not changed for so long")},
		{OPT_LIST, "filter", 0, &o.filters, "CONDITION",
		 N_("field and value with = != < <= > >= or ~ (contains)")},
		{OPT_TEXT, "limit", 'n', &o.limit, "N",
		 N_("at most so many; 0: all (the default)")},
		{.type = OPT_END},
	};
	struct fieldopts f;
	int rc = fieldopts_make(c, c->noun, FIELDOPT_FILTER, more, &f);
	if (rc)
		return rc;
	if (!cli_options(c, f.table, 0, 0))
		return c->status;
	rc = cli_open(c);
	if (rc)
		return rc;
	struct seve_query *q = seve_query_new(c->noun);
	if (!q)
		return say_nomem(c);
	struct seve_list *list = NULL;
	rc = build(c, &o, &f, q);
	if (rc == 0 && seve_list(c->seve, q, c->where, &list, &err))
		rc = say_seve(c, err);
	seve_query_free(q);
	if (rc == 0)
		rc = print_list(c, list);
	seve_list_free(list);
	return rc;
}

static int print_one(struct cli *c, const struct seve_record *r)
{
	struct view v;
	if (c->format == OUT_TABLE && !c->columns)
		return view_sheet(c, r);
	int rc = view_begin(&v, c, seve_record_kind(r), "show", false);
	if (rc == 0)
		rc = view_record(&v, r);
	return view_end(&v, rc);
}

int cmd_record_show(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_record *r = NULL;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = names_record(c, territory, c->noun, c->args.at[0], &r);
	if (rc == 0)
		rc = print_one(c, r);
	seve_record_free(r);
	return rc;
}

static int print_history(struct cli *c, uint32_t territory, const char *id)
{
	struct seve_table *t = NULL;
	struct seve_error *err = NULL;
	if (seve_history(c->seve, territory, id, &t, &err))
		return say_seve(c, err);
	c->territory = territory;
	const char *columns = c->format == OUT_TABLE ? "rev,at,by,reason,changes" : NULL;
	const int rc = view_table(c, cli_printf(c, "seve.%s.history/1", c->noun), columns, t);
	seve_table_free(t);
	return rc;
}

int cmd_record_history(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_record *r = NULL;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = names_any_record(c, territory, c->noun, c->args.at[0], &r);
	if (rc == 0)
		rc = print_history(c, seve_record_territory(r), seve_record_id(r));
	seve_record_free(r);
	return rc;
}

/* ---- the record of a territory ---- */

static int territory_record(struct cli *c, struct seve_record **out)
{
	uint32_t territory = 0;
	int rc = cli_open(c);
	if (rc == 0)
		rc = scope_choose(c, c->args.n ? c->args.at[0] : NULL, &territory);
	return rc ? rc : names_territory(c, territory, out);
}

int cmd_territory_show(struct cli *c)
{
	struct seve_record *r = NULL;
	if (!cli_options(c, NULL, 0, 1))
		return c->status;
	int rc = territory_record(c, &r);
	if (rc == 0)
		rc = print_one(c, r);
	seve_record_free(r);
	return rc;
}

int cmd_territory_history(struct cli *c)
{
	struct seve_record *r = NULL;
	if (!cli_options(c, NULL, 0, 1))
		return c->status;
	int rc = territory_record(c, &r);
	if (rc == 0)
		rc = print_history(c, seve_record_territory(r), seve_record_id(r));
	seve_record_free(r);
	return rc;
}

/* cmd_conflict.c -- conflicts: which are open, both sides of one, and a decision. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "conflict_text.h"
#include "fieldopt.h"
#include "human.h"
#include "i18n.h"
#include "label.h"
#include "names.h"
#include "say.h"
#include "scope.h"
#include "view.h"

enum { TAIL = 6 };

static const char *get(const struct seve_record *r, const char *field)
{
	const char *text = seve_record_get(r, field);
	return text ? text : "";
}

/* What the conflict is about, as a command can name it. */
static const char *about(struct cli *c, const struct seve_record *r)
{
	const char *ref = get(r, "record_ref"), *id = get(r, "record_id");
	const size_t n = strlen(id);
	if (*ref)
		return ref;
	return cli_printf(c, "%s ~%s", get(r, "record_kind"), n > TAIL ? id + n - TAIL : id);
}

/* ---- list ---- */

static const char *field_list(struct cli *c, const struct seve_record *r)
{
	struct seve_table *t = NULL;
	const char *text = "";
	if (seve_conflict_fields(r, &t, NULL))
		return "";
	for (size_t i = 0; i < seve_table_rows(t); i++)
		text = cli_printf(c, "%s%s%s", text, *text ? ", " : "",
				  label_of(seve_table_get(t, i, "field")));
	seve_table_free(t);
	return text;
}

static int list_rows(struct cli *c, struct out *o, const struct seve_list *list)
{
	struct err e = {0};
	for (size_t i = 0; i < seve_list_count(list); i++) {
		const struct seve_record *r = seve_list_at(list, i);
		char age[HUMAN_MAX];
		human_since(get(r, "mine_at"), age);
		const char *cells[] = {names_ref(r),
				       scope_slug(c, seve_record_territory(r)),
				       about(c, r),
				       get(r, "clash"),
				       field_list(c, r),
				       get(r, "mine_by"),
				       get(r, "theirs_by"),
				       get(r, "state"),
				       cli_printf(c, "%s", age)};
		if (out_row(o, cells, NULL, &e) < 0)
			return say_err(c, &e);
	}
	return 0;
}

static int list_table(struct cli *c, const struct seve_list *list)
{
	const struct out_column columns[] = {
		{.name = "ref", .label = label_of("ref")},
		{.name = "territory", .label = label_of("territory")},
		{.name = "record", .label = _("Record"), .main = true},
		{.name = "clash", .label = label_of("clash")},
		{.name = "fields", .label = label_of("fields"), .shrinks = true},
		{.name = "mine_by", .label = label_of("mine_by"), .shrinks = true},
		{.name = "theirs_by", .label = label_of("theirs_by"), .shrinks = true},
		{.name = "state", .label = label_of("state")},
		{.name = "age", .label = _("Age")},
	};
	struct err e = {0};
	struct out o;
	int rc = out_begin(&o, OUT_TABLE, stdout, "seve.conflict.list/1", columns,
			   sizeof columns / sizeof *columns, c->no_headers, &e);
	if (rc < 0) {
		out_end(&o, NULL);
		return say_err(c, &e);
	}
	rc = list_rows(c, &o, list);
	const int ended = out_end(&o, rc ? NULL : &e);
	return rc == 0 && ended < 0 ? say_err(c, &e) : rc;
}

static int list_records(struct cli *c, const struct seve_list *list)
{
	struct view v;
	int rc = view_begin(&v, c, "conflict", "list", false);
	for (size_t i = 0; rc == 0 && i < seve_list_count(list); i++)
		rc = view_record(&v, seve_list_at(list, i));
	return view_end(&v, rc);
}

static int print_conflicts(struct cli *c, const struct seve_list *list)
{
	const size_t n = seve_list_count(list);
	const bool table = c->format == OUT_TABLE && !c->columns;
	int rc = 0;
	if (n || !table)
		rc = table ? list_table(c, list) : list_records(c, list);
	if (rc == 0 && n == 0)
		say_note(c, "%s", _("None."));
	else if (rc == 0 && table)
		say_note(c, "%s", _("Both sides of one: seve conflict show X-…"));
	if (rc == 0 && seve_list_from_replica(list))
		scope_tell_age(c, seve_list_age_ms(list));
	return rc;
}

static int list_query(struct cli *c, const struct words *slugs, bool all, struct seve_query *q)
{
	struct seve_error *err = NULL;
	uint32_t *ids = NULL;
	size_t n = 0;
	int rc = scope_ids(c, slugs, &ids, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (seve_query_territory(q, ids[i]))
			rc = say_nomem(c);
	if (rc == 0 && !all && seve_query_filter(q, "state", "=", "open", &err))
		rc = say_seve(c, err);
	return rc;
}

int cmd_conflict_list(struct cli *c)
{
	struct words slugs = {0};
	bool all = false;
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{OPT_FLAG, "all", 'a', &all, NULL, N_("those that are resolved, too")},
		{.type = OPT_END},
	};
	struct seve_error *err = NULL;
	struct seve_list *list = NULL;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	int rc = cli_open(c);
	if (rc)
		return rc;
	struct seve_query *q = seve_query_new("conflict");
	if (!q)
		return say_nomem(c);
	rc = list_query(c, &slugs, all, q);
	if (rc == 0 && seve_list(c->seve, q, c->where, &list, &err))
		rc = say_seve(c, err);
	seve_query_free(q);
	if (rc == 0)
		rc = print_conflicts(c, list);
	seve_list_free(list);
	return rc;
}

/* ---- show ---- */

static int show(struct cli *c, const struct seve_record *r)
{
	struct view v;
	if (c->format == OUT_TABLE && !c->columns)
		return conflict_sheet(c, r, about(c, r));
	int rc = view_begin(&v, c, "conflict", "show", false);
	if (rc == 0)
		rc = view_record(&v, r);
	return view_end(&v, rc);
}

int cmd_conflict_show(struct cli *c)
{
	const char *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct seve_record *r = NULL;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = names_record(c, territory, "conflict", c->args.at[0], &r);
	if (rc == 0)
		rc = show(c, r);
	seve_record_free(r);
	return rc;
}

/* ---- resolve ---- */

struct resolve_options {
	const char *territory, *reason;
	bool mine, theirs, edit;
	struct words fields;
};

/* The field that a word names, also without the ending that options drop. */
static const char *field_named(struct cli *c, const char *kind, const char *word)
{
	static const char *const endings[] = {"", "_id", "_on", "_at", "_ids", "s"};
	const char *field = fieldopt_shorthand(kind, word);
	for (size_t i = 0; !field && i < sizeof endings / sizeof *endings; i++) {
		const char *name = cli_printf(c, "%s%s", word, endings[i]);
		if (seve_field_type(kind, name))
			field = name;
	}
	for (char *p = (char *)(uintptr_t)word; !field && *p; p++)
		if (*p == '-')
			*p = '_';
	return field ? field : word;
}

static int read_choice(struct cli *c, const struct seve_record *r, const char *text,
		       struct seve_choice *out)
{
	const char *eq = strchr(text, '='), *kind = get(r, "record_kind");
	if (!eq || eq == text)
		return say_usage(c, _("for example --field status=mine --field target=2027-06-30"),
				 _("\"%s\" is not FIELD=VALUE"), text);
	out->field = field_named(c, kind, cli_printf(c, "%.*s", (int)(eq - text), text));
	out->value = NULL;
	out->side = strcmp(eq + 1, "mine") == 0     ? SEVE_MINE
		    : strcmp(eq + 1, "theirs") == 0 ? SEVE_THEIRS
						    : SEVE_VALUE;
	if (out->side != SEVE_VALUE)
		return 0;
	return fieldopt_value(c, kind, seve_record_territory(r), out->field, eq + 1, &out->value);
}

static int read_choices(struct cli *c, const struct resolve_options *o, const struct seve_record *r,
			struct conflict_choices *out)
{
	int rc = 0;
	if (o->edit)
		return conflict_edit(c, r, about(c, r), out);
	out->list = arena_array(&c->arena, o->fields.n + 1, sizeof *out->list);
	if (!out->list)
		return say_nomem(c);
	out->all = o->mine ? SEVE_MINE : SEVE_THEIRS;
	for (; rc == 0 && out->n < o->fields.n; out->n++)
		rc = read_choice(c, r, o->fields.at[out->n], &out->list[out->n]);
	return rc;
}

static int tell_decided(struct cli *c, const struct seve_record *r, int queued)
{
	if (c->format != OUT_TABLE)
		return show(c, r);
	if (queued)
		say_note(c, _("%s waits in the outbox; seve sync sends it."), names_ref(r));
	if (isatty(STDOUT_FILENO) && !queued)
		printf("%s (%s): %s\n", names_ref(r), scope_slug(c, seve_record_territory(r)),
		       _("resolved"));
	else
		printf("%s\n", names_ref(r));
	return 0;
}

static int resolve(struct cli *c, const struct resolve_options *o, struct seve_record *r)
{
	struct seve_table *report = NULL;
	struct seve_error *err = NULL;
	struct conflict_choices choice = {0};
	int queued = 0;
	int rc = read_choices(c, o, r, &choice);
	if (rc)
		return rc;
	rc = seve_conflict_resolve(c->seve, r, choice.all, choice.list, choice.n, o->reason,
				   c->offline, &queued, &report, &err);
	rc = rc && !err ? say_nomem(c) : say_refusal(c, err, report);
	seve_table_free(report);
	return rc ? rc : tell_decided(c, r, queued);
}

static int check_ways(struct cli *c, const struct resolve_options *o)
{
	const int whole = o->mine + o->theirs + o->edit;
	if (whole > 1 || (o->edit && o->fields.n))
		return say_usage(c, NULL, "%s",
				 _("--mine, --theirs and --edit exclude each other"));
	if (!whole && !o->fields.n)
		return say_usage(c, _("seve conflict show tells both sides"), "%s",
				 _("say how: --mine, --theirs, --field FIELD=VALUE or --edit"));
	if (o->edit && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return say_usage(c, _("without one: --mine, --theirs or --field"), "%s",
				 _("--edit needs a terminal"));
	return 0;
}

int cmd_conflict_resolve(struct cli *c)
{
	struct resolve_options o = {0};
	const struct opt table[] = {
		{OPT_FLAG, "mine", 0, &o.mine, NULL, N_("the edit that was held back")},
		{OPT_FLAG, "theirs", 0, &o.theirs, NULL, N_("what stands already")},
		{OPT_LIST, "field", 0, &o.fields, "FIELD=VALUE",
		 N_("this field so, or =mine, or =theirs; may be repeated")},
		{OPT_FLAG, "edit", 0, &o.edit, NULL, N_("in an editor, with both sides in view")},
		{OPT_TEXT, "territory", 't', &o.territory, "SLUG", N_("of this territory")},
		{OPT_TEXT, "reason", 0, &o.reason, "TEXT", N_("why; kept in the history")},
		{.type = OPT_END},
	};
	struct seve_record *r = NULL;
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = check_ways(c, &o);
	if (rc == 0)
		rc = names_record(c, o.territory, "conflict", c->args.at[0], &r);
	if (rc == 0)
		rc = resolve(c, &o, r);
	seve_record_free(r);
	return rc;
}

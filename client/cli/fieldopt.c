/* fieldopt.c -- see fieldopt.h. */
#include "fieldopt.h"

#include <string.h>

#include "cli.h"
#include "human.h"
#include "i18n.h"
#include "label.h"
#include "names.h"
#include "say.h"
#include "scope.h"
#include "suggest.h"

static bool is(const char *type, const char *word)
{
	return strcmp(type, word) == 0;
}

static bool is_set(const char *type)
{
	return is(type, "texts") || is(type, "ids");
}

/* ---- making ---- */

static bool taken(const struct opt *table, size_t n, const struct opt *more,
		  const struct opt *globals, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return true;
	for (; more->type != OPT_END; more++)
		if (strcmp(more->name, name) == 0)
			return true;
	for (; globals->type != OPT_END; globals++)
		if (strcmp(globals->name, name) == 0)
			return true;
	return false;
}

static const char *option_name(struct cli *c, const char *field, const char *type, bool whole)
{
	static const char *const endings[] = {"_ids", "_id", "_on", "_at"};
	char *name = cli_printf(c, "%s", field);
	size_t n = strlen(name);
	for (size_t i = 0; !whole && i < sizeof endings / sizeof *endings; i++) {
		const size_t end = strlen(endings[i]);
		if (n > end && strcmp(name + n - end, endings[i]) == 0) {
			name[n -= end] = '\0';
			break;
		}
	}
	if (!whole && is(type, "texts") && n > 1 && name[n - 1] == 's')
		name[n - 1] = '\0';
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	return name;
}

static const char *value_word(const char *type)
{
	static const struct {
		const char *type, *word;
	} words[] = {{"int", "N"},        {"uint", "N"},        {"double", "X"},
		     {"enum", "WORD"},    {"date", "DATE"},     {"instant", "TIME"},
		     {"id", "REFERENCE"}, {"ids", "REFERENCE"}, {"bool", "yes|no"},
		     {"message", "JSON"}, {"messages", "JSON"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is(type, words[i].type))
			return words[i].word;
	return "TEXT";
}

static const char *help_of(struct cli *c, const char *kind, const char *field, const char *type)
{
	const char *help = label_of(field), *word;
	if (!is(type, "enum"))
		return help;
	help = cli_printf(c, "%s:", help);
	for (size_t i = 0; (word = seve_field_word(kind, field, i)); i++)
		help = cli_printf(c, "%s %s", help, word);
	return help;
}

struct making {
	struct cli *c;
	const struct opt *more, *globals;
	struct opt *table;
	size_t n;
};

static void add(struct making *m, const struct fieldopt *f, const char *name, bool list,
		void *target, const char *help)
{
	if (taken(m->table, m->n, m->more, m->globals, name))
		return;
	m->table[m->n++] = (struct opt){.type = list ? OPT_LIST : OPT_TEXT,
					.name = name,
					.target = target,
					.arg = value_word(f->type),
					.help = help};
}

static const struct {
	const char *kind, *field, *option;
} shorthands[] = {
#define SHORTHAND(kind, field, option) {kind, field, option},
#include "shorthands.def"
#undef SHORTHAND
};
enum { SHORTHANDS = sizeof shorthands / sizeof *shorthands };

static const char *shorthand(const char *kind, const char *field)
{
	for (size_t i = 0; i < SHORTHANDS; i++)
		if (is(shorthands[i].kind, kind) && is(shorthands[i].field, field))
			return shorthands[i].option;
	return NULL;
}

const char *fieldopt_shorthand(const char *kind, const char *option)
{
	for (size_t i = 0; i < SHORTHANDS; i++)
		if (is(shorthands[i].kind, kind) && is(shorthands[i].option, option))
			return shorthands[i].field;
	return NULL;
}

/* The short name, the shorthand, and, not told in the help, the whole name of the field. */
static void add_field(struct making *m, const char *kind, enum fieldopt_use use, struct fieldopt *f)
{
	const bool list = is_set(f->type) || use == FIELDOPT_FILTER;
	void *target = list ? (void *)&f->add : (void *)&f->text;
	const char *help = help_of(m->c, kind, f->field, f->type);
	const char *more = shorthand(kind, f->field);
	f->option = option_name(m->c, f->field, f->type, false);
	if (taken(m->table, m->n, m->more, m->globals, f->option))
		f->option =
			cli_printf(m->c, "field-%s", option_name(m->c, f->field, f->type, true));
	if (more) {
		add(m, f, more, list, target, help);
		help = NULL;
	}
	add(m, f, f->option, list, target, help);
	add(m, f, option_name(m->c, f->field, f->type, true), list, target, NULL);
	if (use == FIELDOPT_EDIT && is_set(f->type)) {
		add(m, f, cli_printf(m->c, "add-%s", f->option), true, &f->add, NULL);
		add(m, f, cli_printf(m->c, "remove-%s", f->option), true, &f->remove,
		    cli_printf(m->c, _("%s: take out"), label_of(f->field)));
	}
}

enum { NAMES_PER_FIELD = 5, META_FIELDS = 2 };

int fieldopts_make(struct cli *c, const char *kind, enum fieldopt_use use, const struct opt *more,
		   struct fieldopts *out)
{
	size_t n = 0;
	while (seve_kind_field(kind, n))
		n++;
	const size_t n_more = opts_count(more);
	struct fieldopts f = {.kind = kind};
	f.list = arena_array(&c->arena, n + META_FIELDS, sizeof *f.list);
	f.table = arena_array(&c->arena, NAMES_PER_FIELD * (n + META_FIELDS) + n_more + 1,
			      sizeof *f.table);
	if (!f.list || !f.table)
		return say_nomem(c);
	struct making m = {.c = c, .more = more, .globals = cli_globals(c), .table = f.table};
	for (size_t i = 0; i < n; i++) {
		const char *field = seve_kind_field(kind, i);
		f.list[f.n] =
			(struct fieldopt){.field = field, .type = seve_field_type(kind, field)};
		add_field(&m, kind, use, &f.list[f.n++]);
	}
	f.list[f.n] = (struct fieldopt){.field = "level", .type = "text"};
	add_field(&m, kind, use, &f.list[f.n++]);
	if (use != FIELDOPT_FILTER) {
		f.list[f.n] = (struct fieldopt){.field = "refs", .type = "texts"};
		add_field(&m, kind, use, &f.list[f.n++]);
	}
	memcpy(f.table + m.n, more, (n_more + 1) * sizeof *more);
	*out = f;
	return 0;
}

bool fieldopts_given(const struct fieldopts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].text || f->list[i].add.n || f->list[i].remove.n)
			return true;
	return false;
}

/* ---- values ---- */

/* What the library takes: references as ids, local times as instants. */
static int value(struct cli *c, const char *kind, uint32_t territory, const char *field,
		 const char *type, const char *text, const char **out)
{
	*out = text;
	if (!*text)
		return 0;
	if (is(type, "id") || is(type, "ids"))
		return names_id(c, territory, names_target(kind, field), text, out);
	if (is(type, "instant")) {
		char utc[HUMAN_MAX];
		human_to_instant(text, utc);
		*out = cli_printf(c, "%s", utc);
	}
	return 0;
}

int fieldopt_value(struct cli *c, const char *kind, uint32_t territory, const char *field,
		   const char *text, const char **out)
{
	const char *type = seve_field_type(kind, field);
	return value(c, kind, territory, field, type ? type : "text", text, out);
}

static int refused(struct cli *c, const char *kind, const struct fieldopt *f, const char *text,
		   struct seve_error *err)
{
	const int status = say_seve(c, err);
	struct suggest s;
	const char *word;
	suggest_start(&s, text);
	for (size_t i = 0; (word = seve_field_word(kind, f->field, i)); i++)
		suggest_try(&s, word);
	if (suggest_best(&s))
		say_warning(c, "      %s",
			    cli_printf(c, _("did you mean --%s %s?"), f->option, suggest_best(&s)));
	return status;
}

typedef int (*change)(struct seve_record *r, const char *field, const char *text,
		      struct seve_error **err);

static int apply(struct cli *c, const struct fieldopts *f, const struct fieldopt *it,
		 struct seve_record *r, change fn, const char *text)
{
	struct seve_error *err = NULL;
	const char *v;
	const int rc = value(c, f->kind, seve_record_territory(r), it->field, it->type, text, &v);
	if (rc)
		return rc;
	return fn(r, it->field, v, &err) ? refused(c, f->kind, it, text, err) : 0;
}

int fieldopts_apply(struct cli *c, const struct fieldopts *f, struct seve_record *r)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		const struct fieldopt *it = &f->list[i];
		if (it->text)
			rc = apply(c, f, it, r, seve_record_set, it->text);
		for (size_t j = 0; rc == 0 && j < it->add.n; j++)
			rc = apply(c, f, it, r, seve_record_add, it->add.at[j]);
		for (size_t j = 0; rc == 0 && j < it->remove.n; j++)
			rc = apply(c, f, it, r, seve_record_remove, it->remove.at[j]);
	}
	return rc;
}

/* ---- conditions ---- */

static int condition(struct cli *c, const char *kind, const char *slug, const struct fieldopt *f,
		     const char *op, const char *text, struct seve_query *q)
{
	struct seve_error *err = NULL;
	uint32_t territory = 0;
	const char *v;
	int rc = slug ? scope_find(c, slug, &territory) : 0;
	if (!rc && strcmp(op, "null") != 0)
		rc = value(c, kind, territory, f->field, f->type, text, &v);
	else
		v = text;
	if (rc)
		return rc;
	return seve_query_filter(q, f->field, op, v, &err) ? refused(c, kind, f, text, err) : 0;
}

int fieldopts_filter(struct cli *c, const struct fieldopts *f, const char *slug,
		     struct seve_query *q)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		const struct fieldopt *it = &f->list[i];
		const bool part =
			(is(it->type, "text") && !is(it->field, "level")) || is_set(it->type);
		for (size_t j = 0; rc == 0 && j < it->add.n; j++) {
			if (*it->add.at[j])
				rc = condition(c, f->kind, slug, it, part ? "~" : "=",
					       it->add.at[j], q);
			else
				rc = condition(c, f->kind, slug, it, "null", "yes", q);
		}
	}
	return rc;
}

int fieldopts_condition(struct cli *c, const char *kind, const char *slug, const char *text,
			struct seve_query *q)
{
	static const char *const ops[] = {"!=", "<=", ">=", "=", "<", ">", "~"};
	const size_t n = strcspn(text, "!<>=~");
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		const size_t len = strlen(ops[i]);
		if (strncmp(text + n, ops[i], len) != 0)
			continue;
		const char *field = cli_printf(c, "%.*s", (int)n, text);
		const char *type = seve_field_type(kind, field);
		const struct fieldopt f = {
			.field = field, .type = type ? type : "text", .option = field};
		return condition(c, kind, slug, &f, ops[i], text + n + len, q);
	}
	return say_usage(c, _("for example --filter 'progress>=50' or --filter 'title~heat'"),
			 _("\"%s\" is no condition"), text);
}

/* view.c -- see view.h. */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "field.h"
#include "fieldopt.h"
#include "human.h"
#include "i18n.h"
#include "json.h"
#include "kind.h"
#include "label.h"
#include "names.h"
#include "say.h"
#include "scope.h"
#include "suggest.h"
#include "text.h"

/* ---- columns of records ---- */

static const char *const meta[] = {"territory",  "id",        "ref",        "rev",
				   "level",      "refs",      "created_at", "created_by",
				   "updated_at", "updated_by"};

static bool is_meta(const char *name)
{
	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
		if (strcmp(meta[i], name) == 0)
			return true;
	return false;
}

static enum out_type type_of(const char *kind, const char *field)
{
	static const struct {
		const char *word;
		enum out_type type;
	} types[] = {{"int", OUT_NUMBER},  {"uint", OUT_NUMBER}, {"double", OUT_NUMBER},
		     {"bool", OUT_BOOL},   {"texts", OUT_LIST},  {"ids", OUT_LIST},
		     {"message", OUT_RAW}, {"messages", OUT_RAW}};
	const char *word = seve_field_type(kind, field);
	if (!word)
		return strcmp(field, "rev") == 0    ? OUT_NUMBER
		       : strcmp(field, "refs") == 0 ? OUT_LIST
						    : OUT_TEXT;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return OUT_TEXT;
}

/* The field that a word names: itself, or without the ending that options drop ("pilot", "due"). */
static const char *field_of(struct cli *c, const char *kind, const char *word)
{
	static const char *const endings[] = {"", "_id", "_on", "_at", "_ids", "s"};
	const char *field = fieldopt_shorthand(kind, word);
	if (field)
		return field;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const char *name = cli_printf(c, "%s%s", word, endings[i]);
		if (seve_field_type(kind, name) || is_meta(name) || strcmp(name, "age") == 0)
			return name;
	}
	return NULL;
}

static int no_column(struct cli *c, const char *kind, const char *word)
{
	struct suggest s;
	const char *field;
	suggest_start(&s, word);
	for (size_t i = 0; (field = seve_kind_field(kind, i)); i++)
		suggest_try(&s, field);
	for (size_t i = 0; i < sizeof meta / sizeof *meta; i++)
		suggest_try(&s, meta[i]);
	const char *best = suggest_best(&s);
	return say_usage(c,
			 best ? cli_printf(c, _("did you mean %s?"), best)
			      : cli_printf(c, _("seve help %s lists the fields"), kind),
			 _("%s has no field \"%s\""), kind, word);
}

static const char *usual(struct cli *c, const char *kind)
{
	static const struct {
		const char *kind, *fields;
	} rows[] = {
#define COLUMNS(kind, fields) {kind, fields},
#include "columns.def"
#undef COLUMNS
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].kind, kind) == 0)
			return rows[i].fields;
	const char *main = names_main_field(kind);
	const struct kind *k = kind_by_name(kind);
	const field_desc *state = k ? field_state(k) : NULL;
	return cli_printf(c, "%s%s%s%s%s,age", k && k->prefix ? "ref" : "id", main ? "," : "",
			  main ? main : "", state ? "," : "", state ? state->name : "");
}

/* Meta first, then all fields: what CSV holds. */
static const char *everything(struct cli *c, const char *kind)
{
	const char *text = meta[0], *field;
	for (size_t i = 1; i < sizeof meta / sizeof *meta; i++)
		text = cli_printf(c, "%s,%s", text, meta[i]);
	for (size_t i = 0; (field = seve_kind_field(kind, i)); i++)
		text = cli_printf(c, "%s,%s", text, field);
	return text;
}

/* The key of canonical JSON: a field named like one of meta has its kind before it (json.h). */
static const char *key_of(struct cli *c, const char *kind, const char *field)
{
	const struct kind *k = kind_by_name(kind);
	const field_desc *fd = k ? field_by_name(k, field) : NULL;
	char key[96];
	if (!fd)
		return field;
	json_field_key(k, fd, key);
	return cli_printf(c, "%s", key);
}

static bool is_long(const char *kind, const char *field)
{
	const char *type = seve_field_type(kind, field);
	return type &&
	       (strcmp(type, "text") == 0 || strcmp(type, "id") == 0 || strcmp(type, "ids") == 0 ||
		strcmp(type, "texts") == 0) &&
	       strcmp(field, "siret") != 0;
}

static int choose(struct view *v, const char *fields, bool many)
{
	struct words list = {0};
	const char *main = names_main_field(v->kind);
	if (many && words_add(&v->c->arena, &list, "territory") < 0)
		return say_nomem(v->c);
	if (words_add_list(&v->c->arena, &list, fields) < 0)
		return say_nomem(v->c);
	v->columns = arena_array(&v->c->arena, list.n, sizeof *v->columns);
	v->fields = arena_array(&v->c->arena, list.n, sizeof *v->fields);
	v->cells = arena_array(&v->c->arena, list.n, sizeof *v->cells);
	if (!v->columns || !v->fields || !v->cells)
		return say_nomem(v->c);
	for (size_t i = 0; i < list.n; i++) {
		const char *field = field_of(v->c, v->kind, list.at[i]);
		if (!field)
			return no_column(v->c, v->kind, list.at[i]);
		v->fields[i] = field;
		v->columns[i] = (struct out_column){.name = key_of(v->c, v->kind, field),
						    .label = label_of(field),
						    .type = type_of(v->kind, field),
						    .shrinks = is_long(v->kind, field),
						    .main = main && strcmp(main, field) == 0};
	}
	v->n = list.n;
	return 0;
}

static int begin(struct view *v, const char *schema)
{
	struct err e = {0};
	if (out_begin(&v->out, v->c->format, stdout, schema, v->columns, v->n, v->c->no_headers,
		      &e) < 0)
		return say_err(v->c, &e);
	return 0;
}

int view_begin(struct view *v, struct cli *c, const char *kind, const char *verb, bool many)
{
	*v = (struct view){.c = c, .kind = kind};
	buf_init(&v->json, OUT_LINE_MAX);
	const bool table = c->format == OUT_TABLE;
	const char *fields = c->columns ? c->columns : table ? usual(c, kind) : everything(c, kind);
	v->whole = !c->columns && !table && c->format != OUT_CSV;
	const int rc = choose(v, fields, many && table && !c->columns);
	return rc ? rc : begin(v, cli_printf(c, "seve.%s.%s/1", kind, verb));
}

/* ---- cells of records ---- */

static const char *labels(struct cli *c, const struct seve_record *r, const char *field,
			  const char *ids)
{
	const char *text = "";
	const char *target = names_target(seve_record_kind(r), field);
	while (*ids) {
		const size_t n = strcspn(ids, "|");
		const char *id = cli_printf(c, "%.*s", (int)n, ids);
		text = cli_printf(c, "%s%s%s", text, *text ? ", " : "",
				  names_label(c, seve_record_territory(r), target, id));
		ids += n;
		ids += *ids == '|';
	}
	return text;
}

/* As people read it. */
static const char *human_cell(struct cli *c, const struct seve_record *r, const char *field,
			      const char *text)
{
	char out[HUMAN_MAX];
	const char *type = seve_field_type(seve_record_kind(r), field);
	if (!*text)
		return text;
	if (!type)
		type = strcmp(field, "created_at") == 0 || strcmp(field, "updated_at") == 0
			       ? "instant"
			       : "";
	if (strcmp(type, "id") == 0 || strcmp(type, "ids") == 0)
		return labels(c, r, field, text);
	if (strcmp(type, "instant") == 0) {
		human_time(text, out);
		return cli_printf(c, "%s", out);
	}
	if (strcmp(type, "texts") == 0) {
		const char *list = "";
		while (*text) {
			const size_t n = strcspn(text, "|");
			list = cli_printf(c, "%s%s%.*s", list, *list ? ", " : "", (int)n, text);
			text += n + (text[n] == '|');
		}
		return list;
	}
	return text;
}

static const char *cell(struct cli *c, const struct seve_record *r, const char *field, bool human)
{
	char out[HUMAN_MAX];
	if (strcmp(field, "territory") == 0)
		return scope_slug(c, seve_record_territory(r));
	if (strcmp(field, "age") == 0) {
		human_since(seve_record_get(r, "updated_at"), out);
		return cli_printf(c, "%s", out);
	}
	const char *text = seve_record_get(r, field);
	if (!text)
		return "";
	return human ? human_cell(c, r, field, text) : text;
}

/* The library's JSON with the territory's slug before it. */
static int whole_json(struct view *v, const struct seve_record *r)
{
	char *json = seve_record_json(r);
	if (!json)
		return say_nomem(v->c);
	buf_consume(&v->json, buf_len(&v->json));
	int rc = buf_addf(&v->json, "{\"territory\":");
	if (rc == 0)
		rc = json_add_string(&v->json, scope_slug(v->c, seve_record_territory(r)));
	if (rc == 0)
		rc = buf_addf(&v->json, ",");
	if (rc == 0)
		rc = buf_add(&v->json, json + 1, strlen(json)); /* with its NUL */
	free(json);
	return rc == 0 ? 0 : say_nomem(v->c);
}

enum { TAIL = 6 }; /* characters of an id that commands take for it, after a '~' */

int view_record(struct view *v, const struct seve_record *r)
{
	struct err e = {0};
	const bool human = v->c->format == OUT_TABLE;
	if (v->whole) {
		const int rc = whole_json(v, r);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < v->n && !v->whole; i++) {
		v->cells[i] = cell(v->c, r, v->fields[i], human);
		if (human && v->tails && strcmp(v->fields[i], "id") == 0)
			v->cells[i] =
				cli_printf(v->c, "~%s", v->cells[i] + strlen(v->cells[i]) - TAIL);
	}
	const char *json = v->whole ? (const char *)buf_span(&v->json).at : NULL;
	return out_row(&v->out, v->cells, json, &e) < 0 ? say_err(v->c, &e) : 0;
}

int view_end(struct view *v, int rc)
{
	struct err e = {0};
	const int ended = v->out.ops ? out_end(&v->out, rc ? NULL : &e) : 0;
	buf_fini(&v->json);
	return rc ? rc : ended < 0 ? say_err(v->c, &e) : 0;
}

/* ---- one record for people ---- */

static const struct out_column sheet_columns[] = {{.name = "field"},
						  {.name = "value", .wraps = true}};

static int sheet_row(struct cli *c, struct out *o, const struct seve_record *r, const char *field)
{
	struct err e = {0};
	const char *text = cell(c, r, field, true);
	const char *cells[] = {label_of(field), text};
	if (!*text)
		return 0;
	return out_row(o, cells, NULL, &e) < 0 ? say_err(c, &e) : 0;
}

int view_sheet(struct cli *c, const struct seve_record *r)
{
	static const char *const last[] = {"level",      "refs",       "created_at",
					   "created_by", "updated_at", "updated_by"};
	struct err e = {0};
	struct out o;
	const char *field;
	if (out_begin(&o, OUT_TABLE, stdout, "", sheet_columns, 2, true, &e) < 0) {
		out_end(&o, NULL);
		return say_err(c, &e);
	}
	int rc = sheet_row(c, &o, r, "ref");
	if (rc == 0)
		rc = sheet_row(c, &o, r, "territory");
	for (size_t i = 0; rc == 0 && (field = seve_kind_field(seve_record_kind(r), i)); i++)
		rc = sheet_row(c, &o, r, field);
	for (size_t i = 0; rc == 0 && i < sizeof last / sizeof *last; i++)
		rc = sheet_row(c, &o, r, last[i]);
	if (rc == 0)
		rc = sheet_row(c, &o, r, "id");
	const int ended = out_end(&o, rc ? NULL : &e);
	if (rc == 0 && ended < 0)
		rc = say_err(c, &e);
	if (rc == 0 && seve_record_pending(r))
		say_note(c, "%s", _("Shows edits that the server has not confirmed yet."));
	return rc;
}

/* ---- the library's tables ---- */

static bool in_list(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static const char *table_cell(struct cli *c, const char *name, const char *text)
{
	static const char *const times[] = {"at",           "synced_at", "created_at", "expires_at",
					    "last_used_at", "began_at",  "reverted_at"};
	char out[HUMAN_MAX];
	if (c->format != OUT_TABLE || !in_list(times, sizeof times / sizeof *times, name))
		return text;
	human_time(text, out);
	return cli_printf(c, "%s", out);
}

static struct out_column table_column(const char *name)
{
	static const char *const numbers[] = {"rev",      "mid",       "pushed",        "applied",
					      "merged",   "conflicts", "rejected",      "pulled",
					      "withheld", "pending",   "clock_skew_ms", "verified",
					      "again"};
	static const char *const bools[] = {"replica", "deleted", "revoked", "current", "opened"};
	static const char *const longs[] = {"fields", "name", "reason", "region"};
	static const char *const wrapped[] = {"changes", "text", "message"};
	const size_t n_numbers = sizeof numbers / sizeof *numbers,
		     n_bools = sizeof bools / sizeof *bools;
	return (struct out_column){
		.name = name,
		.label = label_of(name),
		.type = in_list(numbers, n_numbers, name) ? OUT_NUMBER
			: in_list(bools, n_bools, name)   ? OUT_BOOL
							  : OUT_TEXT,
		.shrinks = in_list(longs, sizeof longs / sizeof *longs, name),
		.wraps = in_list(wrapped, sizeof wrapped / sizeof *wrapped, name),
	};
}

void view_columns(struct out_column *out, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = table_column(names[i]);
}

static bool has_column(const struct seve_table *t, const char *name)
{
	for (size_t i = 0; i < seve_table_columns(t); i++)
		if (strcmp(seve_table_column(t, i), name) == 0)
			return true;
	return false;
}

static int table_words(struct cli *c, const char *columns, const struct seve_table *t,
		       struct words *out)
{
	if (c->columns)
		columns = c->columns;
	if (columns && words_add_list(&c->arena, out, columns) < 0)
		return say_nomem(c);
	for (size_t i = 0; !columns && i < seve_table_columns(t); i++)
		if (words_add(&c->arena, out, cli_printf(c, "%s", seve_table_column(t, i))) < 0)
			return say_nomem(c);
	for (size_t i = 0; i < out->n; i++)
		if (!has_column(t, out->at[i]))
			return say_usage(c, NULL, _("there is no column \"%s\""), out->at[i]);
	return 0;
}

/* "slug" is told as "territory", which for the library is a number. */
static const char *value_at(struct cli *c, const struct seve_table *t, size_t row, const char *name)
{
	const char *text = seve_table_get(t, row, name);
	int64_t id;
	if (c->format == OUT_TABLE && strcmp(name, "changes") == 0)
		return names_in_text(c, c->territory, text);
	if (strcmp(name, "territory") != 0)
		return table_cell(c, name, text);
	if (has_column(t, "slug"))
		return seve_table_get(t, row, "slug");
	return text_to_int(text, 1, UINT32_MAX, &id, NULL) == 0 ? scope_slug(c, (uint32_t)id)
								: text;
}

int view_table(struct cli *c, const char *schema, const char *columns, const struct seve_table *t)
{
	struct words names = {0};
	struct err e = {0};
	struct out o;
	int rc = table_words(c, columns, t, &names);
	struct out_column *cols = arena_array(&c->arena, names.n, sizeof *cols);
	const char **cells = arena_array(&c->arena, names.n, sizeof *cells);
	if (rc)
		return rc;
	if (!cols || !cells)
		return say_nomem(c);
	for (size_t i = 0; i < names.n; i++)
		cols[i] = table_column(names.at[i]);
	rc = out_begin(&o, c->format, stdout, schema, cols, names.n, c->no_headers, &e);
	for (size_t row = 0; rc == 0 && row < seve_table_rows(t); row++) {
		for (size_t i = 0; i < names.n; i++)
			cells[i] = value_at(c, t, row, names.at[i]);
		rc = out_row(&o, cells, NULL, &e);
	}
	if (rc < 0) {
		out_end(&o, NULL);
		return say_err(c, &e);
	}
	rc = out_end(&o, &e) < 0 ? say_err(c, &e) : 0;
	if (rc == 0 && seve_table_rows(t) == 0)
		say_note(c, "%s", _("None."));
	return rc;
}

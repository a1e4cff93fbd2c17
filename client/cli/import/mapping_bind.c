/* mapping_bind.c -- a mapping laid over a file: which column is where, and what a row says. */
#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "i18n.h"
#include "json.h"
#include "mapping.h"
#include "suggest.h"
#include "text.h"

enum { NOT_THERE = (size_t)-1 >> 1 };

struct map_file {
	const char *name, *text;
};
extern const struct map_file map_files[]; /* generated from mappings/ */

const char *mapping_builtin_name(size_t i)
{
	return map_files[i].name;
}

const char *mapping_builtin(const char *name)
{
	for (size_t i = 0; map_files[i].name; i++)
		if (strcmp(map_files[i].name, name) == 0)
			return map_files[i].text;
	return NULL;
}

/* ---- fields ---- */

static bool has_field(const struct kind *k, const char *name)
{
	/* Of Meta, and so of every kind: who may read the record. */
	return field_by_name(k, name) != NULL || strcmp(name, "level") == 0;
}

static int no_field(const struct mapping *m, const struct kind *k, const char *name, unsigned line,
		    struct err *e)
{
	struct suggest s;
	suggest_start(&s, name);
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		suggest_try(&s, k->desc->fields[i].name);
	if (line)
		err_set(e, ERR_INVALID, _("mapping %s, line %u: %s has no field \"%s\""), m->name,
			line, k->name, name);
	else
		err_set(e, ERR_INVALID, _("mapping %s: %s has no field \"%s\""), m->name, k->name,
			name);
	return suggest_best(&s) ? err_remedy(e, _("did you mean %s?"), suggest_best(&s))
				: err_remedy(e, _("seve help %s lists the fields"), k->name);
}

/* What stands in the place of a field. */
static bool is_field(const struct kind *k, const char *name)
{
	return strcmp(name, MAPPING_REV) == 0 || has_field(k, name);
}

static int check_ref(const struct mapping *m, const struct kind *k, const struct mapping_rule *r,
		     struct err *e)
{
	const field_desc *fd = field_by_name(k, r->field);
	const enum field_type t = fd ? field_type(fd) : FIELD_TEXT;
	if (!r->ref ||
	    ((t == FIELD_ID || t == FIELD_IDS) && (r->ref_kind || field_rule(k, fd).target)))
		return 0;
	if (t != FIELD_ID && t != FIELD_IDS)
		return err_set(e, ERR_INVALID,
			       _("mapping %s, line %u: %s does not point to a record"), m->name,
			       r->line, r->field);
	err_set(e, ERR_INVALID, _("mapping %s, line %u: %s may point to several kinds of record"),
		m->name, r->line, r->field);
	return err_remedy(e, _("say which: ref(actor)"));
}

static int check_fields(const struct mapping *m, const struct kind *k, struct err *e)
{
	if (m->kind && m->kind != k)
		return err_set(e, ERR_INVALID, _("mapping %s is for %s, not for %s"), m->name,
			       m->kind->name, k->name);
	for (size_t i = 0; i < m->n_rules; i++)
		if (!is_field(k, m->rules[i].field))
			return no_field(m, k, m->rules[i].field, m->rules[i].line, e);
	for (size_t i = 0; i < m->n_rules; i++)
		if (check_ref(m, k, &m->rules[i], e) < 0)
			return -ERR_INVALID;
	for (size_t i = 0; i < m->n_constants; i++)
		if (!has_field(k, m->constants[i].field))
			return no_field(m, k, m->constants[i].field, 0, e);
	for (size_t i = 0; i < m->n_values; i++)
		if (!has_field(k, m->values[i].field))
			return no_field(m, k, m->values[i].field, 0, e);
	return 0;
}

/* ---- columns ---- */

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
}

bool mapping_same_column(const char *a, const char *b)
{
	for (;;) {
		while (strncmp(a, "\u2019", 3) == 0 && *b == '\'') {
			a += 3;
			b++;
		}
		while (strncmp(b, "\u2019", 3) == 0 && *a == '\'') {
			b += 3;
			a++;
		}
		if (lower(*a) != lower(*b))
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

/* Whether `column` is `of`, or, in JSON, a member of it: "a.b" of "a". */
static bool covers(const char *of, const char *column)
{
	const size_t n = strlen(of);
	if (n && of[n - 1] == '*')
		return strncmp(of, column, n - 1) == 0;
	return mapping_same_column(of, column) || (strncmp(of, column, n) == 0 && column[n] == '.');
}

static size_t find(char *const *header, size_t n, const char *column)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(header[i], column) == 0)
			return i;
	for (size_t i = 0; i < n; i++)
		if (mapping_same_column(header[i], column))
			return i;
	return NOT_THERE;
}

static int no_column(const struct mapping *m, char *const *header, size_t n, const char *column,
		     struct err *e)
{
	struct suggest s;
	suggest_start(&s, column);
	for (size_t i = 0; i < n; i++)
		suggest_try(&s, header[i]);
	err_set(e, ERR_INVALID, _("the file has no column \"%.120s\", which mapping %s needs"),
		column, m->name);
	return suggest_best(&s)
		       ? err_remedy(e, _("did you mean %s?"), suggest_best(&s))
		       : err_remedy(
				 e,
				 _("take its line out of the mapping, or pass another --mapping"));
}

/* A column of the file of rejected rows. */
static bool is_reason(const char *column)
{
	return strcmp(column, "seve_line") == 0 || strcmp(column, "seve_reason") == 0;
}

/* A rule for "a.b" speaks of "a" too. */
static bool concerns(const char *named, const char *column)
{
	const size_t n = strlen(column);
	return covers(named, column) || (strncmp(named, column, n) == 0 && named[n] == '.');
}

static bool is_mapped(const struct mapping *m, const char *column)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (concerns(m->rules[i].column, column))
			return true;
	for (size_t i = 0; i < m->n_key; i++)
		if (concerns(m->key[i].column, column))
			return true;
	for (size_t i = 0; i < m->n_filters; i++)
		if (concerns(m->filters[i].column, column))
			return true;
	for (size_t i = 0; i < m->n_ignored; i++)
		if (concerns(m->ignored[i], column))
			return true;
	return (m->operation && concerns(m->operation, column)) || is_reason(column) ||
	       m->rest_ignored;
}

static int add_rule(struct arena *a, struct mapping *m, const char *column, const char *field,
		    struct err *e)
{
	struct mapping_rule *rules = arena_array(a, m->n_rules + 1, sizeof *rules);
	char *copy = arena_strdup(a, column);
	if (!rules || !copy)
		return err_set(e, ERR_NOMEM, "mapping");
	if (m->n_rules)
		memcpy(rules, m->rules, m->n_rules * sizeof *rules);
	rules[m->n_rules++] = (struct mapping_rule){.column = copy, .field = field};
	m->rules = rules;
	return 0;
}

static bool is_constant(const struct mapping *m, const char *field)
{
	for (size_t i = 0; i < m->n_constants; i++)
		if (strcmp(m->constants[i].field, field) == 0)
			return true;
	return false;
}

/* A column that no line names: with "* = same" the field of this name, else an error. */
static int other_column(struct arena *a, struct mapping *m, const struct kind *k,
			const char *column, size_t at, struct err *e)
{
	struct suggest s;
	if (m->rest_same) {
		const field_desc *fd = json_key_field(k, column);
		if (!fd)
			fd = field_by_name(k, column);
		if (fd && is_constant(m, fd->name))
			return 0;
		if (fd)
			return add_rule(a, m, column, fd->name, e);
	}
	err_set(e, ERR_INVALID, _("column %zu, \"%.120s\", is not in mapping %s"), at + 1, column,
		m->name);
	suggest_start(&s, column);
	for (unsigned i = 0; m->rest_same && i < k->desc->n_fields; i++)
		suggest_try(&s, k->desc->fields[i].name);
	if (suggest_best(&s))
		return err_remedy(e, _("did you mean %s?"), suggest_best(&s));
	return err_remedy(e, _("map it, or add a line: ignore = %.80s"), column);
}

static int check_twice(char *const *header, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (*header[i] && strcmp(header[i], header[j]) == 0)
				return err_set(
					e, ERR_INVALID,
					_("columns %zu and %zu have the same name \"%.120s\""),
					j + 1, i + 1, header[i]);
	return 0;
}

/* 0, or -ERR_INVALID where the file does not have it and the mapping needs it. */
static int place(const struct mapping *m, char *const *header, size_t n, const char *column,
		 size_t *index, struct err *e)
{
	*index = find(header, n, column);
	return *index == NOT_THERE ? no_column(m, header, n, column, e) : 0;
}

/* Optional columns that the file does not have are as if nothing had been said of them. */
static void drop_optional(struct mapping *m, char *const *header, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n_rules; i++)
		if (!m->rules[i].optional || find(header, n, m->rules[i].column) != NOT_THERE)
			m->rules[kept++] = m->rules[i];
	m->n_rules = kept;
	kept = 0;
	for (size_t i = 0; i < m->n_filters; i++)
		if (!m->filters[i].optional || find(header, n, m->filters[i].column) != NOT_THERE)
			m->filters[kept++] = m->filters[i];
	m->n_filters = kept;
}

/* Lines of our own export that are of another kind. */
static int own_kind(struct arena *a, struct mapping *m, const struct kind *k, struct err *e)
{
	struct mapping_filter *all = arena_array(a, m->n_filters + 1, sizeof *all);
	const char **words = arena_array(a, 1, sizeof *words);
	if (!all || !words)
		return err_set(e, ERR_NOMEM, "mapping");
	if (m->n_filters)
		memcpy(all, m->filters, m->n_filters * sizeof *all);
	words[0] = k->name;
	all[m->n_filters++] = (struct mapping_filter){
		.column = "kind", .keep = true, .optional = true, .words = words, .n = 1};
	m->filters = all;
	return 0;
}

int mapping_bind(struct arena *a, struct mapping *m, const struct kind *k, char *const *header,
		 size_t n, struct err *e)
{
	int rc = check_fields(m, k, e);
	if (rc == 0)
		rc = check_twice(header, n, e);
	if (rc == 0 && m->own)
		rc = own_kind(a, m, k, e);
	if (rc == 0)
		drop_optional(m, header, n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!is_mapped(m, header[i]))
			rc = other_column(a, m, k, header[i], i, e);
	for (size_t i = 0; rc == 0 && i < m->n_key; i++)
		rc = place(m, header, n, m->key[i].column, &m->key[i].index, e);
	for (size_t i = 0; rc == 0 && i < m->n_rules; i++)
		rc = place(m, header, n, m->rules[i].column, &m->rules[i].index, e);
	for (size_t i = 0; rc == 0 && i < m->n_filters; i++)
		rc = place(m, header, n, m->filters[i].column, &m->filters[i].index, e);
	if (rc == 0 && m->operation)
		rc = place(m, header, n, m->operation, &m->operation_index, e);
	m->width = n;
	return rc;
}

bool *mapping_wanted(struct arena *a, const struct mapping *m)
{
	bool *wanted = arena_array(a, m->width + 1, sizeof *wanted);
	if (!wanted)
		return NULL;
	for (size_t i = 0; i < m->n_key; i++)
		wanted[m->key[i].index] = true;
	for (size_t i = 0; i < m->n_rules; i++)
		wanted[m->rules[i].index] = true;
	for (size_t i = 0; i < m->n_filters; i++)
		wanted[m->filters[i].index] = true;
	if (m->operation)
		wanted[m->operation_index] = true;
	return wanted;
}

int mapping_set(struct arena *a, struct mapping *m, const char *field, const char *text,
		struct err *e)
{
	struct mapping_constant *all = arena_array(a, m->n_constants + 1, sizeof *all);
	size_t kept = 0;
	if (!all)
		return err_set(e, ERR_NOMEM, "mapping");
	for (size_t i = 0; i < m->n_rules; i++)
		if (strcmp(m->rules[i].field, field) != 0)
			m->rules[kept++] = m->rules[i];
		else
			m->ignored[m->n_ignored++] = m->rules[i].column;
	m->n_rules = kept;
	if (m->n_constants)
		memcpy(all, m->constants, m->n_constants * sizeof *all);
	all[m->n_constants++] = (struct mapping_constant){field, text};
	m->constants = all;
	return 0;
}

/* ---- rows ---- */

static void run_steps(const struct mapping_steps *steps, char *text, size_t size)
{
	for (size_t i = 0; i < steps->n; i++)
		steps->at[i].fn(text, size, steps->at[i].arg);
}

static bool among(const struct mapping_filter *f, const char *text)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->words[i], text) == 0 || (*text && strcmp(f->words[i], "*") == 0))
			return true;
	return false;
}

int mapping_operation(const struct mapping *m, char *const *cells, enum mapping_operation *out,
		      struct err *e)
{
	static const char *const words[] = {"upsert", "delete", "ignore"};
	const struct mapping_value *found = NULL, *any = NULL;
	*out = MAPPING_UPSERT;
	for (size_t i = 0; i < m->n_filters; i++)
		if (among(&m->filters[i], cells[m->filters[i].index]) != m->filters[i].keep) {
			*out = MAPPING_IGNORE;
			return 0;
		}
	if (!m->operation)
		return 0;
	const char *text = cells[m->operation_index];
	for (size_t i = 0; i < m->n_operations; i++) {
		if (strcmp(m->operations[i].from, text) == 0)
			found = &m->operations[i];
		if (strcmp(m->operations[i].from, "*") == 0)
			any = &m->operations[i];
	}
	if (!found)
		found = any;
	if (!found)
		return err_set(
			e, ERR_INVALID,
			_("column \"%.80s\" holds \"%.60s\", which mapping %s does not know"),
			m->operation, text, m->name);
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(words[i], found->to) == 0)
			*out = (enum mapping_operation)i;
	return 0;
}

int mapping_key(const struct mapping *m, char *const *cells, char out[static MAPPING_KEY_MAX],
		struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_key; i++) {
		const char *part = cells[m->key[i].index];
		const size_t len = strlen(part);
		if (len == 0)
			return err_set(e, ERR_INVALID, _("the key is missing (column \"%.120s\")"),
				       m->key[i].column);
		if (n + len >= MAPPING_KEY_MAX)
			return err_set(e, ERR_INVALID, _("the key is longer than %d bytes"),
				       MAPPING_KEY_MAX - 1);
		memcpy(out + n, part, len);
		n += len;
	}
	out[n] = '\0';
	run_steps(&m->key_steps, out, MAPPING_KEY_MAX);
	return *out ? 0
		    : err_set(e, ERR_INVALID, _("the key is missing (column \"%.120s\")"),
			      m->key[0].column);
}

static const char *by_value(const struct mapping *m, const char *field, const char *text)
{
	const char *any = NULL;
	for (size_t i = 0; i < m->n_values; i++) {
		if (strcmp(m->values[i].field, field) != 0)
			continue;
		if (strcmp(m->values[i].from, text) == 0)
			return m->values[i].to;
		if (strcmp(m->values[i].from, "*") == 0)
			any = m->values[i].to;
	}
	return any && *text ? any : text;
}

/* Adds what one column says to `text`. */
static int add_cell(const struct mapping_rule *r, const char *cell, char *text, size_t *n,
		    struct err *e)
{
	char own[MAPPING_VALUE_MAX + 1];
	const size_t len = strlen(cell);
	if (len > MAPPING_VALUE_MAX)
		return err_set(e, ERR_TOO_BIG, _("longer than %d bytes"), MAPPING_VALUE_MAX);
	memcpy(own, cell, len + 1);
	run_steps(&r->steps, own, sizeof own);
	if (!*own || (*n && !r->glue))
		return 0;
	const size_t glue = *n ? strlen(r->glue) : 0, add = strlen(own);
	if (*n + glue + add > MAPPING_VALUE_MAX)
		return err_set(e, ERR_TOO_BIG, _("longer than %d bytes"), MAPPING_VALUE_MAX);
	if (glue)
		memcpy(text + *n, r->glue, glue);
	memcpy(text + *n + glue, own, add + 1);
	*n += glue + add;
	return 0;
}

static bool seen(const struct mapping *m, size_t rule)
{
	for (size_t i = 0; i < rule; i++)
		if (strcmp(m->rules[i].field, m->rules[rule].field) == 0)
			return true;
	return false;
}

int mapping_apply(const struct mapping *m, char *const *cells,
		  int (*set)(void *ctx, const char *field, const char *text,
			     const struct mapping_rule *rule),
		  void *ctx, struct err *e)
{
	char text[MAPPING_VALUE_MAX + 1];
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < m->n_constants; i++)
		rc = set(ctx, m->constants[i].field, m->constants[i].text, NULL);
	for (size_t i = 0; rc == 0 && i < m->n_rules; i++) {
		const char *field = m->rules[i].field;
		size_t n = 0;
		if (seen(m, i))
			continue;
		text[0] = '\0';
		for (size_t j = i; j < m->n_rules; j++) {
			if (strcmp(m->rules[j].field, field) != 0)
				continue;
			if (add_cell(&m->rules[j], cells[m->rules[j].index], text, &n, e) < 0)
				return err_prefix(e, "%s", field);
		}
		rc = set(ctx, field, by_value(m, field, text), &m->rules[i]);
	}
	return rc;
}

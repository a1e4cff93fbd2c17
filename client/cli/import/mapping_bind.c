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
	return field_by_name(k, name) != NULL;
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

static int check_fields(const struct mapping *m, const struct kind *k, struct err *e)
{
	if (m->kind && m->kind != k)
		return err_set(e, ERR_INVALID, _("mapping %s is for %s, not for %s"), m->name,
			       m->kind->name, k->name);
	for (size_t i = 0; i < m->n_rules; i++)
		if (!has_field(k, m->rules[i].field))
			return no_field(m, k, m->rules[i].field, m->rules[i].line, e);
	for (size_t i = 0; i < m->n_constants; i++)
		if (!has_field(k, m->constants[i].field))
			return no_field(m, k, m->constants[i].field, 0, e);
	for (size_t i = 0; i < m->n_values; i++)
		if (!has_field(k, m->values[i].field))
			return no_field(m, k, m->values[i].field, 0, e);
	return 0;
}

/* ---- columns ---- */

/* Apostrophes and case are where two exports of the same list differ. */
static bool same_column(const char *a, const char *b)
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
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

static size_t find(char *const *header, size_t n, const char *column)
{
	for (size_t i = 0; i < n; i++)
		if (same_column(header[i], column))
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

static bool is_mapped(const struct mapping *m, const char *column)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (same_column(m->rules[i].column, column))
			return true;
	for (size_t i = 0; i < m->n_key; i++)
		if (same_column(m->key[i], column))
			return true;
	for (size_t i = 0; i < m->n_ignored; i++)
		if (same_column(m->ignored[i], column))
			return true;
	return m->rest_ignored;
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

/* A column that no line names: with "* = same" the field of this name, else an error. */
static int other_column(struct arena *a, struct mapping *m, const struct kind *k,
			const char *column, size_t at, struct err *e)
{
	struct suggest s;
	if (m->rest_same) {
		const field_desc *fd = json_key_field(k, column);
		if (!fd)
			fd = field_by_name(k, column);
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

int mapping_bind(struct arena *a, struct mapping *m, const struct kind *k, char *const *header,
		 size_t n, struct err *e)
{
	int rc = check_fields(m, k, e);
	if (rc == 0)
		rc = check_twice(header, n, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!is_mapped(m, header[i]))
			rc = other_column(a, m, k, header[i], i, e);
	for (size_t i = 0; rc == 0 && i < m->n_key; i++) {
		m->key_index[i] = find(header, n, m->key[i]);
		if (m->key_index[i] == NOT_THERE)
			rc = no_column(m, header, n, m->key[i], e);
	}
	for (size_t i = 0; rc == 0 && i < m->n_rules; i++) {
		m->rules[i].index = find(header, n, m->rules[i].column);
		if (m->rules[i].index == NOT_THERE)
			rc = no_column(m, header, n, m->rules[i].column, e);
	}
	m->width = n;
	return rc;
}

/* ---- rows ---- */

int mapping_key(const struct mapping *m, char *const *cells, char out[static MAPPING_KEY_MAX],
		struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_key; i++) {
		const char *part = cells[m->key_index[i]];
		const size_t len = strlen(part);
		if (len == 0)
			return err_set(e, ERR_INVALID, _("the key is missing (column \"%.120s\")"),
				       m->key[i]);
		if (n + len >= MAPPING_KEY_MAX)
			return err_set(e, ERR_INVALID, _("the key is longer than %d bytes"),
				       MAPPING_KEY_MAX - 1);
		memcpy(out + n, part, len);
		n += len;
	}
	out[n] = '\0';
	return 0;
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
	for (size_t i = 0; i < r->n_steps; i++)
		r->steps[i](own, sizeof own);
	if (!*own || (*n && !r->join))
		return 0;
	const size_t glue = *n ? 2 : 0, add = strlen(own);
	if (*n + glue + add > MAPPING_VALUE_MAX)
		return err_set(e, ERR_TOO_BIG, _("longer than %d bytes"), MAPPING_VALUE_MAX);
	memcpy(text + *n, ", ", glue);
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
		  int (*set)(void *ctx, const char *field, const char *text), void *ctx,
		  struct err *e)
{
	char text[MAPPING_VALUE_MAX + 1];
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < m->n_constants; i++)
		rc = set(ctx, m->constants[i].field, m->constants[i].text);
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
		rc = set(ctx, field, by_value(m, field, text));
	}
	return rc;
}

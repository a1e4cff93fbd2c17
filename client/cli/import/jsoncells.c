/* jsoncells.c -- see jsoncells.h. */
#include "import/jsoncells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "i18n.h"
#include "text.h"

enum { DEPTH_MAX = 8 };

static char nothing[1];

void jsoncells_clear(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->cells[i] = nothing;
}

/* ---- values as text ---- */

static int add_scalar(struct buf *out, const json_t *v)
{
	char text[32];
	if (json_is_string(v))
		return buf_add(out, json_string_value(v), json_string_length(v));
	if (json_is_integer(v))
		return buf_addf(out, "%lld", (long long)json_integer_value(v));
	if (json_is_real(v)) {
		text_from_double(json_real_value(v), text);
		return buf_addf(out, "%s", text);
	}
	if (json_is_null(v))
		return 0;
	return buf_addf(out, "%s", json_is_true(v) ? "true" : "false");
}

static bool all_scalars(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		if (json_is_object(v) || json_is_array(v))
			return false;
	}
	return true;
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n';
}

/* As field.h reads lists: '|' between, and '|', '\' and blanks at the ends behind a '\'. */
static int add_list(struct buf *out, const json_t *list)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		if (i)
			rc = buf_add(out, "|", 1);
		if (!json_is_string(v)) {
			rc = rc ? rc : add_scalar(out, v);
			continue;
		}
		const char *s = json_string_value(v);
		const size_t n = strlen(s);
		for (size_t k = 0; rc == 0 && k < n; k++) {
			if (s[k] == '|' || s[k] == '\\' ||
			    ((k == 0 || k + 1 == n) && is_blank(s[k])))
				rc = buf_add(out, "\\", 1);
			rc = rc ? rc : buf_add(out, s + k, 1);
		}
	}
	return rc;
}

static int add_value(struct buf *out, const json_t *v)
{
	if (json_is_array(v) && all_scalars(v))
		return add_list(out, v);
	if (!json_is_array(v) && !json_is_object(v))
		return add_scalar(out, v);
	char *text = json_dumps(v, JSON_COMPACT);
	const int rc = text ? buf_add(out, text, strlen(text)) : -ERR_NOMEM;
	free(text);
	return rc;
}

/* ---- cells ---- */

static char *trim(char *s)
{
	size_t n;
	s += strspn(s, " \t\n");
	for (n = strlen(s); n && is_blank(s[n - 1]); n--)
		s[n - 1] = '\0';
	return s;
}

static int fill(struct reader *r, struct arena *a, size_t column, const json_t *v,
		unsigned *replaced, struct err *e)
{
	struct buf text;
	buf_init(&text, 2 * READER_ROW_MAX);
	int rc = add_value(&text, v);
	char *copy = rc ? NULL : arena_strndup(a, (const char *)buf_span(&text).at, buf_len(&text));
	buf_fini(&text);
	if (!copy)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	*replaced += reader_clean(copy);
	r->cells[column] = r->verbatim ? copy : trim(copy);
	return 0;
}

static int add_object(struct reader *r, struct arena *a, char *name, const json_t *object,
		      unsigned depth, unsigned *replaced, struct err *e)
{
	const size_t n = strlen(name);
	const char *key;
	json_t *v;
	int rc = 0;
	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		if (n + strlen(key) + 2 > READER_NAME_MAX)
			return err_set(e, ERR_TOO_BIG,
				       _("a name of more than %d bytes: \"%.60s…\""),
				       READER_NAME_MAX, key);
		snprintf(name + n, READER_NAME_MAX - n, "%s%s", n ? "." : "", key);
		reader_clean(name + n);
		const size_t before = r->n;
		const int column = reader_column(r, name, e);
		if (column < 0)
			return column;
		if (r->n > before)
			r->cells[column] = nothing;
		if (reader_wants(r, (size_t)column))
			rc = fill(r, a, (size_t)column, v, replaced, e);
		const json_t *inner = json_is_object(v) ? v : json_array_get(v, 0);
		if (rc == 0 && json_is_object(inner) && depth < DEPTH_MAX) {
			if (json_is_array(v) && strlen(name) + 3 < READER_NAME_MAX)
				strncat(name, ".0", 3);
			rc = add_object(r, a, name, inner, depth + 1, replaced, e);
		}
		name[n] = '\0';
		if (rc < 0)
			return rc;
	}
	return 0;
}

int jsoncells_add(struct reader *r, struct arena *a, const char *prefix, const json_t *object,
		  unsigned *replaced, struct err *e)
{
	char name[READER_NAME_MAX];
	snprintf(name, sizeof name, "%s", prefix);
	return add_object(r, a, name, object, 0, replaced, e);
}

int jsoncells_set(struct reader *r, struct arena *a, const char *name, const char *text,
		  struct err *e)
{
	const int column = reader_column(r, name, e);
	char *copy = column < 0 ? NULL : arena_strdup(a, text);
	if (column < 0)
		return column;
	if (!copy)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	r->cells[column] = copy;
	return 0;
}

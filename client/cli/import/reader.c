/* reader.c -- the table of formats, and what all of them share. */
#include "import/reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "i18n.h"

/* Asked in this order; CSV takes what nobody else does. */
static const struct reader_ops *const formats[] = {&reader_geojson, &reader_ics, &reader_jsonl,
						   &reader_json, &reader_csv};

enum { N_FORMATS = sizeof formats / sizeof *formats, HEAD = 64 * 1024 };

struct named {
	UT_hash_handle hh;
	size_t column;
	char name[];
};

const char *reader_format_word(size_t i)
{
	return i < N_FORMATS ? formats[i]->name : NULL;
}

/* ---- columns ---- */

int reader_add_column(struct reader *r, const char *name, struct err *e)
{
	if (r->n == READER_COLUMNS_MAX) {
		err_set(e, ERR_TOO_BIG, _("more than %d columns"), READER_COLUMNS_MAX);
		return err_remedy(e, _("is it the array that is meant? --path names another"));
	}
	if (r->n == r->room) {
		const size_t room = r->room ? 2 * r->room : 64;
		char **names = realloc(r->names, room * sizeof *names);
		if (names)
			r->names = names;
		char **cells = realloc(r->cells, room * sizeof *cells);
		if (cells)
			r->cells = cells;
		if (!names || !cells)
			return err_set(e, ERR_NOMEM, _("reading the file"));
		r->room = room;
	}
	r->names[r->n] = strdup(name);
	r->cells[r->n] = NULL;
	if (!r->names[r->n])
		return err_set(e, ERR_NOMEM, _("reading the file"));
	r->n++;
	return 0;
}

int reader_column(struct reader *r, const char *name, struct err *e)
{
	struct named *all = r->index, *found = NULL;
	const size_t len = strlen(name);
	HASH_FIND(hh, all, name, (unsigned)len, found);
	if (found)
		return (int)found->column;
	if (len >= READER_NAME_MAX)
		return err_set(e, ERR_TOO_BIG, _("a name of more than %d bytes: \"%.60s…\""),
			       READER_NAME_MAX, name);
	const int rc = reader_add_column(r, name, e);
	if (rc < 0)
		return rc;
	found = calloc(1, sizeof *found + len + 1);
	if (!found)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	memcpy(found->name, name, len + 1);
	found->column = r->n - 1;
	HASH_ADD_KEYPTR(hh, all, found->name, (unsigned)len, found);
	r->index = all;
	if (!found->hh.tbl) {
		free(found);
		return err_set(e, ERR_NOMEM, _("reading the file"));
	}
	return (int)found->column;
}

bool reader_wants(const struct reader *r, size_t column)
{
	return !r->wanted || (column < r->n_wanted && r->wanted[column]);
}

char *const *reader_columns(const struct reader *r, size_t *n)
{
	*n = r->n;
	return r->names;
}

void reader_want(struct reader *r, const bool *wanted)
{
	r->wanted = wanted;
	r->n_wanted = r->n;
}

void reader_verbatim(struct reader *r)
{
	r->verbatim = true;
}

/* ---- text ---- */

unsigned reader_clean(char *s)
{
	unsigned replaced = 0;
	char *to = s;
	for (const char *p = s; *p; p++) {
		const unsigned char ch = (unsigned char)*p;
		if (ch == '\r' && p[1] == '\n')
			continue;
		if (ch == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0) {
			p++;
			*to++ = ' ';
			replaced++;
		} else if (ch == '\r') {
			*to++ = '\n';
		} else if ((ch < 0x20 && ch != '\n' && ch != '\t') || ch == 0x7f) {
			*to++ = ' ';
			replaced++;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return replaced;
}

/* ---- which format ---- */

static bool has_ending(const char *name, const char *endings)
{
	const char *dot = strrchr(name, '.');
	const size_t n = dot ? strlen(dot) : 0;
	for (const char *p = endings; n && *p; p += strspn(p, " ")) {
		const size_t len = strcspn(p, " ");
		if (len == n && strncasecmp(p, dot, n) == 0)
			return true;
		p += len;
	}
	return false;
}

static const struct reader_ops *by_word(const char *word)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (strcmp(formats[i]->name, word) == 0)
			return formats[i];
	return NULL;
}

/* The ending says it, but for ".json", which GeoJSON and JSON Lines use too; else the first bytes.
 */
static const struct reader_ops *find_out(FILE *file, const char *name)
{
	char head[HEAD + 1];
	const size_t n = fread(head, 1, HEAD, file);
	const char *at = head;
	rewind(file);
	head[n] = '\0';
	for (size_t i = 0; i < N_FORMATS; i++)
		if (formats[i] != &reader_json && has_ending(name, formats[i]->endings))
			return formats[i];
	if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	at += strspn(at, " \t\r\n");
	for (size_t i = 0; i < N_FORMATS; i++)
		if (formats[i]->detect && formats[i]->detect(at, n - (size_t)(at - head)))
			return formats[i];
	return has_ending(name, reader_json.endings) ? &reader_json : &reader_csv;
}

/* ---- reading ---- */

int reader_open(FILE *file, const char *name, const struct reader_options *o, struct reader **out,
		struct err *e)
{
	const struct reader_ops *ops = o->format ? by_word(o->format) : find_out(file, name);
	if (!ops) {
		err_set(e, ERR_USAGE, _("there is no format \"%s\""), o->format);
		return err_remedy(e, "csv, json, jsonl, geojson, ics");
	}
	struct reader *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	*r = (struct reader){.ops = ops, .file = file, .o = *o, .separator = ','};
	const int rc = ops->open(r, e);
	if (rc < 0)
		reader_close(r);
	else
		*out = r;
	return rc;
}

int reader_next(struct reader *r, struct reader_row *out, struct err *e)
{
	*out = (struct reader_row){0};
	return r->ops->next(r, out, e);
}

int reader_rewind(struct reader *r, struct err *e)
{
	r->ops->close(r);
	r->state = NULL;
	rewind(r->file);
	return r->ops->open(r, e);
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	struct named *all = r->index, *at, *tmp;
	r->ops->close(r);
	HASH_ITER (hh, all, at, tmp) {
		HASH_DEL(all, at);
		free(at);
	}
	for (size_t i = 0; i < r->n; i++)
		free(r->names[i]);
	free(r->names);
	free(r->cells);
	free(r);
}

const char *reader_format(const struct reader *r)
{
	return r->ops->name;
}

char reader_separator(const struct reader *r)
{
	return r->separator;
}

const char *reader_encoding(const struct reader *r)
{
	return r->encoding;
}

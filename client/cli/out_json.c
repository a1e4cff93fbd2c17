/* out_json.c -- {"schema":…,"items":[…]} and one object a line.  Empty cells are left out, as in
 * canonical records. */
#include <string.h>

#include "i18n.h"
#include "json.h"
#include "out.h"

/* Members of a list: '|' between them, '\' before what is not a separator (field.h). */
static int add_list(struct buf *out, const char *text)
{
	char member[16 * 1024 + 1];
	int rc = buf_add(out, "[", 1);
	for (bool first = true; *text && rc == 0; first = false) {
		size_t n = 0;
		while (*text && *text != '|') {
			text += *text == '\\' && text[1];
			if (n < sizeof member - 1)
				member[n++] = *text;
			text++;
		}
		text += *text == '|';
		member[n] = '\0';
		if (!first)
			rc = buf_add(out, ",", 1);
		if (rc == 0)
			rc = json_add_string(out, member);
	}
	return rc ? rc : buf_add(out, "]", 1);
}

static bool is_number(const char *s)
{
	s += *s == '-';
	return *s && s[strspn(s, "0123456789.eE+-")] == '\0' && (*s != '0' || !s[1] || s[1] == '.');
}

static int add_cell(struct buf *out, enum out_type type, const char *cell)
{
	switch (type) {
	case OUT_NUMBER:
		return is_number(cell) ? buf_add(out, cell, strlen(cell))
				       : json_add_string(out, cell);
	case OUT_BOOL:
		return buf_addf(out, "%s", strcmp(cell, "yes") == 0 ? "true" : "false");
	case OUT_LIST:
		return add_list(out, cell);
	case OUT_RAW:
		return buf_add(out, cell, strlen(cell));
	case OUT_TEXT:
		break;
	}
	return json_add_string(out, cell);
}

static int add_object(struct out *o, const char *const *cells)
{
	int rc = buf_add(&o->line, "{", 1);
	bool first = true;
	for (size_t i = 0; i < o->n && rc == 0; i++) {
		if (!cells[i] || !*cells[i])
			continue;
		if (!first)
			rc = buf_add(&o->line, ",", 1);
		first = false;
		if (rc == 0)
			rc = json_add_string(&o->line, o->columns[i].name);
		if (rc == 0)
			rc = buf_add(&o->line, ":", 1);
		if (rc == 0)
			rc = add_cell(&o->line, o->columns[i].type, cells[i]);
	}
	return rc ? rc : buf_add(&o->line, "}", 1);
}

static int print_object(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	buf_consume(&o->line, buf_len(&o->line));
	const int rc = json ? buf_add(&o->line, json, strlen(json)) : add_object(o, cells);
	if (rc < 0)
		return err_set(e, (enum err_code) - rc, _("writing a row as JSON"));
	fwrite(buf_span(&o->line).at, 1, buf_len(&o->line), o->file);
	return 0;
}

static int json_begin(struct out *o, struct err *e)
{
	(void)e;
	fprintf(o->file, "{\"schema\":\"%s\",\"items\":[", o->schema);
	return 0;
}

static int json_row(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	if (o->rows)
		fputc(',', o->file);
	return print_object(o, cells, json, e);
}

static int json_end(struct out *o, struct err *e)
{
	if (e)
		fputs("]}\n", o->file);
	return 0;
}

const struct out_ops out_json_ops = {json_begin, json_row, json_end};

static int jsonl_begin(struct out *o, struct err *e)
{
	(void)o;
	(void)e;
	return 0;
}

static int jsonl_row(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	const int rc = print_object(o, cells, json, e);
	if (rc == 0)
		fputc('\n', o->file);
	return rc;
}

static int jsonl_end(struct out *o, struct err *e)
{
	(void)o;
	(void)e;
	return 0;
}

const struct out_ops out_jsonl_ops = {jsonl_begin, jsonl_row, jsonl_end};

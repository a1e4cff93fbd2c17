/* rows.c -- see rows.h. */
#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli.h"
#include "human.h"
#include "i18n.h"
#include "label.h"
#include "say.h"
#include "text.h"

static void add(struct rows *r, const struct rows_column *column, size_t cell)
{
	r->columns[r->n] = (struct out_column){.name = column->name,
					       .label = label_of(column->name),
					       .type = column->type,
					       .shrinks = column->flags & ROWS_SHRINKS,
					       .main = column->flags & ROWS_MAIN,
					       .wraps = column->flags & ROWS_WRAPS};
	r->from[r->n++] = cell;
}

static int chosen(struct rows *r, const struct rows_column *columns, size_t n)
{
	struct words names = {0};
	if (words_add_list(&r->c->arena, &names, r->c->columns) < 0)
		return say_nomem(r->c);
	for (size_t i = 0; i < names.n && r->n < ROWS_MAX; i++) {
		size_t k = 0;
		while (k < n && strcmp(columns[k].name, names.at[i]) != 0)
			k++;
		if (k == n)
			return say_usage(r->c, NULL, _("there is no column \"%s\""), names.at[i]);
		add(r, &columns[k], k);
	}
	return 0;
}

int rows_begin(struct rows *r, struct cli *c, const char *schema, const struct rows_column *columns,
	       size_t n)
{
	struct err e = {0};
	int rc = 0;
	*r = (struct rows){.c = c};
	if (c->columns)
		rc = chosen(r, columns, n);
	for (size_t i = 0; !c->columns && i < n && i < ROWS_MAX; i++)
		if (c->format != OUT_TABLE || !(columns[i].flags & ROWS_HIDDEN))
			add(r, &columns[i], i);
	if (rc)
		return rc;
	r->begun = true;
	if (out_begin(&r->out, c->format, stdout, schema, r->columns, r->n, c->no_headers, &e) < 0)
		return say_err(c, &e);
	return 0;
}

int rows_put(struct rows *r, const char *const *cells)
{
	const char *row[ROWS_MAX];
	struct err e = {0};
	for (size_t i = 0; i < r->n; i++)
		row[i] = cells[r->from[i]];
	return out_row(&r->out, row, NULL, &e) < 0 ? say_err(r->c, &e) : 0;
}

int rows_end(struct rows *r, int rc)
{
	struct err e = {0};
	if (!r->begun)
		return rc;
	const bool none = r->out.rows == 0;
	const int ended = out_end(&r->out, rc ? NULL : &e);
	if (rc)
		return rc;
	if (ended < 0)
		return say_err(r->c, &e);
	if (none)
		say_note(r->c, "%s", _("None."));
	return 0;
}

const char *rows_number(struct cli *c, double v)
{
	char text[32];
	text_from_double(round(v * 100) / 100, text);
	return cli_printf(c, "%s", text);
}

const char *rows_count(struct cli *c, uint64_t v)
{
	return cli_printf(c, "%" PRIu64, v);
}

const char *rows_date(struct cli *c, int32_t day)
{
	char text[16];
	text_from_date(day, text);
	return cli_printf(c, "%s", text);
}

const char *rows_time(struct cli *c, int64_t ms)
{
	char instant[32], local[HUMAN_MAX];
	if (!ms)
		return "";
	text_from_instant(ms, instant);
	if (c->format != OUT_TABLE)
		return cli_printf(c, "%s", instant);
	human_time(instant, local);
	return cli_printf(c, "%s", local);
}

const char *rows_bool(bool v)
{
	return v ? "yes" : "no";
}

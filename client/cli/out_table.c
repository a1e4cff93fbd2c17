/* out_table.c -- tables by libsmartcols: fitted to the terminal, full width where the output is no
 * terminal. */
#include <libsmartcols/libsmartcols.h>
#include <string.h>

#include "i18n.h"
#include "out.h"
#include "out_fit.h"

#define MAIN_PART  0.3
#define SMALL_PART 0.1

static int add_column(struct out *o, const struct out_column *column)
{
	const char *label = column->label ? column->label : column->name;
	const int flags = (column->shrinks ? SCOLS_FL_TRUNC : 0) |
			  (column->wraps ? SCOLS_FL_WRAP : 0) |
			  (column->type == OUT_NUMBER ? SCOLS_FL_RIGHT : 0);
	/* a hint is the part of the width below which a column is cut only when nothing else is
	 * left */
	const double hint = column->main ? MAIN_PART : column->shrinks ? SMALL_PART : 0;
	return scols_table_new_column(o->table, label, hint, flags) ? 0 : -ERR_NOMEM;
}

static int table_begin(struct out *o, struct err *e)
{
	scols_init_debug(0);
	o->table = scols_new_table();
	if (!o->table)
		return err_set(e, ERR_NOMEM, _("making the table"));
	scols_table_set_stream(o->table, o->file);
	scols_table_enable_noheadings(o->table, o->no_headers);
	for (size_t i = 0; i < o->n; i++)
		if (add_column(o, &o->columns[i]) < 0)
			return err_set(e, ERR_NOMEM, _("making the table"));
	return 0;
}

static int table_row(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	(void)json;
	struct libscols_line *line = scols_table_new_line(o->table, NULL);
	if (!line)
		return err_set(e, ERR_NOMEM, _("making the table"));
	for (size_t i = 0; i < o->n; i++)
		if (cells[i] && *cells[i] && scols_line_set_data(line, i, cells[i]) != 0)
			return err_set(e, ERR_NOMEM, _("making the table"));
	return 0;
}

static int table_end(struct out *o, struct err *e)
{
	int rc = 0;
	if (e && o->rows && out_fit(o->table, o->columns, o->n) < 0)
		rc = err_set(e, ERR_NOMEM, _("making the table"));
	else if (e && o->rows && scols_print_table(o->table) != 0)
		rc = err_set(e, ERR_IO, _("printing the table"));
	scols_unref_table(o->table);
	o->table = NULL;
	return rc;
}

const struct out_ops out_table_ops = {table_begin, table_row, table_end};

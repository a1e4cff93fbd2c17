/* writer_xlsx.c -- a workbook for spreadsheets (libxlsxwriter): one sheet a kind.  Text is written
 * as text, so no cell is a formula.  Written, never read. */
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#include "export/writer.h"
#include "i18n.h"
#include "say.h"
#include "text.h"

struct xlsx {
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *bold;
	lxw_row_t row;
};

enum { SPREADSHEET_YEAR_ZERO = 315532800 }; /* 1980: the same records give the same bytes */

static int xlsx_begin(struct writer *w)
{
	struct xlsx *x = calloc(1, sizeof *x);
	lxw_doc_properties about = {.title = "Sève", .created = SPREADSHEET_YEAR_ZERO};
	w->state = x;
	x->book = x ? workbook_new(w->path) : NULL;
	if (!x || !x->book)
		return say_nomem(w->c);
	workbook_set_properties(x->book, &about);
	x->bold = workbook_add_format(x->book);
	format_set_bold(x->bold);
	return 0;
}

static int xlsx_kind(struct writer *w)
{
	struct xlsx *x = w->state;
	x->sheet = workbook_add_worksheet(x->book, w->kind->name);
	if (!x->sheet)
		return say_nomem(w->c);
	for (size_t i = 0; i < w->n_columns; i++)
		worksheet_write_string(x->sheet, 0, (lxw_col_t)i, w->columns[i].name, x->bold);
	worksheet_freeze_panes(x->sheet, 1, 0);
	x->row = 1;
	return 0;
}

static int xlsx_record(struct writer *w, const struct seve_record *r)
{
	struct xlsx *x = w->state;
	if (x->row >= LXW_ROW_MAX)
		return say_failure(w->c, ERR_TOO_BIG, _("export CSV instead"),
				   _("more than %d rows do not go into one sheet"),
				   LXW_ROW_MAX - 1);
	for (size_t i = 0; i < w->n_columns; i++) {
		const char *text = writer_cell(w, &w->columns[i], r);
		double v;
		if (!*text)
			continue;
		if (w->columns[i].number && text_to_double(text, &v, NULL) == 0)
			worksheet_write_number(x->sheet, x->row, (lxw_col_t)i, v, NULL);
		else
			worksheet_write_string(x->sheet, x->row, (lxw_col_t)i, text, NULL);
	}
	x->row++;
	return 0;
}

static int xlsx_end(struct writer *w)
{
	struct xlsx *x = w->state;
	const lxw_error rc = workbook_close(x->book);
	x->book = NULL;
	return rc == LXW_NO_ERROR
		       ? 0
		       : say_failure(w->c, ERR_IO, NULL, "%s: %s", w->path, lxw_strerror(rc));
}

static void xlsx_free(struct writer *w)
{
	struct xlsx *x = w->state;
	if (x && x->book)
		lxw_workbook_free(x->book);
	free(x);
	w->state = NULL;
}

const struct writer_ops writer_xlsx = {.name = "xlsx",
				       .ending = ".xlsx",
				       .path = true,
				       .begin = xlsx_begin,
				       .kind = xlsx_kind,
				       .record = xlsx_record,
				       .end = xlsx_end,
				       .free = xlsx_free};

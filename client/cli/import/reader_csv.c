/* reader_csv.c -- CSV (csvfile.h) as rows; the first row names the columns. */
#include <string.h>

#include "i18n.h"
#include "import/csvfile.h"
#include "import/reader.h"

static int csv_open(struct reader *r, struct err *e)
{
	struct csvfile_row header = {0};
	struct csvfile_options o = {.separator = r->o.separator, .encoding = r->o.encoding};
	struct csvfile *file = NULL;
	if (!o.encoding)
		r->encoding = o.encoding = csvfile_detect(r->file);
	int rc = csvfile_open(r->file, &o, &file, e);
	r->state = file;
	if (rc == 0)
		rc = csvfile_next(file, &header, e);
	if (rc == 0)
		return err_set(e, ERR_INVALID, _("the file is empty"));
	const bool again = r->n > 0;
	for (size_t i = 0; rc > 0 && !again && i < header.n; i++)
		rc = reader_add_column(r, header.cells[i], e) < 0 ? -(int)e->code : 1;
	if (rc < 0)
		return rc;
	r->separator = csvfile_separator(file);
	return 0;
}

static int csv_next(struct reader *r, struct reader_row *out, struct err *e)
{
	struct csvfile_row row;
	if (r->verbatim)
		csvfile_verbatim(r->state);
	const int rc = csvfile_next(r->state, &row, e);
	if (rc > 0)
		*out = (struct reader_row){
			.line = row.line, .cells = row.cells, .n = row.n, .replaced = row.replaced};
	return rc;
}

static void csv_close(struct reader *r)
{
	csvfile_close(r->state);
}

const struct reader_ops reader_csv = {"csv", ".csv .tsv .txt", NULL, csv_open, csv_next, csv_close};

/* writer_csv.c -- CSV: RFC 4180, or the dialect of French spreadsheets (dialect.h). */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "dialect.h"
#include "export/writer.h"
#include "say.h"

static void cell(const struct writer *w, const char *text)
{
	const char special[] = {w->french ? ';' : ',', '"', '\r', '\n', '\0'};
	const size_t n = strlen(text);
	const bool blank = n && (strchr(" \t", text[0]) || strchr(" \t", text[n - 1]));
	if (!blank && text[strcspn(text, special)] == '\0')
		fputs(text, w->file);
	else
		csv_fwrite(w->file, text, n);
}

static int csv_begin(struct writer *w)
{
	if (w->french)
		fputs("\xef\xbb\xbf", w->file);
	return 0;
}

static int csv_kind(struct writer *w)
{
	for (size_t i = 0; i < w->n_columns; i++) {
		if (i)
			fputc(w->french ? ';' : ',', w->file);
		cell(w, w->columns[i].name);
	}
	fputs("\r\n", w->file);
	return 0;
}

/* As a French spreadsheet has it. */
static const char *french(const struct writer *w, const struct writer_column *col, const char *text)
{
	if (!col->decimal)
		return dialect_is_formula(text) ? cli_printf(w->c, "'%s", text) : text;
	char *number = cli_printf(w->c, "%s", text), *dot = strchr(number, '.');
	if (dot)
		*dot = ',';
	return number;
}

static int csv_record(struct writer *w, const struct seve_record *r)
{
	for (size_t i = 0; i < w->n_columns; i++) {
		const struct writer_column *col = &w->columns[i];
		const char *text = writer_cell(w, col, r);
		if (i)
			fputc(w->french ? ';' : ',', w->file);
		cell(w, w->french ? french(w, col, text) : text);
	}
	fputs("\r\n", w->file);
	return 0;
}

static int csv_end(struct writer *w)
{
	(void)w;
	return 0;
}

const struct writer_ops writer_csv = {.name = "csv",
				      .ending = ".csv",
				      .one_kind = true,
				      .begin = csv_begin,
				      .kind = csv_kind,
				      .record = csv_record,
				      .end = csv_end};

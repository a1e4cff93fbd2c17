/* out_csv.c -- RFC 4180 by libcsv: CRLF, every cell in quotes where it needs them, header = names
 * of fields. */
#include <csv.h>
#include <string.h>

#include "i18n.h"
#include "out.h"

static void cell(FILE *file, const char *text)
{
	/* quotes only where they are needed: plain words stay readable and diffs small */
	if (text[strcspn(text, ",\"\r\n")] == '\0' && *text != ' ' && *text != '\t' &&
	    (!*text || (text[strlen(text) - 1] != ' ' && text[strlen(text) - 1] != '\t')))
		fputs(text, file);
	else
		csv_fwrite(file, text, strlen(text));
}

static int csv_begin(struct out *o, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < o->n && !o->no_headers; i++) {
		if (i)
			fputc(',', o->file);
		cell(o->file, o->columns[i].name);
	}
	if (!o->no_headers)
		fputs("\r\n", o->file);
	return 0;
}

static int csv_row(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	(void)json;
	(void)e;
	for (size_t i = 0; i < o->n; i++) {
		if (i)
			fputc(',', o->file);
		cell(o->file, cells[i] ? cells[i] : "");
	}
	fputs("\r\n", o->file);
	return 0;
}

static int csv_end(struct out *o, struct err *e)
{
	(void)o;
	(void)e;
	return 0;
}

const struct out_ops out_csv_ops = {csv_begin, csv_row, csv_end};

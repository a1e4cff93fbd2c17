/* rejects.c -- see rejects.h. */
#include "import/rejects.h"

#include <csv.h>
#include <inttypes.h>
#include <string.h>

static void cell(const struct rejects *r, const char *text)
{
	const char special[] = {r->separator, '"', '\r', '\n', '\0'};
	if (text[strcspn(text, special)] == '\0')
		fputs(text, r->draft.file);
	else
		csv_fwrite(r->draft.file, text, strlen(text));
	fputc(r->separator, r->draft.file);
}

int rejects_open(struct rejects *r, const char *path, char *const *columns, size_t n,
		 char separator, struct err *e)
{
	*r = (struct rejects){.separator = separator, .width = n};
	const int rc = file_draft_open(&r->draft, path, 0600, e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		cell(r, columns[i]);
	fprintf(r->draft.file, "seve_line%cseve_reason\r\n", separator);
	return 0;
}

void rejects_row(struct rejects *r, char *const *cells, size_t n, uint32_t line, const char *reason)
{
	for (size_t i = 0; i < r->width; i++)
		cell(r, i < n ? cells[i] : "");
	fprintf(r->draft.file, "%" PRIu32 "%c", line, r->separator);
	csv_fwrite(r->draft.file, reason, strlen(reason));
	fputs("\r\n", r->draft.file);
	r->rows++;
}

int rejects_keep(struct rejects *r, struct err *e)
{
	return file_draft_keep(&r->draft, e);
}

void rejects_drop(struct rejects *r)
{
	file_draft_drop(&r->draft);
}

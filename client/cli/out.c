/* out.c -- the formats, and what they have in common. */
#include "out.h"

#include <errno.h>
#include <string.h>

#include "i18n.h"

static const struct {
	const char *word;
	const struct out_ops *ops;
} formats[] = {
	[OUT_TABLE] = {"table", &out_table_ops},
	[OUT_JSON] = {"json", &out_json_ops},
	[OUT_JSONL] = {"jsonl", &out_jsonl_ops},
	[OUT_CSV] = {"csv", &out_csv_ops},
};

int out_format_parse(const char *word, enum out_format *out, struct err *e)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (strcmp(formats[i].word, word) == 0) {
			*out = (enum out_format)i;
			return 0;
		}
	}
	err_set(e, ERR_USAGE, _("there is no format \"%s\""), word);
	return err_remedy(e, _("one of: table, json, jsonl, csv"));
}

int out_begin(struct out *o, enum out_format format, FILE *file, const char *schema,
	      const struct out_column *columns, size_t n, bool no_headers, struct err *e)
{
	*o = (struct out){.format = format,
			  .ops = formats[format].ops,
			  .file = file,
			  .schema = schema,
			  .columns = columns,
			  .n = n,
			  .no_headers = no_headers};
	buf_init(&o->line, OUT_LINE_MAX);
	return o->ops->begin(o, e);
}

int out_row(struct out *o, const char *const *cells, const char *json, struct err *e)
{
	const int rc = o->ops->row(o, cells, json, e);
	if (rc == 0)
		o->rows++;
	return rc;
}

int out_end(struct out *o, struct err *e)
{
	int rc = o->ops->end(o, e);
	buf_fini(&o->line);
	if (rc == 0 && e && (fflush(o->file) != 0 || ferror(o->file)))
		rc = err_set(e, ERR_IO, _("writing the output: %s"), strerror(errno));
	return rc;
}

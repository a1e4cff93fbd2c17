/* writer.c -- the table of formats, and what all of them share. */
#include "export/writer.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cli.h"
#include "field.h"
#include "json.h"
#include "say.h"

static const struct writer_ops *const formats[] = {
	&writer_jsonl, &writer_json_array, &writer_csv, &writer_geojson, &writer_ics, &writer_xlsx};

enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct writer_ops *writer_find(const char *word)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (strcmp(formats[i]->name, word) == 0)
			return formats[i];
	return NULL;
}

const char *writer_word(size_t i)
{
	return i < N_FORMATS ? formats[i]->name : NULL;
}

int writer_kind(struct writer *w, const struct kind *k)
{
	static const char *const meta[] = {"territory",  "id",        "ref",        "rev",
					   "level",      "refs",      "created_at", "created_by",
					   "updated_at", "updated_by"};
	const size_t n_meta = sizeof meta / sizeof *meta;
	struct writer_column *columns =
		arena_array(&w->c->arena, n_meta + k->desc->n_fields, sizeof *columns);
	if (!columns)
		return say_nomem(w->c);
	for (size_t i = 0; i < n_meta; i++)
		columns[i] = (struct writer_column){
			.name = meta[i], .field = meta[i], .number = strcmp(meta[i], "rev") == 0};
	for (size_t i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const enum field_type t = field_type(fd);
		char key[96];
		json_field_key(k, fd, key);
		columns[n_meta + i] = (struct writer_column){
			.name = cli_printf(w->c, "%s", key),
			.field = fd->name,
			.number = t == FIELD_INT || t == FIELD_UINT || t == FIELD_DOUBLE,
			.decimal = t == FIELD_DOUBLE};
	}
	w->kind = k;
	w->columns = columns;
	w->n_columns = n_meta + k->desc->n_fields;
	return w->ops->kind ? w->ops->kind(w) : 0;
}

const char *writer_cell(const struct writer *w, const struct writer_column *col,
			const struct seve_record *r)
{
	if (strcmp(col->field, "territory") == 0)
		return w->territory;
	const char *text = seve_record_get(r, col->field);
	return text ? text : "";
}

char *writer_json(const struct writer *w, const struct seve_record *r)
{
	struct buf out;
	char *json = seve_record_json(r), *line = NULL;
	if (!json)
		return NULL;
	buf_init(&out, strlen(json) + 1024);
	int rc = buf_addf(&out, "{\"territory\":");
	if (rc == 0)
		rc = json_add_string(&out, w->territory);
	if (rc == 0)
		rc = buf_add(&out, ",", 1);
	if (rc == 0)
		rc = buf_add(&out, json + 1, strlen(json)); /* with its NUL */
	if (rc == 0)
		line = strdup((const char *)buf_span(&out).at);
	buf_fini(&out);
	free(json);
	return line;
}

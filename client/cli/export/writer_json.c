/* writer_json.c -- JSON Lines, one record a line, and the same lines as one array. */
#include <stdlib.h>

#include "export/writer.h"
#include "say.h"

static int nothing(struct writer *w)
{
	(void)w;
	return 0;
}

static int jsonl_record(struct writer *w, const struct seve_record *r)
{
	char *line = writer_json(w, r);
	if (!line)
		return say_nomem(w->c);
	fprintf(w->file, "%s\n", line);
	free(line);
	return 0;
}

static int array_begin(struct writer *w)
{
	fputs("{\"schema\":\"seve.export/1\",\"items\":[", w->file);
	return 0;
}

static int array_record(struct writer *w, const struct seve_record *r)
{
	char *line = writer_json(w, r);
	if (!line)
		return say_nomem(w->c);
	fprintf(w->file, "%s\n%s", w->records ? "," : "", line);
	free(line);
	return 0;
}

static int array_end(struct writer *w)
{
	fputs("\n]}\n", w->file);
	return 0;
}

const struct writer_ops writer_jsonl = {.name = "jsonl",
					.ending = ".jsonl",
					.begin = nothing,
					.record = jsonl_record,
					.end = nothing};
const struct writer_ops writer_json_array = {.name = "json",
					     .ending = ".json",
					     .begin = array_begin,
					     .record = array_record,
					     .end = array_end};

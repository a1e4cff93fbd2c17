/* writer_geojson.c -- actors as a FeatureCollection (RFC 7946): a point each, or no geometry where
 * none is known; all else are properties. */
#include <jansson.h>
#include <stdlib.h>

#include "export/writer.h"
#include "say.h"

static int geojson_begin(struct writer *w)
{
	fputs("{\"type\":\"FeatureCollection\",\"features\":[", w->file);
	return 0;
}

/* The record without what the geometry says. */
static char *properties(const struct writer *w, const struct seve_record *r)
{
	char *line = writer_json(w, r), *out = NULL;
	json_t *v = line ? json_loads(line, 0, NULL) : NULL;
	if (v) {
		json_object_del(v, "lat");
		json_object_del(v, "lon");
		out = json_dumps(v, JSON_COMPACT);
	}
	json_decref(v);
	free(line);
	return out;
}

static int geojson_record(struct writer *w, const struct seve_record *r)
{
	const char *lat = seve_record_get(r, "lat"), *lon = seve_record_get(r, "lon");
	char *text = properties(w, r);
	if (!text)
		return say_nomem(w->c);
	fprintf(w->file,
		"%s\n{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":", w->records ? "," : "",
		seve_record_id(r));
	if (*lat && *lon)
		fprintf(w->file, "{\"type\":\"Point\",\"coordinates\":[%s,%s]}", lon, lat);
	else
		fputs("null", w->file);
	fprintf(w->file, ",\"properties\":%s}", text);
	free(text);
	return 0;
}

static int geojson_end(struct writer *w)
{
	fputs("\n]}\n", w->file);
	return 0;
}

const struct writer_ops writer_geojson = {.name = "geojson",
					  .ending = ".geojson",
					  .only = "actor",
					  .one_kind = true,
					  .begin = geojson_begin,
					  .record = geojson_record,
					  .end = geojson_end};

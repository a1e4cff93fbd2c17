/* reader_geojson.c -- a FeatureCollection (RFC 7946) as rows: the columns are the properties, and
 * beside them feature.id, geometry.type, geometry.lat and geometry.lon of points. */
#include <stdlib.h>
#include <string.h>

#include "i18n.h"
#include "import/jsoncells.h"
#include "import/jsonscan.h"
#include "import/reader.h"
#include "text.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

struct geojson {
	struct arena arena;
	struct jsonscan *scan;
};

/* Found out from the type in the first bytes. */
static bool geojson_detect(const char *head, size_t n)
{
	return n && *head == '{' && strstr(head, "\"FeatureCollection\"");
}

static int geojson_open(struct reader *r, struct err *e)
{
	struct geojson *g = calloc(1, sizeof *g);
	if (!g)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	arena_init(&g->arena, ARENA_MAX);
	r->state = g;
	return jsonscan_open(r->file, r->o.path ? r->o.path : "features", &g->scan, e);
}

static int set_number(struct reader *r, struct arena *a, const char *name, const json_t *v,
		      struct err *e)
{
	char text[32];
	text_from_double(json_number_value(v), text);
	return jsoncells_set(r, a, name, text, e);
}

static int point(struct reader *r, struct arena *a, const json_t *geometry, struct reader_row *out,
		 struct err *e)
{
	const char *type = json_string_value(json_object_get(geometry, "type"));
	const json_t *at = json_object_get(geometry, "coordinates");
	const json_t *lon = json_array_get(at, 0), *lat = json_array_get(at, 1);
	int rc = jsoncells_set(r, a, "geometry.type", type ? type : "", e);
	if (rc < 0 || !type || strcmp(type, "Point") != 0)
		return rc;
	if (!json_is_number(lon) || !json_is_number(lat)) {
		out->broken = _("the point has no longitude and latitude");
		return 0;
	}
	rc = set_number(r, a, "geometry.lat", lat, e);
	return rc < 0 ? rc : set_number(r, a, "geometry.lon", lon, e);
}

static int feature(struct reader *r, struct arena *a, const json_t *v, struct reader_row *out,
		   struct err *e)
{
	const json_t *properties = json_object_get(v, "properties"), *id = json_object_get(v, "id");
	char text[32];
	int rc = json_is_object(properties) ? jsoncells_add(r, a, "", properties, &out->replaced, e)
					    : 0;
	if (rc == 0 && json_is_string(id))
		rc = jsoncells_set(r, a, "feature.id", json_string_value(id), e);
	if (rc == 0 && json_is_number(id)) {
		text_from_double(json_number_value(id), text);
		rc = jsoncells_set(r, a, "feature.id", text, e);
	}
	if (rc == 0 && json_is_object(json_object_get(v, "geometry")))
		rc = point(r, a, json_object_get(v, "geometry"), out, e);
	return rc;
}

static int geojson_next(struct reader *r, struct reader_row *out, struct err *e)
{
	struct geojson *g = r->state;
	json_t *v = NULL;
	int rc = jsonscan_next(g->scan, &v, &out->line, e);
	if (rc <= 0)
		return rc;
	arena_reset(&g->arena);
	jsoncells_clear(r);
	const char *type = json_string_value(json_object_get(v, "type"));
	if (!type || strcmp(type, "Feature") != 0)
		out->broken = _("this is no feature");
	rc = out->broken ? 0 : feature(r, &g->arena, v, out, e);
	out->cells = r->cells;
	out->n = r->n;
	json_decref(v);
	return rc < 0 ? rc : 1;
}

static void geojson_close(struct reader *r)
{
	struct geojson *g = r->state;
	if (!g)
		return;
	jsonscan_close(g->scan);
	arena_fini(&g->arena);
	free(g);
}

const struct reader_ops reader_geojson = {"geojson",    ".geojson",   geojson_detect,
					  geojson_open, geojson_next, geojson_close};

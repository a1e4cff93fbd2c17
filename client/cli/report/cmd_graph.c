/* cmd_graph.c -- the network as a graph: actors, actions and groups, and who is positioned on what.
 * dot for Graphviz, GraphML for graph tools, GeoJSON for maps. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "i18n.h"
#include "json.h"
#include "report.h"
#include "say.h"

struct graph {
	struct cli *c;
	const struct network *net;
	FILE *file;
};

/* ---- texts inside formats ---- */

static void put_quoted(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s == '\n' ? ' ' : *s, f);
	}
	putc('"', f);
}

/* Control characters that XML 1.0 has no words for become blanks. */
static void put_xml(FILE *f, const char *s)
{
	for (; *s; s++) {
		const unsigned char ch = (unsigned char)*s;
		if (ch == '<')
			fputs("&lt;", f);
		else if (ch == '>')
			fputs("&gt;", f);
		else if (ch == '&')
			fputs("&amp;", f);
		else if (ch == '"')
			fputs("&quot;", f);
		else
			putc(ch < 0x20 ? ' ' : ch, f);
	}
}

static void put_json(struct graph *g, const char *s)
{
	struct buf b;
	buf_init(&b, 1024 * 1024);
	if (json_add_string(&b, s) == 0)
		fwrite(buf_span(&b).at, 1, buf_len(&b), g->file);
	else
		fputs("\"\"", g->file);
	buf_fini(&b);
}

/* Both ends of a position: an open one, of an actor, on an action or a group. */
static bool ends(const struct graph *g, const struct node *n, const struct node **actor,
		 const struct node **on)
{
	const Seve__Position *p = n->body->position;
	if (p->has_state && p->state != SEVE__POSITION__STATE__STATE_OPEN)
		return false;
	*actor = p->has_actor_id ? network_find(g->net, n->territory, p->actor_id) : NULL;
	*on = p->has_action_id  ? network_find(g->net, n->territory, p->action_id)
	      : p->has_group_id ? network_find(g->net, n->territory, p->group_id)
				: NULL;
	return *actor && *on;
}

static const char *stance(struct cli *c, const struct node *n)
{
	char word[48];
	field_enum_word(&seve__position__stance__descriptor, n->body->position->stance, word);
	return cli_printf(c, "%s", word);
}

static const char *const node_kinds[] = {"actor", "action", "group"};
enum { NODE_KINDS = sizeof node_kinds / sizeof *node_kinds };

/* ---- dot ---- */

static void write_dot(struct graph *g)
{
	static const char *const shapes[NODE_KINDS] = {"box", "ellipse", "hexagon"};
	const struct nodes positions = network_kind(g->net, "position");
	const struct node *actor, *on;
	fputs("graph network {\n", g->file);
	for (size_t k = 0; k < NODE_KINDS; k++) {
		const struct nodes all = network_kind(g->net, node_kinds[k]);
		for (size_t i = 0; i < all.n; i++) {
			fprintf(g->file, "\t\"%s\" [shape=%s,label=", report_id(g->c, all.list[i]),
				shapes[k]);
			put_quoted(g->file, report_name(g->c, all.list[i]));
			fputs("];\n", g->file);
		}
	}
	for (size_t i = 0; i < positions.n; i++)
		if (ends(g, positions.list[i], &actor, &on))
			fprintf(g->file, "\t\"%s\" -- \"%s\" [label=%s];\n", report_id(g->c, actor),
				report_id(g->c, on), stance(g->c, positions.list[i]));
	fputs("}\n", g->file);
}

/* ---- GraphML ---- */

static void graphml_node(struct graph *g, const struct node *n)
{
	fprintf(g->file, "<node id=\"%s\"><data key=\"kind\">%s</data><data key=\"ref\">%s</data>",
		report_id(g->c, n), n->kind->name, report_ref(g->c, n));
	fputs("<data key=\"name\">", g->file);
	put_xml(g->file, node_name(n));
	fprintf(g->file, "</data><data key=\"state\">%s</data></node>\n", report_state(g->c, n));
}

static void write_graphml(struct graph *g)
{
	const struct nodes positions = network_kind(g->net, "position");
	const struct node *actor, *on;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
	      g->file);
	static const char *const keys[] = {"kind", "ref", "name", "state"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		fprintf(g->file,
			"<key id=\"%s\" for=\"node\" attr.name=\"%s\" attr.type=\"string\"/>\n",
			keys[i], keys[i]);
	fputs("<key id=\"stance\" for=\"edge\" attr.name=\"stance\" attr.type=\"string\"/>\n"
	      "<graph edgedefault=\"undirected\">\n",
	      g->file);
	for (size_t k = 0; k < NODE_KINDS; k++) {
		const struct nodes all = network_kind(g->net, node_kinds[k]);
		for (size_t i = 0; i < all.n; i++)
			graphml_node(g, all.list[i]);
	}
	for (size_t i = 0; i < positions.n; i++)
		if (ends(g, positions.list[i], &actor, &on))
			fprintf(g->file,
				"<edge source=\"%s\" target=\"%s\"><data "
				"key=\"stance\">%s</data></edge>\n",
				report_id(g->c, actor), report_id(g->c, on),
				stance(g->c, positions.list[i]));
	fputs("</graph>\n</graphml>\n", g->file);
}

/* ---- GeoJSON: actors where they are, and lines from an action's pilot to those who take part ----
 */

static bool is_placed(const struct node *n)
{
	const Seve__Actor *a = NODE_AS(n, Actor, actor);
	return a && a->has_lat && a->has_lon;
}

static void geo_point(struct graph *g, const struct node *n, bool first)
{
	const Seve__Actor *a = n->body->actor;
	fprintf(g->file,
		"%s\n{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[%.6f,%"
		".6f]},"
		"\"properties\":{\"kind\":\"actor\",\"ref\":",
		first ? "" : ",", a->lon, a->lat);
	put_json(g, report_ref(g->c, n));
	fputs(",\"name\":", g->file);
	put_json(g, node_name(n));
	fprintf(g->file, ",\"state\":\"%s\"}}", report_state(g->c, n));
}

static const struct node *pilot_of(const struct graph *g, const struct node *on)
{
	size_t n;
	const struct edge *edges = network_edges(g->net, on, &n);
	for (size_t i = 0; i < n; i++) {
		const Seve__Position *p = NODE_AS(edges[i].from, Position, position);
		if (p && p->stance == SEVE__POSITION__STANCE__STANCE_PILOT && p->has_actor_id &&
		    p->state != SEVE__POSITION__STATE__STATE_CLOSED)
			return network_find(g->net, on->territory, p->actor_id);
	}
	return NULL;
}

static void geo_line(struct graph *g, const struct node *pilot, const struct node *actor,
		     const struct node *on, bool first)
{
	const Seve__Actor *a = pilot->body->actor, *b = actor->body->actor;
	fprintf(g->file,
		"%s\n{\"type\":\"Feature\",\"geometry\":{\"type\":\"LineString\",\"coordinates\":[["
		"%.6f,"
		"%.6f],[%.6f,%.6f]]},\"properties\":{\"kind\":\"%s\",\"ref\":",
		first ? "" : ",", a->lon, a->lat, b->lon, b->lat, on->kind->name);
	put_json(g, report_ref(g->c, on));
	fputs(",\"name\":", g->file);
	put_json(g, node_name(on));
	fputs("}}", g->file);
}

static void write_geojson(struct graph *g)
{
	const struct nodes actors = network_kind(g->net, "actor");
	const struct nodes positions = network_kind(g->net, "position");
	const struct node *actor, *on;
	bool first = true;
	fputs("{\"type\":\"FeatureCollection\",\"features\":[", g->file);
	for (size_t i = 0; i < actors.n; i++) {
		if (!is_placed(actors.list[i]))
			continue;
		geo_point(g, actors.list[i], first);
		first = false;
	}
	for (size_t i = 0; i < positions.n; i++) {
		const struct node *pilot =
			ends(g, positions.list[i], &actor, &on) ? pilot_of(g, on) : NULL;
		if (!is_placed(pilot) || !is_placed(actor) || pilot == actor)
			continue;
		geo_line(g, pilot, actor, on, first);
		first = false;
	}
	fputs("\n]}\n", g->file);
}

/* ---- the command ---- */

static const struct {
	const char *word;
	void (*write)(struct graph *g);
} formats[] = {{"dot", write_dot}, {"graphml", write_graphml}, {"geojson", write_geojson}};

static int write_as(struct graph *g, size_t format, const char *path)
{
	struct err e = {0};
	struct file_draft d;
	int rc = 0;
	if (file_draft_open(&d, path, 0666, &e) < 0)
		return say_err(g->c, &e);
	g->file = d.file;
	formats[format].write(g);
	if (file_draft_keep(&d, &e) < 0)
		rc = say_err(g->c, &e);
	file_draft_drop(&d);
	return rc;
}

int cmd_network(struct cli *c)
{
	struct words slugs = {0};
	const char *format = "dot", *path = "-";
	const struct opt table[] = {
		{OPT_TEXT, "format", 'f', &format, "FORMAT", N_("dot, graphml or geojson")},
		{OPT_TEXT, "output", 'o', &path, "FILE|-", N_("where to; else standard output")},
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	struct gathered g;
	size_t i = 0;
	if (!cli_options(c, table, 0, 0))
		return c->status;
	while (i < sizeof formats / sizeof *formats && strcmp(formats[i].word, format) != 0)
		i++;
	if (i == sizeof formats / sizeof *formats)
		return say_usage(c, _("one of: dot, graphml, geojson"),
				 _("there is no format \"%s\""), format);
	int rc = gather(c, &slugs, "territory actor action group position", &g);
	struct graph graph = {.c = c, .net = &g.net};
	if (rc == 0)
		rc = write_as(&graph, i, path);
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

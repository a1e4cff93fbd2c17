/* page.c -- seve report TERRITORY: the state of a territory as one page of HTML that needs nothing
 * else, for those who do not use the program. */
#include <string.h>

#include "clock.h"
#include "command.h"
#include "file.h"
#include "i18n.h"
#include "page.h"
#include "report.h"
#include "say.h"

/* class: of the print: "together" stands on one page. */
static const struct {
	const char *id, *class, *title;
	int (*write)(struct page *p);
} sections[] = {
	{"phases", "together", N_("Phases of the method"), page_phases},
	{"plan", "flow", N_("Action plan"), page_plan},
	{"conversion", "together", N_("From the idea to the action"), page_conversion},
	{"actors", "flow", N_("Actors"), page_actors},
	{"matrix", "together", N_("Strengths, weaknesses, opportunities, threats"), page_matrix},
	{"groups", "flow", N_("Working groups"), page_groups},
	{"meetings", "flow", N_("Meetings"), page_meetings},
	{"load", "flow", N_("What actors carry this month"), page_load},
	{"benefits", "together", N_("Benefits"), page_benefits},
	{"growth", "together", N_("How the network grows"), page_growth},
	{"knowhow", "together", N_("Know-how in the territory"), page_knowhow},
	{"stalled", "flow", N_("What stands still or is late"), page_stalled},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* ---- what may stand on the page -----------------------------------------------------------------
 */

static Seve__Level level_of(const struct node *n)
{
	const Seve__Meta *meta = n->body->meta;
	return meta && meta->has_level ? meta->level : n->kind->level;
}

static Seve__Level level_named(const char *word)
{
	int number = 0;
	return field_enum_number(&seve__level__descriptor, word, &number, NULL) < 0
		       ? SEVE__LEVEL__LEVEL_UNSPECIFIED
		       : (Seve__Level)number;
}

bool page_shows(const struct page *p, const struct node *n)
{
	return level_of(n) <= level_named(p->level);
}

/* The network without what is above the page's level: a reference to such a record leads nowhere.
 */
static int cut(struct page *p, struct network *net)
{
	if (network_init(net, p->arena, NULL, &p->err) < 0)
		return -(int)p->err.code;
	for (size_t i = 0; i < p->all->n; i++) {
		const struct node *n = &p->all->nodes[i];
		if (!page_shows(p, n))
			p->left_out++;
		else if (network_add_body(net, n->territory, n->id.b, n->rev, n->body, &p->err) < 0)
			return -(int)p->err.code;
	}
	p->net = net;
	return network_seal(net, &p->err);
}

static void count_withheld(struct page *p)
{
	struct seve_error *err = NULL;
	p->counted = seve_withheld(p->c->seve, p->territory, &p->withheld, &err) == SEVE_OK;
	seve_error_free(err);
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static void put_contents(struct page *p)
{
	html_put(p->file, "<nav aria-label=\"%s\"><ul>\n", _("Contents"));
	for (size_t i = 0; i < SECTIONS; i++)
		html_put(p->file, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id,
			 _(sections[i].title));
	fputs("</ul></nav>\n", p->file);
}

static void put_title(struct page *p, const char *name, const char *region)
{
	html_put(p->file, "<header>\n<p class=\"eyebrow\">%s</p>\n<h1>",
		 _("Network of territorial economic ecology: state of the territory"));
	html_name(p->file, name);
	fputs("</h1>\n<p class=\"where\">", p->file);
	if (region && *region) {
		html_name(p->file, region);
		fputs(" · ", p->file);
	}
	html_day(p->file, p->today);
	fputs("</p>\n", p->file);
}

static int put_section(struct page *p, size_t i)
{
	const char *id = sections[i].id;
	html_put(p->file,
		 "<section id=\"%s\" class=\"%s\" aria-labelledby=\"%s-title\">\n"
		 "<h2 id=\"%s-title\">%s</h2>\n",
		 id, sections[i].class, id, id, _(sections[i].title));
	const int rc = sections[i].write(p);
	fputs("</section>\n", p->file);
	return rc;
}

static int put_page(struct page *p)
{
	const struct node *t = network_territory(p->all, p->territory);
	const Seve__Territory *about = t ? t->body->territory : NULL;
	const char *slug = scope_slug(p->c, p->territory);
	const char *name = about && about->name && *about->name ? about->name : slug;
	int rc;
	html_head(p->file, i18n_language(), cli_printf(p->c, _("%s: state of the territory"), name),
		  page_style);
	html_put(p->file, "<body>\n<a class=\"skip\" href=\"#main\">%s</a>\n", _("To the content"));
	put_title(p, name, about ? about->region : NULL);
	rc = page_summary(p);
	fputs("</header>\n", p->file);
	put_contents(p);
	fputs("<main id=\"main\">\n", p->file);
	for (size_t i = 0; rc == 0 && i < SECTIONS; i++)
		rc = put_section(p, i);
	fputs("</main>\n", p->file);
	if (rc == 0)
		rc = page_about(p);
	fputs("</body>\n</html>\n", p->file);
	return rc;
}

static int write_page(struct page *p, const char *path)
{
	struct file_draft d;
	int rc = file_draft_open(&d, path, 0666, &p->err);
	p->file = d.file;
	if (rc == 0)
		rc = put_page(p);
	if (rc == 0)
		rc = file_draft_keep(&d, &p->err);
	file_draft_drop(&d);
	return rc < 0 ? say_err(p->c, &p->err) : 0;
}

static int make_page(struct page *p, struct gathered *g, const char *path)
{
	const struct month m = month_of(p->today);
	struct network net;
	int rc = 0;
	p->all = &g->net;
	p->arena = &g->arena;
	p->territory = g->territories[0];
	p->age_ms = g->age_ms;
	if (cut(p, &net) < 0 ||
	    load_make(p->all, m, p->today, NULL, p->arena, &p->load, &p->err) < 0)
		return say_err(p->c, &p->err);
	rc = report_add_elsewhere(p->c, g, &p->load, m, &p->partial);
	count_withheld(p);
	if (rc == 0)
		rc = write_page(p, path);
	if (rc == 0 && strcmp(path, "-") != 0 && p->counted)
		say_note(p->c, _("%s is written; %llu records are withheld, %zu left out."), path,
			 (unsigned long long)p->withheld, p->left_out);
	else if (rc == 0 && strcmp(path, "-") != 0)
		say_note(p->c, _("%s is written; how much is withheld is not known."), path);
	return rc;
}

int cmd_report_page(struct cli *c)
{
	const char *path = "-", *level = "network", *territory = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "output", 'o', &path, "FILE|-", N_("where to; else standard output")},
		{OPT_TEXT, "level", 0, &level, "LEVEL",
		 N_("leave out what is above: public, network (the usual one) or team")},
		{OPT_TEXT, "territory", 't', &territory, "SLUG", N_("of this territory")},
		{.type = OPT_END},
	};
	struct page p = {.c = c, .now_ms = clock_wall_ms()};
	struct gathered g;
	int rc;
	if (!cli_options(c, table, 0, 1))
		return c->status;
	if (c->args.n && territory)
		return say_usage(c, NULL, _("the territory is named twice"));
	p.level = level;
	p.today = day_of(p.now_ms);
	if (!level_named(level))
		return say_usage(c, _("one of: public, network, team"),
				 _("there is no level \"%s\""), level);
	rc = gather_one(c, c->args.n ? c->args.at[0] : territory, NULL, &g);
	if (rc == 0)
		rc = make_page(&p, &g, path);
	if (rc == 0)
		gather_tell_age(c, &g);
	gather_end(&g);
	return rc;
}

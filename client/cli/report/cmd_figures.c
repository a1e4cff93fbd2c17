/* cmd_figures.c -- conversion, benefits, growth, know-how and who could take over. */
#include "command.h"
#include "i18n.h"
#include "method/figures.h"
#include "method/readiness.h"
#include "report.h"
#include "rows.h"
#include "say.h"

/* Options and records that all of these take. */
static int open_figures(struct cli *c, const char *kinds, struct gathered *g, bool *asked)
{
	static struct words slugs;
	const struct opt table[] = {
		{OPT_LIST, "territory", 't', &slugs, "SLUG",
		 N_("of this territory only; may be repeated")},
		{.type = OPT_END},
	};
	slugs = (struct words){0};
	*asked = cli_options(c, table, 0, 0);
	return *asked ? gather(c, &slugs, kinds, g) : c->status;
}

static int close_figures(struct cli *c, struct gathered *g, struct rows *r, int rc)
{
	rc = rows_end(r, rc);
	if (rc == 0)
		gather_tell_age(c, g);
	gather_end(g);
	return rc;
}

/* ---- conversion ---------------------------------------------------------------------------------
 */

static const struct rows_column conversion_columns[] = {
	{"stage", OUT_TEXT, 0},
	{"count", OUT_NUMBER, 0},
	{"of_previous", OUT_NUMBER, 0},
	{"of_first", OUT_NUMBER, 0},
};

static const char *percent(struct cli *c, unsigned part, unsigned whole)
{
	return whole ? rows_number(c, 100.0 * part / whole) : "";
}

static int put_count(struct rows *r, const char *stage, unsigned count)
{
	const char *const cells[] = {stage, rows_count(r->c, count), NULL, NULL};
	return count ? rows_put(r, cells) : 0;
}

static int put_conversion(struct rows *r, const struct conversion *v)
{
	struct cli *c = r->c;
	char word[48];
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < CONVERSION_STAGES; i++) {
		field_enum_word(&seve__action__status__descriptor, (int)i + 1, word);
		const char *const cells[] = {cli_printf(c, "%s", word),
					     rows_count(c, v->reached[i]),
					     i ? percent(c, v->reached[i], v->reached[i - 1]) : "",
					     i ? percent(c, v->reached[i], v->reached[0]) : ""};
		rc = rows_put(r, cells);
	}
	if (rc == 0)
		rc = put_count(r, "deferred", v->deferred);
	if (rc == 0)
		rc = put_count(r, "rejected", v->rejected);
	if (rc == 0)
		rc = put_count(r, "suspended", v->suspended);
	if (rc == 0)
		rc = put_count(r, "merged", v->merged);
	for (int i = 0; rc == 0 && i < CONVERSION_CAUSES; i++) {
		field_enum_word(&seve__action__cause__descriptor, i, word);
		rc = put_count(r, i ? cli_printf(c, "abandoned: %s", word) : "abandoned",
			       v->abandoned[i]);
	}
	return rc;
}

int cmd_report_conversion(struct cli *c)
{
	struct conversion v;
	struct gathered g;
	struct rows r = {0};
	bool asked;
	int rc = open_figures(c, "action", &g, &asked);
	if (!asked)
		return rc;
	if (rc == 0) {
		figures_conversion(&g.net, &v);
		rc = rows_begin(&r, c, "seve.report.conversion/1", conversion_columns,
				ROWS_N(conversion_columns));
	}
	if (rc == 0)
		rc = put_conversion(&r, &v);
	return close_figures(c, &g, &r, rc);
}

/* ---- benefits -----------------------------------------------------------------------------------
 */

static const struct rows_column benefit_columns[] = {
	{"measure", OUT_TEXT, 0},     {"unit", OUT_TEXT, 0},    {"measured", OUT_NUMBER, 0},
	{"estimated", OUT_NUMBER, 0}, {"count", OUT_NUMBER, 0}, {"other_units", OUT_NUMBER, 0},
};

int cmd_report_benefits(struct cli *c)
{
	struct gain gains[BENEFIT_MEASURES];
	struct gathered g;
	struct rows r = {0};
	char word[48];
	bool asked;
	int rc = open_figures(c, "action benefit", &g, &asked);
	if (!asked)
		return rc;
	if (rc == 0) {
		figures_benefits(&g.net, gains);
		rc = rows_begin(&r, c, "seve.report.benefits/1", benefit_columns,
				ROWS_N(benefit_columns));
	}
	for (unsigned i = 1; rc == 0 && i < BENEFIT_MEASURES; i++) {
		const struct gain *k = &gains[i];
		if (!k->n_estimated && !k->n_measured && !k->odd)
			continue;
		field_enum_word(&seve__benefit__measure__descriptor, (int)i, word);
		const char *const cells[] = {word,
					     figures_unit(i),
					     k->n_measured ? rows_number(c, k->measured) : "",
					     k->n_estimated ? rows_number(c, k->estimated) : "",
					     rows_count(c, k->n_measured + k->n_estimated + k->odd),
					     k->odd ? rows_count(c, k->odd) : ""};
		rc = rows_put(&r, cells);
	}
	return close_figures(c, &g, &r, rc);
}

/* ---- growth -------------------------------------------------------------------------------------
 */

static const struct rows_column growth_columns[] = {
	{"quarter", OUT_TEXT, 0},     {"joined", OUT_NUMBER, 0}, {"members", OUT_NUMBER, 0},
	{"positions", OUT_NUMBER, 0}, {"begun", OUT_NUMBER, 0},  {"meetings", OUT_NUMBER, 0},
};

int cmd_report_growth(struct cli *c)
{
	struct growth *list = NULL;
	struct gathered g;
	struct rows r = {0};
	struct err e = {0};
	size_t n = 0;
	bool asked;
	int rc = open_figures(c, "actor position action meeting", &g, &asked);
	if (!asked)
		return rc;
	if (rc == 0 && figures_growth(&g.net, &g.arena, &list, &n, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = rows_begin(&r, c, "seve.report.growth/1", growth_columns,
				ROWS_N(growth_columns));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char quarter[16];
		figures_quarter(list[i].first, quarter);
		const char *const cells[] = {quarter,
					     rows_count(c, list[i].joined),
					     rows_count(c, list[i].members),
					     rows_count(c, list[i].positions),
					     rows_count(c, list[i].actions),
					     rows_count(c, list[i].meetings)};
		rc = rows_put(&r, cells);
	}
	return close_figures(c, &g, &r, rc);
}

/* ---- know-how -----------------------------------------------------------------------------------
 */

static const struct rows_column coverage_columns[] = {
	{"method", OUT_TEXT, 0},           {"aware", OUT_NUMBER, 0},
	{"observer", OUT_NUMBER, 0},       {"co_facilitator", OUT_NUMBER, 0},
	{"supported_lead", OUT_NUMBER, 0}, {"autonomous", OUT_NUMBER, 0},
};

int cmd_report_knowhow(struct cli *c)
{
	struct coverage methods[METHODS];
	struct apprentice *list = NULL;
	struct gathered g;
	struct rows r = {0};
	struct err e = {0};
	size_t n = 0;
	bool asked;
	int rc = open_figures(c, "actor contact meeting knowhow", &g, &asked);
	if (!asked)
		return rc;
	if (rc == 0 && readiness_make(&g.net, &g.arena, &list, &n, methods, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = rows_begin(&r, c, "seve.report.knowhow/1", coverage_columns,
				ROWS_N(coverage_columns));
	for (unsigned i = 0; rc == 0 && i < METHODS; i++) {
		const char *cells[MASTERIES] = {readiness_method(i)};
		for (unsigned k = 1; k < MASTERIES; k++)
			cells[k] = rows_count(c, methods[i].people[k]);
		rc = rows_put(&r, cells);
	}
	return close_figures(c, &g, &r, rc);
}

static const struct rows_column readiness_columns[] = {
	{"territory", OUT_TEXT, 0},
	{"ref", OUT_TEXT, 0},
	{"name", OUT_TEXT, ROWS_SHRINKS | ROWS_MAIN},
	{"actor", OUT_TEXT, ROWS_SHRINKS},
	{"ready", OUT_BOOL, 0},
	{"methods", OUT_NUMBER, 0},
	{"observed", OUT_NUMBER, 0},
	{"assisted", OUT_NUMBER, 0},
	{"led", OUT_NUMBER, 0},
	{"missing", OUT_LIST, ROWS_WRAPS},
	{"id", OUT_TEXT, ROWS_HIDDEN},
};

static const char *missing_methods(struct cli *c, const struct apprentice *p)
{
	const char *list = "", *comma = c->format == OUT_TABLE ? ", " : "|";
	for (unsigned i = 0; i < METHODS; i++) {
		const bool has = p->mastery[i] == SEVE__KNOWHOW__MASTERY__MASTERY_AUTONOMOUS ||
				 (p->mastery[i] == SEVE__KNOWHOW__MASTERY__MASTERY_SUPPORTED_LEAD &&
				  p->validated[i]);
		if (!has)
			list = cli_printf(c, "%s%s%s", list, *list ? comma : "",
					  readiness_method(i));
	}
	return list;
}

int cmd_knowhow_readiness(struct cli *c)
{
	struct coverage methods[METHODS];
	struct apprentice *list = NULL;
	struct gathered g;
	struct rows r = {0};
	struct err e = {0};
	size_t n = 0;
	bool asked;
	int rc = open_figures(c, "actor contact meeting knowhow", &g, &asked);
	if (!asked)
		return rc;
	if (rc == 0 && readiness_make(&g.net, &g.arena, &list, &n, methods, &e) < 0)
		rc = say_err(c, &e);
	if (rc == 0)
		rc = rows_begin(&r, c, "seve.knowhow.readiness/1", readiness_columns,
				ROWS_N(readiness_columns));
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct apprentice *p = &list[i];
		const char *const cells[] = {scope_slug(c, p->contact->territory),
					     report_ref(c, p->contact),
					     node_name(p->contact),
					     p->actor ? node_name(p->actor) : "",
					     rows_bool(p->ready),
					     rows_count(c, p->methods_ready),
					     rows_count(c, p->observed),
					     rows_count(c, p->assisted),
					     rows_count(c, p->led),
					     missing_methods(c, p),
					     report_id(c, p->contact)};
		rc = rows_put(&r, cells);
	}
	return close_figures(c, &g, &r, rc);
}

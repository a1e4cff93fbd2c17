/* cmd_extension.c -- waves of newcomers, groups that they open again, and the territory's phases.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "deed.h"
#include "i18n.h"
#include "names.h"
#include "say.h"
#include "text.h"

/* ---- cohort ---- */

/* A candidate waits from now on, until the wave is triggered. */
static int join_one(struct deed *d, const char *word, const char *cohort)
{
	struct seve_record *actor;
	int rc = deed_take(d, "actor", word, &actor);
	if (rc == 0)
		rc = deed_set(d, actor, "cohort_id", cohort);
	if (rc == 0 && strcmp(seve_record_get(actor, "state"), "candidate") == 0)
		rc = deed_set(d, actor, "state", "waiting");
	return rc;
}

int cmd_cohort_join(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *cohort = NULL;
	const struct opt table[] = {DEED_OPTIONS(d)};
	if (!cli_options(c, table, 2, DEED_RECORDS))
		return c->status;
	int rc = names_record(c, d.slug, "cohort", c->args.at[0], &cohort);
	if (rc == 0)
		d.territory = seve_record_territory(cohort);
	for (size_t i = 1; rc == 0 && i < c->args.n; i++)
		rc = join_one(&d, c->args.at[i], seve_record_id(cohort));
	if (rc == 0)
		rc = deed_save(&d, d.n, _("joins the wave"));
	seve_record_free(cohort);
	return deed_end(&d, rc);
}

int cmd_cohort_trigger(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *cohort;
	const struct opt table[] = {DEED_OPTIONS(d)};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = deed_take(&d, "cohort", c->args.at[0], &cohort);
	const struct deed_value values[] = {
		{"state", "triggered"}, {"triggered_on", deed_today(&d)}, {NULL, NULL}};
	if (rc == 0)
		rc = deed_fill(&d, cohort, values);
	if (rc == 0)
		rc = deed_save(&d, 1, _("triggered"));
	return deed_end(&d, rc);
}

/* ---- group reopen ---- */

/* Concluded, it goes on in a new round, with a new budget of meetings. */
int cmd_group_reopen(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *group;
	const char *cohort = NULL, *id = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "cohort", 0, &cohort, "REFERENCE", N_("the wave that opens it again")},
		DEED_OPTIONS(d),
	};
	if (!cli_options(c, table, 1, 1))
		return c->status;
	int rc = deed_take(&d, "group", c->args.at[0], &group);
	if (rc == 0 && cohort)
		rc = names_id(c, d.territory, "cohort", cohort, &id);
	if (rc == 0) {
		long round = strtol(seve_record_get(group, "round"), NULL, 10);
		const struct deed_value values[] = {
			{"state", "active"},
			{"round", cli_printf(c, "%ld", (round > 0 ? round : 1) + 1)},
			{"cohort_id", id},
			{NULL, NULL}};
		rc = deed_fill(&d, group, values);
	}
	if (rc == 0)
		rc = deed_save(&d, 1, _("goes on in a new round"));
	return deed_end(&d, rc);
}

/* ---- territory phase close ---- */

static int phase_moves(struct deed *d, struct seve_record *t, int64_t phase)
{
	long now = strtol(seve_record_get(t, "phase"), NULL, 10);
	if (now != phase)
		return say_usage(d->c, cli_printf(d->c, _("seve territory phase close %ld"), now),
				 _("the territory is in phase %ld"), now);
	return deed_set(d, t, "phase", cli_printf(d->c, "%ld", now + 1));
}

int cmd_territory_phase(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *t = NULL;
	int64_t phase;
	const struct opt table[] = {DEED_OPTIONS(d)};
	if (!cli_options(c, table, 2, 2))
		return c->status;
	if (strcmp(c->args.at[0], "close") != 0 || text_to_int(c->args.at[1], 0, 6, &phase, NULL))
		return say_usage(c, _("seve territory phase close 2"),
				 _("a phase from 0 to 6 is closed; the last one never is"));
	int rc = deed_open(&d);
	if (rc == 0)
		rc = names_territory(c, d.territory, &t);
	if (rc == 0) {
		d.list[d.n++] = t;
		rc = phase_moves(&d, t, phase);
	}
	if (rc == 0)
		rc = deed_save(&d, 1, _("the phase is closed"));
	return deed_end(&d, rc);
}

/* cmd_action.c -- leads: made of ideas, and made of each other. */
#include <string.h>

#include "command.h"
#include "deed.h"
#include "i18n.h"
#include "names.h"
#include "say.h"

/* ---- idea cluster ---- */

static int new_lead(struct deed *d, const char *title, struct seve_record **out)
{
	int rc = deed_new(d, "action", out);
	const struct deed_value values[] = {
		{"title", title}, {"status", "lead"}, {"origin", "workshop"}, {NULL, NULL}};
	return rc ? rc : deed_fill(d, *out, values);
}

static int cluster_one(struct deed *d, const char *word, struct seve_record *action)
{
	struct seve_record *idea;
	int rc = deed_take(d, "idea", word, &idea);
	const struct deed_value values[] = {
		{"state", "clustered"}, {"action_id", seve_record_id(action)}, {NULL, NULL}};
	if (rc == 0)
		rc = deed_fill(d, idea, values);
	return rc ? rc : deed_add(d, action, "source_ids", seve_record_id(idea));
}

/* The territory is where the first idea is; the lead comes first in what is told. */
static int cluster(struct deed *d, const char *into, const char *title)
{
	struct seve_record *first = NULL, *action;
	int rc = names_record(d->c, d->slug, "idea", d->c->args.at[0], &first);
	if (rc)
		return rc;
	d->territory = seve_record_territory(first);
	seve_record_free(first);
	rc = into ? deed_take(d, "action", into, &action) : new_lead(d, title, &action);
	for (size_t i = 0; rc == 0 && i < d->c->args.n; i++)
		rc = cluster_one(d, d->c->args.at[i], action);
	return rc ? rc : deed_save(d, 1, _("made of ideas"));
}

int cmd_idea_cluster(struct cli *c)
{
	struct deed d = {.c = c};
	const char *into = NULL, *title = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "into", 0, &into, "REFERENCE", N_("into this lead")},
		{OPT_TEXT, "title", 0, &title, "TEXT", N_("into a new lead of this title")},
		DEED_OPTIONS(d),
	};
	if (!cli_options(c, table, 1, DEED_RECORDS - 1))
		return c->status;
	if (!into == !title)
		return say_usage(c, _("--into P-12, or --title TEXT"),
				 _("ideas become one lead: an existing one, or a new one"));
	return deed_end(&d, cluster(&d, into, title));
}

/* ---- action merge ---- */

/* What it came from, and itself. */
static int merge_sources(struct deed *d, const struct seve_record *from, struct seve_record *into)
{
	struct words sources = {0};
	char *text = cli_printf(d->c, "%s", seve_record_get(from, "source_ids"));
	int rc = deed_add(d, into, "source_ids", seve_record_id(from));
	for (char *word; rc == 0 && (word = strsep(&text, "|"));)
		if (*word && strcmp(word, seve_record_id(into)) != 0)
			rc = words_add(&d->c->arena, &sources, word) ? say_nomem(d->c) : 0;
	for (size_t i = 0; rc == 0 && i < sources.n; i++)
		rc = deed_add(d, into, "source_ids", sources.at[i]);
	return rc;
}

static const struct seve_record *position_of(const struct seve_list *list, const char *actor)
{
	for (size_t i = 0; i < seve_list_count(list); i++) {
		const struct seve_record *p = seve_list_at(list, i);
		if (strcmp(seve_record_get(p, "actor_id"), actor) == 0 &&
		    strcmp(seve_record_get(p, "state"), "open") == 0)
			return p;
	}
	return NULL;
}

/* Who was on the one is on the other; who is on both already gives up the one. */
static int merge_positions(struct deed *d, const struct seve_record *from,
			   const struct seve_record *into)
{
	struct seve_list *mine = NULL, *theirs = NULL;
	int rc = deed_list(d, "position", "action_id", seve_record_id(from), &mine);
	if (rc == 0)
		rc = deed_list(d, "position", "action_id", seve_record_id(into), &theirs);
	for (size_t i = 0; rc == 0 && i < seve_list_count(mine); i++) {
		const struct seve_record *p = seve_list_at(mine, i);
		struct seve_record *r;
		if (strcmp(seve_record_get(p, "state"), "open") != 0)
			continue;
		rc = deed_copy(d, p, &r);
		if (rc == 0 && position_of(theirs, seve_record_get(p, "actor_id")))
			rc = deed_set(d, r, "state", "closed");
		else if (rc == 0)
			rc = deed_set(d, r, "action_id", seve_record_id(into));
	}
	seve_list_free(mine);
	seve_list_free(theirs);
	return rc;
}

/* Low-hanging fruit stays so, whatever it is merged into. */
static int merge_low_hanging(struct deed *d, const struct seve_record *from,
			     struct seve_record *into)
{
	if (strcmp(seve_record_get(from, "low_hanging"), "yes") != 0 ||
	    strcmp(seve_record_get(into, "low_hanging"), "yes") == 0)
		return 0;
	const char *why = seve_record_get(from, "low_hanging_reason");
	const struct deed_value values[] = {
		{"low_hanging", "yes"}, {"low_hanging_reason", *why ? why : NULL}, {NULL, NULL}};
	return deed_fill(d, into, values);
}

static int merge_one(struct deed *d, const char *word, struct seve_record *into)
{
	struct seve_record *from;
	int rc = deed_take(d, "action", word, &from);
	if (rc == 0 && from == into)
		return say_usage(d->c, NULL, _("an action is not merged into itself"));
	const struct deed_value values[] = {
		{"status", "merged"}, {"merged_into_id", seve_record_id(into)}, {NULL, NULL}};
	if (rc == 0)
		rc = merge_sources(d, from, into);
	if (rc == 0)
		rc = merge_low_hanging(d, from, into);
	if (rc == 0)
		rc = merge_positions(d, from, into);
	return rc ? rc : deed_fill(d, from, values);
}

int cmd_action_merge(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *into;
	const char *word = NULL;
	const struct opt table[] = {
		{OPT_TEXT, "into", 0, &word, "REFERENCE", N_("into this one, which goes on")},
		DEED_OPTIONS(d),
	};
	if (!cli_options(c, table, 1, DEED_RECORDS - 1))
		return c->status;
	if (!word)
		return say_usage(c, _("--into P-12"), _("which of them goes on?"));
	int rc = deed_take(&d, "action", word, &into);
	for (size_t i = 0; rc == 0 && i < c->args.n; i++)
		rc = merge_one(&d, c->args.at[i], into);
	if (rc == 0)
		rc = deed_save(&d, 1, _("merged"));
	return deed_end(&d, rc);
}

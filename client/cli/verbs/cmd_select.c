/* cmd_select.c -- workshop 2: deciding on actions, and closing the selection. */
#include <string.h>

#include "command.h"
#include "deed.h"
#include "i18n.h"
#include "names.h"
#include "say.h"

static int which_workshop(struct deed *d, size_t n)
{
	return say_usage(d->c, _("say which: --meeting REFERENCE"),
			 n ? _("there are several second workshops that are not closed")
			   : _("there is no second workshop that is not closed"));
}

/* The workshop that selects: the one that was named, else the only one that is not closed. */
static int find_workshop(struct deed *d, const char *word, struct seve_record **out)
{
	struct seve_list *list = NULL;
	const struct seve_record *found = NULL;
	size_t n = 0;
	if (word)
		return names_record(d->c, scope_slug(d->c, d->territory), "meeting", word, out);
	int rc = deed_list(d, "meeting", "kind", "workshop", &list);
	for (size_t i = 0; rc == 0 && i < seve_list_count(list); i++) {
		const struct seve_record *m = seve_list_at(list, i);
		const char *state = seve_record_get(m, "state");
		if (strcmp(seve_record_get(m, "number"), "2") != 0 ||
		    strcmp(state, "closed") == 0 || strcmp(state, "cancelled") == 0)
			continue;
		found = m;
		n++;
	}
	if (rc == 0 && n == 1) {
		*out = seve_record_copy(found);
		rc = *out ? 0 : say_nomem(d->c);
	} else if (rc == 0) {
		rc = which_workshop(d, n);
	}
	seve_list_free(list);
	return rc;
}

/* ---- decide ---- */

struct decision {
	struct deed deed;
	const char *meeting, *why, *outcome;
	struct seve_record *workshop;
	struct seve_list *present;
};

/* Those who were there, as far as the attendance says. */
static int add_present(struct decision *x, struct seve_record *r)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < seve_list_count(x->present); i++) {
		const struct seve_record *a = seve_list_at(x->present, i);
		if (strcmp(seve_record_get(a, "status"), "present") == 0)
			rc = deed_add(&x->deed, r, "present_ids", seve_record_get(a, "actor_id"));
	}
	return rc;
}

/* The action's own record says what became of it, the decision who said so, where and why. */
static int decide_one(struct decision *x, const char *word)
{
	struct seve_record *action, *r;
	int rc = deed_take(&x->deed, "action", word, &action);
	if (rc == 0)
		rc = deed_set(&x->deed, action, "status", x->outcome);
	if (rc == 0)
		rc = deed_new(&x->deed, "decision", &r);
	if (rc)
		return rc;
	const struct deed_value values[] = {{"meeting_id", seve_record_id(x->workshop)},
					    {"action_id", seve_record_id(action)},
					    {"outcome", x->outcome},
					    {"rationale", x->why},
					    {NULL, NULL}};
	rc = deed_fill(&x->deed, r, values);
	return rc ? rc : add_present(x, r);
}

static int decide(struct decision *x, const struct words *args)
{
	struct deed *d = &x->deed;
	struct seve_record *first = NULL;
	int rc = deed_take(d, "action", args->at[0], &first);
	if (rc == 0)
		rc = find_workshop(d, x->meeting, &x->workshop);
	if (rc == 0)
		rc = deed_list(d, "attendance", "meeting_id", seve_record_id(x->workshop),
			       &x->present);
	for (size_t i = 0; rc == 0 && i + 1 < args->n; i++)
		rc = decide_one(x, args->at[i]);
	return rc ? rc : deed_save(d, 1, x->outcome);
}

static bool is_outcome(const char *word)
{
	const char *known;
	for (size_t i = 0; (known = seve_field_word("decision", "outcome", i)); i++)
		if (strcmp(known, word) == 0)
			return true;
	return false;
}

int cmd_select_decide(struct cli *c)
{
	struct decision x = {.deed = {.c = c}};
	const struct opt table[] = {
		{OPT_TEXT, "meeting", 'm', &x.meeting, "REFERENCE",
		 N_("the workshop; else the second one that is not closed")},
		{OPT_TEXT, "why", 0, &x.why, "TEXT", N_("why it is so decided")},
		DEED_OPTIONS(x.deed),
	};
	if (!cli_options(c, table, 2, DEED_RECORDS / 2 + 1))
		return c->status;
	x.outcome = c->args.at[c->args.n - 1];
	if (!is_outcome(x.outcome))
		return say_usage(c, _("the last word is one of: selected, deferred, rejected"),
				 _("\"%.40s\" is no decision"), x.outcome);
	int rc = deed_end(&x.deed, decide(&x, &c->args));
	seve_record_free(x.workshop);
	seve_list_free(x.present);
	return rc;
}

/* ---- close ---- */

int cmd_select_close(struct cli *c)
{
	struct deed d = {.c = c};
	struct seve_record *found = NULL, *workshop;
	const struct opt table[] = {DEED_OPTIONS(d)};
	if (!cli_options(c, table, 0, 1))
		return c->status;
	int rc = 0;
	if (c->args.n) {
		rc = deed_take(&d, "meeting", c->args.at[0], &workshop);
	} else {
		rc = deed_open(&d);
		if (rc == 0)
			rc = find_workshop(&d, NULL, &found);
		if (rc == 0)
			rc = deed_copy(&d, found, &workshop);
	}
	if (rc == 0)
		rc = deed_set(&d, workshop, "state", "closed");
	if (rc == 0)
		rc = deed_save(&d, 1, _("the selection is closed"));
	seve_record_free(found);
	return deed_end(&d, rc);
}

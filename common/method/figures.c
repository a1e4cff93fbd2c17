/* figures.c -- see figures.h. */
#include "figures.h"

#include <stdio.h>
#include <string.h>

#include "day.h"
#include "progress.h"
#include "stalled.h"
#include "text.h"

enum shared_state figures_shared(Seve__Action__Status s)
{
	static const enum shared_state of[] = {
		[SEVE__ACTION__STATUS__STATUS_UNSPECIFIED] = SHARED_NONE,
		[SEVE__ACTION__STATUS__STATUS_IDEA] = SHARED_IDEA,
		[SEVE__ACTION__STATUS__STATUS_LEAD] = SHARED_IDEA,
		[SEVE__ACTION__STATUS__STATUS_PLANNED] = SHARED_IDEA,
		[SEVE__ACTION__STATUS__STATUS_SELECTED] = SHARED_DISCUSSION,
		[SEVE__ACTION__STATUS__STATUS_IN_PROGRESS] = SHARED_UNDER_WAY,
		[SEVE__ACTION__STATUS__STATUS_IMPLEMENTED] = SHARED_DONE,
		[SEVE__ACTION__STATUS__STATUS_SUSTAINED] = SHARED_DONE,
	};
	const size_t i = (size_t)s;

	return i < sizeof of / sizeof *of ? of[i] : SHARED_NONE;
}

/* ---- comparison ---------------------------------------------------------------------------------
 */

static void compare_one(const struct network *net, const struct node *n, int64_t now_ms,
			uint32_t stale_days, struct comparison *c)
{
	const Seve__Action *a = NODE_AS(n, Action, action);
	const Seve__Group *g = NODE_AS(n, Group, group);
	const Seve__Meeting *m = NODE_AS(n, Meeting, meeting);
	const Seve__Territory *t = NODE_AS(n, Territory, territory);
	struct stall s;

	if (t)
		c->phase = t->phase;
	if (NODE_AS(n, Actor, actor)) {
		c->actors++;
		c->members += progress_is_member(n);
		c->visited += progress_is_member(n) && progress_is_visited(net, n);
	}
	if (a && figures_shared(a->status) < SHARED_NONE)
		c->states[figures_shared(a->status)]++;
	if (a) {
		c->abandoned += a->status == SEVE__ACTION__STATUS__STATUS_ABANDONED;
		c->stalled += stalled_look(n, now_ms, stale_days, &s) && (s.old || s.overdue_days);
	}
	c->groups += g && g->state == SEVE__GROUP__STATE__STATE_ACTIVE;
	c->meetings += m && (m->state == SEVE__MEETING__STATE__STATE_HELD ||
			     m->state == SEVE__MEETING__STATE__STATE_CLOSED);
}

int figures_compare(const struct network *net, const uint32_t *territories, size_t n,
		    int64_t now_ms, struct arena *a, struct comparison **out, struct err *e)
{
	struct comparison *list = arena_array(a, n + 1, sizeof *list), *of = NULL;
	uint32_t stale_days = 0;

	if (!list)
		return err_set(e, ERR_NOMEM, "comparison");
	for (size_t i = 0; i < n; i++)
		list[i].territory = territories[i];
	/* nodes stand by territory */
	for (size_t i = 0; i < net->n; i++) {
		const struct node *node = &net->nodes[i];

		for (size_t k = 0; (!of || of->territory != node->territory) && k < n; k++)
			if (territories[k] == node->territory) {
				of = &list[k];
				stale_days = network_policy(net, of->territory).stale_days;
			}
		if (of && of->territory == node->territory)
			compare_one(net, node, now_ms, stale_days, of);
	}
	*out = list;
	return 0;
}

/* ---- conversion ---------------------------------------------------------------------------------
 */

void figures_conversion(const struct network *net, struct conversion *out)
{
	/* how many stages a state has behind it, itself included */
	static const unsigned stages[] = {
		[SEVE__ACTION__STATUS__STATUS_IDEA] = 1,
		[SEVE__ACTION__STATUS__STATUS_LEAD] = 2,
		[SEVE__ACTION__STATUS__STATUS_PLANNED] = 3,
		[SEVE__ACTION__STATUS__STATUS_SELECTED] = 4,
		[SEVE__ACTION__STATUS__STATUS_IN_PROGRESS] = 5,
		[SEVE__ACTION__STATUS__STATUS_IMPLEMENTED] = 6,
		[SEVE__ACTION__STATUS__STATUS_SUSTAINED] = 7,
		[SEVE__ACTION__STATUS__STATUS_DEFERRED] = 3,
		[SEVE__ACTION__STATUS__STATUS_REJECTED] = 3,
		[SEVE__ACTION__STATUS__STATUS_SUSPENDED] = 4,
		[SEVE__ACTION__STATUS__STATUS_ABANDONED] = 2,
		[SEVE__ACTION__STATUS__STATUS_MERGED] = 0,
	};
	const struct nodes all = network_kind(net, "action");

	*out = (struct conversion){0};
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Action *a = all.list[i]->body->action;
		const size_t s = (size_t)a->status;
		const size_t cause =
			a->has_cause && (size_t)a->cause < CONVERSION_CAUSES ? (size_t)a->cause : 0;

		for (unsigned k = 0; s < sizeof stages / sizeof *stages && k < stages[s]; k++)
			out->reached[k]++;
		out->deferred += a->status == SEVE__ACTION__STATUS__STATUS_DEFERRED;
		out->rejected += a->status == SEVE__ACTION__STATUS__STATUS_REJECTED;
		out->suspended += a->status == SEVE__ACTION__STATUS__STATUS_SUSPENDED;
		out->merged += a->status == SEVE__ACTION__STATUS__STATUS_MERGED;
		out->abandoned[cause] += a->status == SEVE__ACTION__STATUS__STATUS_ABANDONED;
	}
}

/* ---- benefits -----------------------------------------------------------------------------------
 */

const char *figures_unit(unsigned measure)
{
	static const char *const units[BENEFIT_MEASURES] = {"",    "eur", "eur", "t",    "t",  "m3",
							    "MWh", "t",   "t",   "jobs", "eur"};

	return measure < BENEFIT_MEASURES ? units[measure] : "";
}

void figures_benefits(const struct network *net, struct gain out[static BENEFIT_MEASURES])
{
	const struct nodes all = network_kind(net, "benefit");

	memset(out, 0, BENEFIT_MEASURES * sizeof *out);
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Benefit *b = all.list[i]->body->benefit;
		const unsigned m = (unsigned)b->measure;

		if (m >= BENEFIT_MEASURES)
			continue;
		if (b->unit && *b->unit && strcmp(b->unit, figures_unit(m)) != 0) {
			out[m].odd++;
		} else if (b->certainty == SEVE__BENEFIT__CERTAINTY__CERTAINTY_MEASURED) {
			out[m].measured += b->value;
			out[m].n_measured++;
		} else {
			out[m].estimated += b->value;
			out[m].n_estimated++;
		}
	}
}

/* ---- growth -------------------------------------------------------------------------------------
 */

/* Quarters since the year 0: 4 x year + 0..3. */
static int quarter_of(int32_t day)
{
	char text[16];
	int64_t year = 0, month = 1;

	text_from_date(day, text);
	text[4] = text[7] = '\0';
	text_to_int(text, 0, 9999, &year, NULL);
	text_to_int(text + 5 + (text[5] == '0'), 1, 12, &month, NULL);
	return (int)(year * 4 + (month - 1) / 3);
}

void figures_quarter(int32_t day, char out[static 16])
{
	const int q = quarter_of(day);

	snprintf(out, 16, "%04d-Q%d", q / 4 % 10000, q % 4 + 1);
}

enum what { JOINED, POSITION, ACTION, MEETING, NOTHING };

/* What the record is, and on which day it became so. */
static enum what event_of(const struct node *n, int32_t *day)
{
	const Seve__Meta *meta = n->body->meta;
	const Seve__Actor *who = NODE_AS(n, Actor, actor);
	const Seve__Position *p = NODE_AS(n, Position, position);
	const Seve__Action *a = NODE_AS(n, Action, action);
	const Seve__Meeting *m = NODE_AS(n, Meeting, meeting);

	*day = day_of(meta && meta->has_created_at ? meta->created_at : 0);
	if (who && progress_is_member(n)) {
		*day = who->has_joined_on ? who->joined_on : day_of(node_state_at(n, NULL));
		return JOINED;
	}
	if (p) {
		*day = p->has_since_on ? p->since_on : *day;
		return POSITION;
	}
	if (a && (figures_shared(a->status) == SHARED_UNDER_WAY ||
		  figures_shared(a->status) == SHARED_DONE)) {
		*day = a->has_start_on ? a->start_on : day_of(node_state_at(n, NULL));
		return ACTION;
	}
	if (m && m->has_start_at &&
	    (m->state == SEVE__MEETING__STATE__STATE_HELD ||
	     m->state == SEVE__MEETING__STATE__STATE_CLOSED)) {
		*day = day_of(m->start_at);
		return MEETING;
	}
	return NOTHING;
}

static void add_event(struct growth *g, enum what what)
{
	g->joined += what == JOINED;
	g->positions += what == POSITION;
	g->actions += what == ACTION;
	g->meetings += what == MEETING;
}

/* The first day of a quarter, from a day in it. */
static int32_t quarter_start(int32_t day)
{
	struct month m = month_of(day);

	while (quarter_of(m.first - 1) == quarter_of(day))
		m = month_of(m.first - 1);
	return m.first;
}

int figures_growth(const struct network *net, struct arena *a, struct growth **out, size_t *n,
		   struct err *e)
{
	int32_t day, first = INT32_MAX, last = INT32_MIN;
	struct growth *list;

	*n = 0;
	for (size_t i = 0; i < net->n; i++) {
		if (event_of(&net->nodes[i], &day) == NOTHING)
			continue;
		first = day < first ? day : first;
		last = day > last ? day : last;
	}
	if (first > last)
		return 0;
	const int q = quarter_of(first);
	*n = (size_t)(quarter_of(last) - q) + 1;
	list = arena_array(a, *n, sizeof *list);
	if (!list)
		return err_set(e, ERR_NOMEM, "growth");
	for (size_t i = 0; i < net->n; i++) {
		const enum what what = event_of(&net->nodes[i], &day);

		if (what != NOTHING)
			add_event(&list[quarter_of(day) - q], what);
	}
	list[0].first = quarter_start(first);
	for (size_t i = 0; i < *n; i++) {
		if (i) /* a quarter later, well inside it */
			list[i].first = quarter_start(list[i - 1].first + 100);
		list[i].members = list[i].joined + (i ? list[i - 1].members : 0);
	}
	*out = list;
	return 0;
}

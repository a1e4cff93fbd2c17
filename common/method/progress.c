/* progress.c -- see progress.h. */
#include "progress.h"

#include <stdio.h>

struct counting {
	const struct network *net;
	uint32_t territory;
	struct arena *arena;
	struct phase *p;
	size_t room;
	bool nomem;
};

static void lack(struct counting *c, const char *what)
{
	struct phase *p = c->p;

	if (p->n_missing == c->room) {
		const size_t room = c->room ? 2 * c->room : 8;
		const char **list = arena_array(c->arena, room, sizeof *list);

		for (size_t i = 0; list && i < p->n_missing; i++)
			list[i] = p->missing[i];
		c->nomem |= !list;
		if (!list)
			return;
		p->missing = list;
		c->room = room;
	}
	p->missing[p->n_missing++] = what;
}

static void lack_node(struct counting *c, const struct node *n)
{
	char ref[16], *copy;

	node_ref(n, ref);
	copy = arena_strdup(c->arena, ref);
	c->nomem |= !copy;
	if (copy)
		lack(c, copy);
}

/* One of what the phase counts. */
static void count(struct counting *c, const struct node *n, bool done)
{
	c->p->of++;
	c->p->done += done;
	if (!done)
		lack_node(c, n);
}

bool progress_is_member(const struct node *actor)
{
	const Seve__Actor *a = actor->body->actor;

	return a->has_state && (a->state == SEVE__ACTOR__STATE__STATE_MEMBER ||
				a->state == SEVE__ACTOR__STATE__STATE_DORMANT);
}

static bool is_done(const Seve__Interview *i)
{
	return i && i->has_state &&
	       (i->state == SEVE__INTERVIEW__STATE__STATE_DONE ||
		i->state == SEVE__INTERVIEW__STATE__STATE_APPROVED);
}

bool progress_is_visited(const struct network *net, const struct node *actor)
{
	size_t n;
	const struct edge *edges = network_edges(net, actor, &n);

	for (size_t i = 0; i < n; i++) {
		const Seve__Interview *v = NODE_AS(edges[i].from, Interview, interview);

		if (is_done(v) && (v->kind == SEVE__INTERVIEW__KIND__KIND_SITE_VISIT ||
				   v->kind == SEVE__INTERVIEW__KIND__KIND_NEWCOMER))
			return true;
	}
	return false;
}

/* ---- the phases ---------------------------------------------------------------------------------
 */

/* Pioneers: those of no wave who said yes. */
static void recruit(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "actor");

	for (size_t i = 0; i < all.n; i++) {
		const Seve__Actor *a = all.list[i]->body->actor;
		const bool asked =
			a->has_state && (a->state == SEVE__ACTOR__STATE__STATE_APPROACHED ||
					 a->state == SEVE__ACTOR__STATE__STATE_CANDIDATE);

		if (all.list[i]->territory != c->territory || a->wave || a->has_cohort_id)
			continue;
		if (asked || progress_is_member(all.list[i]))
			count(c, all.list[i], progress_is_member(all.list[i]));
	}
	if (c->p->done < 2)
		lack(c, "members");
}

static void authorities(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "interview");

	for (size_t i = 0; i < all.n; i++) {
		const Seve__Interview *v = all.list[i]->body->interview;

		if (all.list[i]->territory == c->territory && is_done(v) &&
		    v->kind == SEVE__INTERVIEW__KIND__KIND_PUBLIC_AUTHORITY)
			c->p->done++;
	}
	c->p->of = c->p->done ? c->p->done : 1;
	if (!c->p->done)
		lack(c, "authority_interview");
}

static void visits(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "actor");

	for (size_t i = 0; i < all.n; i++)
		if (all.list[i]->territory == c->territory && progress_is_member(all.list[i]))
			count(c, all.list[i], progress_is_visited(c->net, all.list[i]));
	if (!c->p->of)
		lack(c, "members");
}

static void swot(struct counting *c)
{
	static const char *const words[] = {"", "strength", "weakness", "opportunity", "threat"};
	const struct nodes all = network_kind(c->net, "swot_entry");
	unsigned seen = 0;

	for (size_t i = 0; i < all.n; i++)
		if (all.list[i]->territory == c->territory)
			seen |= 1U << all.list[i]->body->swot_entry->quadrant;
	for (unsigned q = 1; q < sizeof words / sizeof *words; q++) {
		c->p->of++;
		c->p->done += seen >> q & 1;
		if (!(seen >> q & 1))
			lack(c, words[q]);
	}
}

static bool workshop_closed(const struct counting *c, unsigned number)
{
	const struct nodes all = network_kind(c->net, "meeting");

	for (size_t i = 0; i < all.n; i++) {
		const Seve__Meeting *m = all.list[i]->body->meeting;

		if (all.list[i]->territory == c->territory && m->number == number &&
		    m->kind == SEVE__MEETING__KIND__KIND_WORKSHOP &&
		    m->state == SEVE__MEETING__STATE__STATE_CLOSED)
			return true;
	}
	return false;
}

static const Seve__Action *action_here(const struct counting *c, const struct node *n)
{
	return n->territory == c->territory ? n->body->action : NULL;
}

static bool is_lead(const Seve__Action *a)
{
	return a->status == SEVE__ACTION__STATUS__STATUS_LEAD ||
	       a->status == SEVE__ACTION__STATUS__STATUS_PLANNED;
}

/* The plan: every lead is treated, and something is planned. */
static void ideas(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "action");
	bool planned = false;

	if (!workshop_closed(c, 1))
		lack(c, "workshop_1");
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Action *a = action_here(c, all.list[i]);

		if (!a)
			continue;
		planned |= a->status >= SEVE__ACTION__STATUS__STATUS_PLANNED &&
			   a->status <= SEVE__ACTION__STATUS__STATUS_DEFERRED;
		if (is_lead(a))
			count(c, all.list[i], a->has_treatment);
	}
	if (!planned)
		lack(c, "plan");
}

static void selection(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "action");

	if (!workshop_closed(c, 2))
		lack(c, "workshop_2");
	for (size_t i = 0; i < all.n; i++) {
		const Seve__Action *a = action_here(c, all.list[i]);

		if (!a || !a->low_hanging)
			continue;
		if (a->status == SEVE__ACTION__STATUS__STATUS_PLANNED ||
		    (a->status >= SEVE__ACTION__STATUS__STATUS_SELECTED &&
		     a->status <= SEVE__ACTION__STATUS__STATUS_SUSTAINED))
			count(c, all.list[i], a->status != SEVE__ACTION__STATUS__STATUS_PLANNED);
	}
}

static void groups(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "group");

	for (size_t i = 0; i < all.n; i++) {
		const Seve__Group *g = all.list[i]->body->group;

		if (all.list[i]->territory == c->territory &&
		    g->state != SEVE__GROUP__STATE__STATE_DISSOLVED)
			count(c, all.list[i], g->state == SEVE__GROUP__STATE__STATE_CONCLUDED);
	}
	if (!c->p->of)
		lack(c, "groups");
}

static void extension(struct counting *c)
{
	const struct nodes all = network_kind(c->net, "cohort");

	for (size_t i = 0; i < all.n; i++) {
		const Seve__Cohort *w = all.list[i]->body->cohort;

		if (all.list[i]->territory == c->territory &&
		    w->state != SEVE__COHORT__STATE__STATE_DISSOLVED)
			count(c, all.list[i], w->state == SEVE__COHORT__STATE__STATE_INTEGRATED);
	}
}

int progress_make(const struct network *net, uint32_t territory, struct arena *a,
		  struct phase out[static PHASES], struct err *e)
{
	static const struct {
		const char *name;
		void (*look)(struct counting *c);
	} phases[PHASES] = {{"recruit", recruit}, {"authorities", authorities},
			    {"visits", visits},   {"swot", swot},
			    {"ideas", ideas},     {"selection", selection},
			    {"groups", groups},   {"extension", extension}};
	int open = -1;

	for (int i = 0; i < PHASES; i++) {
		struct counting c = {net, territory, a, &out[i], 0, false};

		out[i] = (struct phase){.name = phases[i].name, .blocked_by = open};
		phases[i].look(&c);
		if (c.nomem)
			return err_set(e, ERR_NOMEM, "progress");
		/* cohort comes after cohort: the last phase has no end */
		out[i].complete = !out[i].n_missing && i < PHASES - 1;
		if (!out[i].complete && open < 0)
			open = i;
	}
	return 0;
}

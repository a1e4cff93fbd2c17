/* readiness.c -- see readiness.h. */
#include "readiness.h"

#include <stdlib.h>

const char *readiness_method(unsigned i)
{
	static const char *const words[METHODS] = {"visit",     "swot",  "workshop",
						   "selection", "group", "measurement"};

	return words[i];
}

static void add_knowhow(struct apprentice *p, const Seve__Knowhow *k)
{
	const unsigned m = (unsigned)k->method - 1;

	if (m >= METHODS || (unsigned)k->mastery >= MASTERIES)
		return;
	if ((unsigned)k->mastery > p->mastery[m]) {
		p->mastery[m] = (unsigned)k->mastery;
		p->validated[m] = false;
	}
	if ((unsigned)k->mastery == p->mastery[m])
		p->validated[m] |= k->has_validator_id;
}

static void add_meeting(struct apprentice *p, const Seve__Meeting *m)
{
	if (m->state != SEVE__MEETING__STATE__STATE_HELD &&
	    m->state != SEVE__MEETING__STATE__STATE_CLOSED)
		return;
	for (size_t i = 0; i < m->n_facilitation; i++) {
		const Seve__Facilitation *f = m->facilitation[i];

		if (f->contact_id.len != 16 ||
		    uuid_cmp((const struct uuid *)(const void *)f->contact_id.data,
			     &p->contact->id) != 0)
			continue;
		p->observed += f->role == SEVE__FACILITATION__ROLE__ROLE_OBSERVER;
		p->assisted += f->role == SEVE__FACILITATION__ROLE__ROLE_CO;
		p->led += f->role == SEVE__FACILITATION__ROLE__ROLE_LEAD;
	}
}

static bool look(const struct network *net, const struct node *contact, struct apprentice *p)
{
	const Seve__Contact *c = contact->body->contact;
	size_t n;
	const struct edge *edges = network_edges(net, contact, &n);
	bool any = false;

	*p = (struct apprentice){.contact = contact};
	p->actor = c->has_actor_id ? network_find(net, contact->territory, c->actor_id) : NULL;
	for (size_t i = 0; i < n; i++) {
		const Seve__Knowhow *k = NODE_AS(edges[i].from, Knowhow, knowhow);
		const Seve__Meeting *m = NODE_AS(edges[i].from, Meeting, meeting);
		/* somebody who led twice in one meeting led one meeting: edges of one record follow
		 * each other */
		const bool again = i && edges[i].from == edges[i - 1].from;

		if (k && edges[i].field->id == 1) /* contact_id, not validator_id */
			add_knowhow(p, k);
		else if (m && !again)
			add_meeting(p, m);
		any |= m || (k && edges[i].field->id == 1);
	}
	for (unsigned i = 0; i < METHODS; i++)
		p->methods_ready +=
			p->mastery[i] == SEVE__KNOWHOW__MASTERY__MASTERY_AUTONOMOUS ||
			(p->mastery[i] == SEVE__KNOWHOW__MASTERY__MASTERY_SUPPORTED_LEAD &&
			 p->validated[i]);
	p->ready =
		p->methods_ready == METHODS && p->observed >= 1 && p->assisted >= 2 && p->led >= 1;
	return any;
}

static int by_readiness(const void *a, const void *b)
{
	const struct apprentice *x = a, *y = b;

	if (x->ready != y->ready)
		return x->ready ? -1 : 1;
	if (x->methods_ready != y->methods_ready)
		return x->methods_ready > y->methods_ready ? -1 : 1;
	if (x->led != y->led)
		return x->led > y->led ? -1 : 1;
	return (x->contact > y->contact) - (x->contact < y->contact);
}

int readiness_make(const struct network *net, struct arena *a, struct apprentice **out, size_t *n,
		   struct coverage methods[static METHODS], struct err *e)
{
	const struct nodes all = network_kind(net, "contact");
	struct apprentice *list = arena_array(a, all.n + 1, sizeof *list);
	size_t kept = 0;

	if (!list)
		return err_set(e, ERR_NOMEM, "readiness");
	for (size_t i = 0; i < METHODS; i++)
		methods[i] = (struct coverage){{0}};
	for (size_t i = 0; i < all.n; i++) {
		if (!look(net, all.list[i], &list[kept]))
			continue;
		for (unsigned m = 0; m < METHODS; m++)
			methods[m].people[list[kept].mastery[m]]++;
		kept++;
	}
	if (kept)
		qsort(list, kept, sizeof *list, by_readiness);
	*out = list;
	*n = kept;
	return 0;
}

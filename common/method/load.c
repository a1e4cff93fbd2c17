/* load.c -- see load.h. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#include "rules/workload.h"

bool load_counts(const Seve__Position *p, struct month m)
{
	const bool open = !p->has_state || p->state == SEVE__POSITION__STATE__STATE_OPEN;

	return open && (!p->has_since_on || p->since_on <= m.last);
}

bool load_is_cold(const struct node *position, int32_t today, uint32_t stale_days)
{
	const Seve__Position *p = position->body->position;
	const Seve__Meta *meta = position->body->meta;
	int32_t last = meta && meta->has_created_at ? day_of(meta->created_at) : today;

	/* A position entered late is as old as it says. */
	if (p->has_since_on)
		last = p->since_on;
	if (p->has_reaffirmed_on && p->reaffirmed_on > last)
		last = p->reaffirmed_on;
	return today - last > (int32_t)stale_days;
}

double load_ratio(const struct load_org *o)
{
	const double hours = o->hours + o->foreign;

	if (!o->known)
		return -1;
	if (o->available <= 0)
		return hours > 0 ? 99 : 0;
	return hours / o->available;
}

static void judge(struct load_org *o)
{
	o->over = o->known && workload_over(o->hours + o->foreign, o->available);
}

/* ---- organisations ------------------------------------------------------------------------------
 */

/* An establishment that tells its SIRET only is of the organisation that its first nine digits
 * name: the same as on the server (hours_abroad). */
static const char *siren_of(const struct load_actor *a)
{
	const Seve__Actor *actor = a->actor->body->actor;

	if (actor->siren && *actor->siren)
		return actor->siren;
	return actor->siret && strlen(actor->siret) >= 9 ? actor->siret : NULL;
}

static int compare_siren(const char *a, const char *b)
{
	return strncmp(a, b, 9);
}

static int by_siren(const void *a, const void *b)
{
	const struct load_actor *x = *(struct load_actor *const *)a,
				*y = *(struct load_actor *const *)b;
	const char *s = siren_of(x), *t = siren_of(y);

	if (s && t && compare_siren(s, t) != 0)
		return compare_siren(s, t);
	if (!s != !t)
		return s ? -1 : 1;
	return (x > y) - (x < y);
}

static int make_orgs(struct load *l, struct arena *a)
{
	struct load_actor **sorted = arena_array(a, l->n + 1, sizeof(struct load_actor *));

	l->orgs = arena_array(a, l->n + 1, sizeof *l->orgs);
	if (!sorted || !l->orgs)
		return -ERR_NOMEM;
	for (size_t i = 0; i < l->n; i++)
		sorted[i] = &l->actors[i];
	if (l->n)
		qsort(sorted, l->n, sizeof *sorted, by_siren);
	for (size_t i = 0; i < l->n; i++) {
		const char *siren = siren_of(sorted[i]);
		struct load_org *last = l->n_orgs ? &l->orgs[l->n_orgs - 1] : NULL;

		if (!last || !siren || !last->siren || compare_siren(siren, last->siren) != 0) {
			last = &l->orgs[l->n_orgs++];
			last->siren = siren ? arena_strndup(a, siren, 9) : NULL;
			if (siren && !last->siren)
				return -ERR_NOMEM;
		}
		last->actors++;
		sorted[i]->org = last;
	}
	return 0;
}

/* ---- hours that there are -----------------------------------------------------------------------
 */

/* The declaration that holds in the month: the latest that has begun and has not ended. */
static const Seve__Availability *holding(const struct network *net, const struct node *actor,
					 struct month m)
{
	const Seve__Availability *best = NULL;
	size_t n;
	const struct edge *edges = network_edges(net, actor, &n);

	for (size_t i = 0; i < n; i++) {
		const Seve__Availability *v = NODE_AS(edges[i].from, Availability, availability);

		if (!v || (v->has_from_on && v->from_on > m.last) ||
		    (v->has_to_on && v->to_on < m.first))
			continue;
		if (!best || v->from_on > best->from_on)
			best = v;
	}
	return best;
}

static uint32_t barred_days(const Seve__Availability *v, struct month m)
{
	uint32_t days = 0;

	for (size_t i = 0; i < v->n_blackouts; i++) {
		const Seve__Blackout *b = v->blackouts[i];
		const int32_t from = b->from_on > m.first ? b->from_on : m.first;
		const int32_t to = b->to_on < m.last ? b->to_on : m.last;

		for (int32_t d = from; d <= to; d++)
			days |= UINT32_C(1) << (d - m.first);
	}
	return days;
}

/* An organisation that says its hours in two territories means the same hours: the largest
 * declaration counts, once; days that it bars anywhere are barred. */
struct declared {
	double hours;
	uint32_t barred;
};

static int add_available(const struct network *net, struct load *l, struct month m, struct arena *a)
{
	struct declared *of = arena_array(a, l->n_orgs + 1, sizeof *of);

	if (!of)
		return -ERR_NOMEM;
	for (size_t i = 0; i < l->n; i++) {
		const Seve__Availability *v = holding(net, l->actors[i].actor, m);
		struct declared *d = &of[l->actors[i].org - l->orgs];

		if (!v)
			continue;
		l->actors[i].org->known = true;
		d->hours = v->hours_month > d->hours ? v->hours_month : d->hours;
		d->barred |= barred_days(v, m);
	}
	for (size_t i = 0; i < l->n_orgs; i++) {
		const int days = m.last - m.first + 1;
		const int barred = __builtin_popcount(of[i].barred);

		l->orgs[i].blackout = barred > 0;
		l->orgs[i].available = of[i].hours * (days - barred) / days;
		judge(&l->orgs[i]);
	}
	return 0;
}

/* ---- hours that are promised --------------------------------------------------------------------
 */

struct load_actor *load_of(const struct load *l, const struct node *actor)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->actors[i].actor == actor)
			return &l->actors[i];
	return NULL;
}

static void add_positions(const struct network *net, struct load_actor *la, struct month m,
			  int32_t today, uint32_t stale_days, const struct load_filter *filter)
{
	size_t n;
	const struct edge *edges = network_edges(net, la->actor, &n);

	for (size_t i = 0; i < n; i++) {
		const struct node *from = edges[i].from;
		const Seve__Position *p = NODE_AS(from, Position, position);

		if (!p || !load_counts(p, m) || (filter && !filter->counts(filter->ctx, from)))
			continue;
		la->hours += workload_hours(p);
		la->positions++;
		la->cold += load_is_cold(from, today, stale_days);
	}
	la->org->hours += la->hours;
}

int load_make(const struct network *net, struct month m, int32_t today,
	      const struct load_filter *filter, struct arena *a, struct load *out, struct err *e)
{
	const struct nodes actors = network_kind(net, "actor");
	struct load l = {.n = actors.n};
	uint32_t territory = 0, stale_days = 0;

	l.actors = arena_array(a, actors.n + 1, sizeof *l.actors);
	if (!l.actors)
		return err_set(e, ERR_NOMEM, "load");
	for (size_t i = 0; i < actors.n; i++)
		l.actors[i].actor = actors.list[i];
	if (make_orgs(&l, a))
		return err_set(e, ERR_NOMEM, "load");
	for (size_t i = 0; i < l.n; i++) {
		if (l.actors[i].actor->territory != territory) {
			territory = l.actors[i].actor->territory;
			stale_days = network_policy(net, territory).stale_days;
		}
		add_positions(net, &l.actors[i], m, today, stale_days, filter);
	}
	if (add_available(net, &l, m, a))
		return err_set(e, ERR_NOMEM, "load");
	*out = l;
	return 0;
}

void load_add_foreign(struct load *l, const char *siren, double hours)
{
	size_t low = 0, high = l->n_orgs;

	/* by SIREN, those without one last */
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const char *here = l->orgs[mid].siren;
		const int rc = here ? compare_siren(here, siren) : 1;

		if (rc == 0) {
			l->orgs[mid].foreign += hours;
			judge(&l->orgs[mid]);
			return;
		}
		if (rc < 0)
			low = mid + 1;
		else
			high = mid;
	}
}

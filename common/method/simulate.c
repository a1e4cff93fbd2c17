/* simulate.c -- see simulate.h. */
#include "simulate.h"

#include <stdlib.h>
#include <string.h>

static bool open_in(const Seve__Position *p)
{
	return p && (!p->has_state || p->state == SEVE__POSITION__STATE__STATE_OPEN) &&
	       p->has_stance &&
	       (p->stance == SEVE__POSITION__STANCE__STANCE_PILOT ||
		p->stance == SEVE__POSITION__STANCE__STANCE_CONTRIBUTOR ||
		p->stance == SEVE__POSITION__STANCE__STANCE_BENEFICIARY);
}

static bool seen_before(const struct edge *edges, size_t n, const ProtobufCBinaryData *actor)
{
	for (size_t i = 0; i < n; i++) {
		const Seve__Position *p = NODE_AS(edges[i].from, Position, position);

		if (open_in(p) && p->actor_id.len == actor->len &&
		    memcmp(p->actor_id.data, actor->data, actor->len) == 0)
			return true;
	}
	return false;
}

void candidate_look(const struct network *net, const struct node *action, struct candidate *out)
{
	size_t n;
	const struct edge *edges = network_edges(net, action, &n);

	*out = (struct candidate){.action = action};
	for (size_t i = 0; i < n; i++) {
		const Seve__Position *p = NODE_AS(edges[i].from, Position, position);

		if (!open_in(p))
			continue;
		if (!seen_before(edges, i, &p->actor_id))
			out->actors++;
		if (p->stance != SEVE__POSITION__STANCE__STANCE_PILOT)
			continue;
		if (!out->pilots++)
			out->pilot = network_find(net, action->territory, p->actor_id);
	}
	out->forced = action->body->action->has_low_hanging && action->body->action->low_hanging;
	out->score = candidate_score(out);
}

double candidate_score(const struct candidate *c)
{
	const Seve__Action *a = c->action->body->action;
	const Seve__Objectives *o = a->objectives;
	double score = 2.0 * (a->has_promise ? a->promise : 3) - (a->has_effort ? a->effort : 3);

	if (o)
		score +=
			(o->competitiveness + o->attractiveness + o->people + o->environment) / 2.0;
	return score + (c->actors < 4 ? c->actors : 4) + (c->pilots ? 1 : 0);
}

static bool is_planned(const struct node *n)
{
	const Seve__Action *a = n->body->action;

	return a->has_status && a->status == SEVE__ACTION__STATUS__STATUS_PLANNED;
}

static int planned(const struct network *net, struct arena *a, struct candidate **out, size_t *n)
{
	const struct nodes actions = network_kind(net, "action");
	struct candidate *list = arena_array(a, actions.n + 1, sizeof *list);

	if (!list)
		return -ERR_NOMEM;
	*n = 0;
	for (size_t i = 0; i < actions.n; i++)
		if (is_planned(actions.list[i]))
			candidate_look(net, actions.list[i], &list[(*n)++]);
	*out = list;
	return 0;
}

static int by_score(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->forced != y->forced)
		return x->forced ? -1 : 1;
	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return (x->action > y->action) - (x->action < y->action);
}

int simulate_rank(const struct network *net, struct arena *a, struct candidate **out, size_t *n,
		  struct err *e)
{
	if (planned(net, a, out, n))
		return err_set(e, ERR_NOMEM, "ranking");
	if (*n)
		qsort(*out, *n, sizeof **out, by_score);
	return 0;
}

/* ---- the simulation -----------------------------------------------------------------------------
 */

struct choice {
	const struct network *net;
	const struct node **chosen; /* by address; NULL: none */
	size_t n;
};

static int by_address(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;

	return (x > y) - (x < y);
}

/* Work that goes on whatever is selected now, and the candidates that are chosen. */
static bool takes_hours(void *ctx, const struct node *position)
{
	const struct choice *c = ctx;
	const Seve__Position *p = position->body->position;
	const struct node *action;

	if (!p->has_action_id)
		return true;
	action = network_find(c->net, position->territory, p->action_id);
	if (!action || action->kind->number != SEVE__BODY__KIND_ACTION)
		return false;
	switch (action->body->action->status) {
	case SEVE__ACTION__STATUS__STATUS_SELECTED:
	case SEVE__ACTION__STATUS__STATUS_IN_PROGRESS:
	case SEVE__ACTION__STATUS__STATUS_IMPLEMENTED:
	case SEVE__ACTION__STATUS__STATUS_SUSTAINED:
		return true;
	case SEVE__ACTION__STATUS__STATUS_UNSPECIFIED:
	case SEVE__ACTION__STATUS__STATUS_IDEA:
	case SEVE__ACTION__STATUS__STATUS_LEAD:
	case SEVE__ACTION__STATUS__STATUS_PLANNED:
	case SEVE__ACTION__STATUS__STATUS_DEFERRED:
	case SEVE__ACTION__STATUS__STATUS_REJECTED:
	case SEVE__ACTION__STATUS__STATUS_SUSPENDED:
	case SEVE__ACTION__STATUS__STATUS_ABANDONED:
	case SEVE__ACTION__STATUS__STATUS_MERGED:
	case _SEVE__ACTION__STATUS_IS_INT_SIZE:
		break;
	}
	return c->n && bsearch(&action, c->chosen, c->n, sizeof *c->chosen, by_address);
}

static int choose(struct simulation *s, const struct node *const *chosen, size_t n, struct arena *a,
		  struct choice *c)
{
	c->chosen = arena_array(a, s->n + n + 1, sizeof *c->chosen);
	if (!c->chosen)
		return -ERR_NOMEM;
	for (size_t i = 0; i < s->n; i++) {
		struct candidate *k = &s->candidates[i];

		k->chosen = !chosen || k->forced;
		for (size_t j = 0; j < n && !k->chosen; j++)
			k->chosen = chosen[j] == k->action;
		if (k->chosen)
			c->chosen[c->n++] = k->action;
	}
	if (c->n)
		qsort(c->chosen, c->n, sizeof *c->chosen, by_address);
	return 0;
}

int simulate(const struct network *net, const struct node *const *chosen, size_t n_chosen,
	     struct month m, int32_t today, struct arena *a, struct simulation *out, struct err *e)
{
	struct simulation s = {0};
	struct choice none = {.net = net}, some = {.net = net};
	const struct load_filter now = {takes_hours, &none}, then = {takes_hours, &some};
	int rc;

	if (planned(net, a, &s.candidates, &s.n) || choose(&s, chosen, n_chosen, a, &some))
		return err_set(e, ERR_NOMEM, "simulation");
	rc = load_make(net, m, today, &now, a, &s.before, e);
	if (!rc)
		rc = load_make(net, m, today, &then, a, &s.after, e);
	if (!rc)
		*out = s;
	return rc;
}

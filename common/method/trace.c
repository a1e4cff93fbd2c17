/* trace.c -- see trace.h. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "day.h"

static const char *const words[TRACE_STAGES] = {
	"visit",    "problem",  "resource", "match",   "workshop", "idea", "action",
	"decision", "position", "group",    "meeting", "minute",   "task", "benefit"};

const char *trace_word(enum trace_stage s)
{
	return words[s];
}

struct telling {
	const struct network *net;
	struct trace_event *list;
	size_t n, room;
	bool *told; /* by index of the node */
	struct arena *arena;
	bool nomem;
};

static int64_t date_of(const struct node *n)
{
	const Seve__Interview *i = NODE_AS(n, Interview, interview);
	const Seve__Meeting *m = NODE_AS(n, Meeting, meeting);
	const Seve__Benefit *b = NODE_AS(n, Benefit, benefit);
	const Seve__Position *p = NODE_AS(n, Position, position);

	if (i && i->has_held_on)
		return (int64_t)i->held_on * DAY_MS;
	if (m && m->has_start_at)
		return m->start_at;
	if (b && b->has_from_on)
		return (int64_t)b->from_on * DAY_MS;
	if (p && p->has_since_on)
		return (int64_t)p->since_on * DAY_MS;
	return n->body->meta && n->body->meta->has_created_at ? n->body->meta->created_at : 0;
}

/* Whether it is new to the story. */
static bool tell(struct telling *t, enum trace_stage stage, const struct node *n,
		 const struct node *via)
{
	if (!n || t->told[n - t->net->nodes])
		return false;
	if (t->n == t->room) {
		const size_t room = t->room ? 2 * t->room : 64;
		struct trace_event *list = arena_array(t->arena, room, sizeof *list);

		t->nomem |= !list;
		if (!list)
			return false;
		if (t->n)
			memcpy(list, t->list, t->n * sizeof *list);
		t->list = list;
		t->room = room;
	}
	t->told[n - t->net->nodes] = true;
	t->list[t->n++] = (struct trace_event){stage, date_of(n), n, via};
	return true;
}

static const struct node *at(const struct telling *t, const struct node *from, bool has,
			     ProtobufCBinaryData id)
{
	return has ? network_find(t->net, from->territory, id) : NULL;
}

/* ---- what came before ---------------------------------------------------------------------------
 */

static void tell_visit(struct telling *t, const struct node *n, bool has, ProtobufCBinaryData id)
{
	tell(t, TRACE_VISIT, at(t, n, has, id), n);
}

static void tell_problem(struct telling *t, const struct node *n, const struct node *via)
{
	const Seve__Problem *p = NODE_AS(n, Problem, problem);

	if (p && tell(t, TRACE_PROBLEM, n, via))
		tell_visit(t, n, p->has_interview_id, p->interview_id);
}

static void tell_resource(struct telling *t, const struct node *n, const struct node *via)
{
	const Seve__Resource *r = NODE_AS(n, Resource, resource);

	if (!r || !tell(t, TRACE_RESOURCE, n, via))
		return;
	tell_visit(t, n, r->has_interview_id, r->interview_id);
	tell_problem(t, at(t, n, r->has_problem_id, r->problem_id), n);
}

static void tell_idea(struct telling *t, const struct node *n, const struct node *via)
{
	const Seve__Idea *i = NODE_AS(n, Idea, idea);

	if (i && tell(t, TRACE_IDEA, n, via))
		tell(t, TRACE_WORKSHOP, at(t, n, i->has_meeting_id, i->meeting_id), n);
}

static void tell_match(struct telling *t, const struct node *n, const struct node *via)
{
	const Seve__Match *m = NODE_AS(n, Match, match);

	if (!m || !tell(t, TRACE_MATCH, n, via))
		return;
	tell_resource(t, at(t, n, m->has_need_id, m->need_id), n);
	tell_resource(t, at(t, n, m->has_capacity_id, m->capacity_id), n);
}

static void tell_source(struct telling *t, const struct node *n, const struct node *via)
{
	if (!n)
		return;
	tell_resource(t, n, via);
	tell_problem(t, n, via);
	tell_idea(t, n, via);
	tell_match(t, n, via);
	if (NODE_AS(n, Interview, interview))
		tell(t, TRACE_VISIT, n, via);
	if (NODE_AS(n, Meeting, meeting))
		tell(t, TRACE_WORKSHOP, n, via);
}

/* ---- what came after ----------------------------------------------------------------------------
 */

static void tell_group(struct telling *t, const struct node *n, const struct node *via)
{
	size_t n_edges;
	const struct edge *edges = network_edges(t->net, n, &n_edges);

	if (!tell(t, TRACE_GROUP, n, via))
		return;
	for (size_t i = 0; i < n_edges; i++)
		if (NODE_AS(edges[i].from, Meeting, meeting))
			tell(t, TRACE_MEETING, edges[i].from, n);
}

static void tell_later(struct telling *t, const struct node *n, const struct node *via)
{
	static const struct {
		const ProtobufCMessageDescriptor *desc;
		enum trace_stage stage;
	} plain[] = {{&seve__decision__descriptor, TRACE_DECISION},
		     {&seve__position__descriptor, TRACE_POSITION},
		     {&seve__minute__descriptor, TRACE_MINUTE},
		     {&seve__task__descriptor, TRACE_TASK},
		     {&seve__benefit__descriptor, TRACE_BENEFIT}};
	const Seve__Decision *d = NODE_AS(n, Decision, decision);

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (n->kind->desc == plain[i].desc)
			tell(t, plain[i].stage, n, via);
	if (d)
		tell(t, TRACE_WORKSHOP, at(t, n, d->has_meeting_id, d->meeting_id), n);
	if (NODE_AS(n, Group, group))
		tell_group(t, n, via);
	tell_idea(t, n, via);
	tell_match(t, n, via);
}

/* The action, what it came from, what came of it, and the leads that were merged into it.  A lead
 * is told once, so a ring of mergers ends. */
static void tell_action(struct telling *t, const struct node *n, const struct node *via)
{
	const Seve__Action *a = NODE_AS(n, Action, action);
	size_t n_edges;
	const struct edge *edges;

	if (!a || !tell(t, TRACE_ACTION, n, via))
		return;
	for (size_t i = 0; i < a->n_source_ids; i++)
		tell_source(t, at(t, n, true, a->source_ids[i]), n);
	edges = network_edges(t->net, n, &n_edges);
	for (size_t i = 0; i < n_edges; i++)
		if (!NODE_AS(edges[i].from, Action, action))
			tell_later(t, edges[i].from, n);
}

/* Survivors are followed for as many steps as there are records: a ring ends too. */
const struct node *trace_survivor(const struct network *net, const struct node *action)
{
	for (size_t i = 0; i < net->n; i++) {
		const Seve__Action *a = NODE_AS(action, Action, action);
		const struct node *next =
			a && a->has_merged_into_id
				? network_find(net, action->territory, a->merged_into_id)
				: NULL;

		if (!NODE_AS(next, Action, action))
			break;
		action = next;
	}
	return action;
}

/* Leads whose survivor this is, found by going back along merged_into_id and source_ids, level by
 * level: the events of the list are the queue. */
static void tell_merged(struct telling *t)
{
	for (size_t k = 0; k < t->n; k++) {
		const struct node *n = t->list[k].node;
		const Seve__Action *a = NODE_AS(n, Action, action);
		size_t n_edges;
		const struct edge *edges = a ? network_edges(t->net, n, &n_edges) : NULL;

		for (size_t i = 0; a && i < a->n_source_ids; i++)
			tell_action(t, at(t, n, true, a->source_ids[i]), n);
		for (size_t i = 0; a && i < n_edges; i++)
			if (strcmp(edges[i].field->name, "merged_into_id") == 0)
				tell_action(t, edges[i].from, n);
	}
}

static int by_stage(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	if (x->stage != y->stage)
		return x->stage < y->stage ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

int trace_make(const struct network *net, const struct node *action, struct arena *a,
	       struct trace_event **out, size_t *n, struct err *e)
{
	struct telling t = {.net = net, .arena = a};

	t.told = arena_array(a, net->n + 1, sizeof *t.told);
	if (!t.told)
		return err_set(e, ERR_NOMEM, "trace");
	tell_action(&t, trace_survivor(net, action), NULL);
	tell_merged(&t);
	if (t.nomem)
		return err_set(e, ERR_NOMEM, "trace");
	if (t.n)
		qsort(t.list, t.n, sizeof *t.list, by_stage);
	*out = t.list;
	*n = t.n;
	return 0;
}

/* stalled.c -- see stalled.h. */
#include "stalled.h"

#include <stdlib.h>
#include <string.h>

#include "day.h"

enum since { STATE, CHANGE };

static const struct row {
	const char *kind, *state;
	enum since since;
	uint32_t times;
} rows[] = {
#define STALL(kind, state, since, times) {#kind, #state, since, times},
#include "stalls.def"
#undef STALL
};

static const struct row *row_of(const struct node *n)
{
	char state[48];

	node_state(n, state);
	for (size_t i = 0; *state && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].kind, n->kind->name) == 0 && strcmp(rows[i].state, state) == 0)
			return &rows[i];
	return NULL;
}

/* The day by which something should have happened, while it has not.  False: there is none. */
static bool due_on(const struct node *n, int32_t *day)
{
	const Seve__Action *a = NODE_AS(n, Action, action);
	const Seve__Task *t = NODE_AS(n, Task, task);
	const Seve__Meeting *m = NODE_AS(n, Meeting, meeting);
	const Seve__Interview *i = NODE_AS(n, Interview, interview);

	if (a && a->has_next_step_due_on && a->status < SEVE__ACTION__STATUS__STATUS_IMPLEMENTED)
		return *day = a->next_step_due_on, true;
	if (t && t->has_due_on && t->state <= SEVE__TASK__STATE__STATE_DOING)
		return *day = t->due_on, true;
	if (m && m->has_start_at && m->state == SEVE__MEETING__STATE__STATE_PLANNED)
		return *day = day_of(m->start_at), true;
	if (i && i->has_held_on && i->state == SEVE__INTERVIEW__STATE__STATE_PLANNED)
		return *day = i->held_on, true;
	return false;
}

bool stalled_look(const struct node *n, int64_t now_ms, uint32_t stale_days, struct stall *out)
{
	const struct row *row = row_of(n);
	const Seve__Meta *meta = n->body->meta;
	int64_t since = 0;
	int32_t due;

	*out = (struct stall){.node = n, .exact = true};
	if (row && row->since == CHANGE)
		since = meta && meta->has_updated_at ? meta->updated_at : 0;
	else if (row)
		since = node_state_at(n, &out->exact);
	if (since && since < now_ms)
		out->age_days = (int32_t)((now_ms - since) / DAY_MS);
	if (row && since) {
		out->limit_days = (int32_t)(row->times * stale_days);
		out->old = out->age_days > out->limit_days;
	}
	if (due_on(n, &due) && day_of(now_ms) > due)
		out->overdue_days = day_of(now_ms) - due;
	return row || out->overdue_days;
}

static int32_t late(const struct stall *s)
{
	const int32_t past = s->old ? s->age_days - s->limit_days : 0;

	return past > s->overdue_days ? past : s->overdue_days;
}

static int by_delay(const void *a, const void *b)
{
	const struct stall *x = a, *y = b;

	if (late(x) != late(y))
		return late(x) > late(y) ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

int stalled_make(const struct network *net, int64_t now_ms, struct arena *a, struct stall **out,
		 size_t *n, struct err *e)
{
	struct stall *list = arena_array(a, net->n + 1, sizeof *list);
	uint32_t territory = 0, stale_days = 0;
	size_t kept = 0;

	if (!list)
		return err_set(e, ERR_NOMEM, "stalled records");
	for (size_t i = 0; i < net->n; i++) {
		if (net->nodes[i].territory != territory) {
			territory = net->nodes[i].territory;
			stale_days = network_policy(net, territory).stale_days;
		}
		if (stalled_look(&net->nodes[i], now_ms, stale_days, &list[kept]))
			kept += list[kept].old || list[kept].overdue_days;
	}
	if (kept)
		qsort(list, kept, sizeof *list, by_delay);
	*out = list;
	*n = kept;
	return 0;
}

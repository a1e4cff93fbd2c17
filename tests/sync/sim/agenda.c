/* agenda.c -- see agenda.h.  Few things are planned at a time: a list will do. */
#include "agenda.h"

bool agenda_add(struct agenda *a, uint64_t in_ms, agenda_call call, unsigned who,
		unsigned generation)
{
	if (a->n == AGENDA_MAX)
		return false;
	a->items[a->n++] =
		(struct agenda_item){a->now_ms + in_ms, a->serial++, call, who, generation};
	return true;
}

static bool before(const struct agenda_item *x, const struct agenda_item *y)
{
	return x->at_ms != y->at_ms ? x->at_ms < y->at_ms : x->serial < y->serial;
}

bool agenda_next(struct agenda *a, struct agenda_item *out)
{
	unsigned first = 0;

	if (!a->n)
		return false;
	for (unsigned i = 1; i < a->n; i++)
		if (before(&a->items[i], &a->items[first]))
			first = i;
	*out = a->items[first];
	a->items[first] = a->items[--a->n];
	a->now_ms = out->at_ms;
	return true;
}

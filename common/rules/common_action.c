/* common_action.c -- H4: an action goes on only as an action of several actors, with one pilot.
 * Knows no storage: the positions on the action are handed in. */
#include <string.h>

#include "rules/rule.h"

enum { ACTORS_LEAST = 2, ACTORS_COUNTED = 64 };

static bool is_in_progress(const ProtobufCMessage *m)
{
	const Seve__Action *a = (const Seve__Action *)m;
	return a && a->has_status && a->status == SEVE__ACTION__STATUS__STATUS_IN_PROGRESS;
}

bool rule_h4_common_action_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return is_in_progress(after) && !is_in_progress(before);
}

/* Distinct actors; past the room counting stops, as two and one are all that is asked. */
struct actors {
	const ProtobufCBinaryData *list[ACTORS_COUNTED];
	size_t n;
};

static void actors_add(struct actors *a, const ProtobufCBinaryData *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i]->len == id->len && !memcmp(a->list[i]->data, id->data, id->len))
			return;
	if (a->n < ACTORS_COUNTED)
		a->list[a->n++] = id;
}

static bool takes_part(const Seve__Position *p)
{
	bool open = !p->has_state || p->state == SEVE__POSITION__STATE__STATE_OPEN;
	return open && p->has_actor_id && p->actor_id.len > 0 && p->has_stance &&
	       (p->stance == SEVE__POSITION__STANCE__STANCE_PILOT ||
		p->stance == SEVE__POSITION__STANCE__STANCE_CONTRIBUTOR ||
		p->stance == SEVE__POSITION__STANCE__STANCE_BENEFICIARY);
}

static void tell(struct problems *out, size_t actors, size_t pilots)
{
	if (actors < ACTORS_LEAST)
		problem_add(out, false, "action.status", "H4",
			    "an action in progress is a common one: %zu of %d actors positioned as "
			    "pilot, contributor or beneficiary: add %zu more",
			    actors, ACTORS_LEAST, ACTORS_LEAST - actors);
	if (pilots == 0)
		problem_add(out, false, "action.status", "H4",
			    "an action in progress has no pilot: position one actor as pilot");
	else if (pilots > 1)
		problem_add(out, false, "action.status", "H4",
			    "an action in progress has %zu pilots: keep one, close the others' "
			    "positions",
			    pilots);
}

void rule_h4_common_action(const struct facts *f, struct problems *out)
{
	if (!rule_h4_common_action_concerns(f->before, f->after))
		return;
	struct actors all = {.n = 0}, pilots = {.n = 0};
	const Seve__Position *p;
	for (size_t i = 0; (p = rule_next(f, &seve__position__descriptor, &i));) {
		if (!takes_part(p))
			continue;
		actors_add(&all, &p->actor_id);
		if (p->stance == SEVE__POSITION__STANCE__STANCE_PILOT)
			actors_add(&pilots, &p->actor_id);
	}
	if (all.n < ACTORS_LEAST || pilots.n != 1)
		tell(out, all.n, pilots.n);
}

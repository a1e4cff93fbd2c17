/* groups.c -- S1 and S2: how often a group meets, and what a group is for.
 * Knows no storage: meetings and actions are handed in. */
#include "rules/rule.h"

static uint32_t round_of_group(const Seve__Group *g)
{
	return g && g->has_round && g->round ? g->round : 1;
}

static uint32_t round_of_meeting(const Seve__Meeting *m)
{
	return m->has_round && m->round ? m->round : 1;
}

static bool concluded(const ProtobufCMessage *m)
{
	const Seve__Group *g = (const Seve__Group *)m;

	return g && g->has_state && g->state == SEVE__GROUP__STATE__STATE_CONCLUDED;
}

static bool held(const Seve__Meeting *m)
{
	return m->has_state && (m->state == SEVE__MEETING__STATE__STATE_HELD ||
				m->state == SEVE__MEETING__STATE__STATE_CLOSED);
}

/* ---- S1: concluding ---- */

bool rule_s1_concluding_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return concluded(after) && !concluded(before);
}

/* Meetings of the group that were held in the round. */
static size_t held_of(const struct facts *f, const ProtobufCBinaryData *group, uint32_t round)
{
	const Seve__Meeting *m;
	size_t n = 0;

	for (size_t i = 0; (m = rule_next(f, &seve__meeting__descriptor, &i));)
		n += m->has_group_id && rule_same_id(&m->group_id, group) &&
		     round_of_meeting(m) == round && held(m);
	return n;
}

void rule_s1_concluding(const struct facts *f, struct problems *out)
{
	const Seve__Group *g = (const Seve__Group *)f->after;
	const ProtobufCBinaryData self = {16, (uint8_t *)(uintptr_t)f->id.b};
	uint32_t least = rule_policy(f).group_meetings_min;
	const size_t n = held_of(f, &self, round_of_group(g));

	if (n >= least)
		return;
	if (rule_waived(f))
		problem_add(out, true, "group.state", "S1",
			    "the group has held %zu of at least %u meetings in round %u (cancelled "
			    "ones do not count)",
			    n, least, round_of_group(g));
	else
		problem_add(out, false, "group.state", "S1",
			    "the group has held %zu of at least %u meetings in round %u (cancelled "
			    "ones do not count): hold them, or give a reason",
			    n, least, round_of_group(g));
}

/* ---- S1: a meeting that a conclusion rests upon ---- */

bool rule_s1_unheld_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	const Seve__Meeting *was = (const Seve__Meeting *)before;

	(void)after;
	return was && was->has_group_id && held(was);
}

void rule_s1_unheld(const struct facts *f, struct problems *out)
{
	const Seve__Meeting *was = (const Seve__Meeting *)f->before;
	const struct fact *group = rule_find(f, &seve__group__descriptor, &was->group_id);
	const ProtobufCMessage *g = group ? kind_message(group->body) : NULL;
	const uint32_t least = rule_policy(f).group_meetings_min, round = round_of_meeting(was);
	const size_t n = held_of(f, &was->group_id, round);

	if (!concluded(g) || round_of_group((const Seve__Group *)g) != round || n >= least)
		return;
	if (rule_waived(f))
		problem_add(out, true, "meeting.group_id", "S1",
			    "the concluded group is left with %zu of at least %u held meetings in "
			    "round %u",
			    n, least, round);
	else
		problem_add(out, false, "meeting.group_id", "S1",
			    "the concluded group would be left with %zu of at least %u held "
			    "meetings in round %u: keep this one, or give a reason",
			    n, least, round);
}

/* ---- a concluded group goes on in a new round ---- */

bool rule_group_round_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return concluded(before) && !concluded(after);
}

void rule_group_round(const struct facts *f, struct problems *out)
{
	const Seve__Group *was = (const Seve__Group *)f->before;
	const Seve__Group *g = (const Seve__Group *)f->after;

	if (g->has_state && g->state == SEVE__GROUP__STATE__STATE_ACTIVE &&
	    round_of_group(g) <= round_of_group(was))
		problem_add(out, false, "group.round", "ROUND",
			    "a concluded group goes on in a new round, with a new budget of "
			    "meetings: round %u, not %u",
			    round_of_group(was) + 1, round_of_group(g));
}

/* ---- S1: the budget ---- */

/* A meeting of a group that is held or is to be. */
static bool counts(const Seve__Meeting *m)
{
	return m && m->has_group_id && m->group_id.len && m->has_state &&
	       m->state != SEVE__MEETING__STATE__STATE_CANCELLED;
}

bool rule_s1_budget_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	const Seve__Meeting *was = (const Seve__Meeting *)before;
	const Seve__Meeting *m = (const Seve__Meeting *)after;

	if (!before)
		return true;
	return counts(m) && !(counts(was) && rule_same_id(&was->group_id, &m->group_id) &&
			      round_of_meeting(was) == round_of_meeting(m));
}

void rule_s1_budget(const struct facts *f, struct problems *out)
{
	const Seve__Meeting *self = (const Seve__Meeting *)f->after, *m;
	uint32_t most = rule_policy(f).group_meetings_max;
	size_t n = 0;

	if (!counts(self))
		return;
	for (size_t i = 0; (m = rule_next(f, &seve__meeting__descriptor, &i));)
		n += counts(m) && rule_same_id(&m->group_id, &self->group_id) &&
		     round_of_meeting(m) == round_of_meeting(self);
	if (n <= most)
		return;
	if (rule_waived(f))
		problem_add(out, true, "meeting.group_id", "S1",
			    "this is meeting %zu of the group in round %u, of at most %u", n,
			    round_of_meeting(self), most);
	else
		problem_add(out, false, "meeting.group_id", "S1",
			    "this is meeting %zu of the group in round %u, of at most %u: conclude "
			    "the group, or give a reason",
			    n, round_of_meeting(self), most);
}

/* ---- S2 ---- */

bool rule_s2_light_action_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	const Seve__Group *g = (const Seve__Group *)after;

	(void)before;
	return g->n_action_ids > 0;
}

static bool names_action(const Seve__Group *g, const ProtobufCBinaryData *id)
{
	for (size_t i = 0; g && i < g->n_action_ids; i++)
		if (rule_same_id(&g->action_ids[i], id))
			return true;
	return false;
}

static bool is_light(const Seve__Action *a)
{
	return a->has_horizon && a->horizon == SEVE__ACTION__HORIZON__HORIZON_SHORT &&
	       a->has_scope && a->scope == SEVE__ACTION__SCOPE__SCOPE_SMALL;
}

void rule_s2_light_action(const struct facts *f, struct problems *out)
{
	const Seve__Group *g = (const Seve__Group *)f->after;
	struct rule_names names = {.n = 0};

	for (size_t i = 0; i < g->n_action_ids; i++) {
		const struct fact *a = rule_find(f, &seve__action__descriptor, &g->action_ids[i]);

		if (a && is_light((const Seve__Action *)kind_message(a->body)) &&
		    !names_action((const Seve__Group *)f->before, &g->action_ids[i]))
			rule_name(&names, a->body);
	}
	if (names.n && rule_waived(f))
		problem_add(out, true, "group.action_ids", "S2",
			    "groups are mainly for medium-term or large actions; short and small: "
			    "%s",
			    rule_names_end(&names));
	else if (names.n)
		problem_add(out, false, "group.action_ids", "S2",
			    "groups are mainly for medium-term or large actions; short and small: "
			    "%s: do without a group, or give a reason",
			    rule_names_end(&names));
}

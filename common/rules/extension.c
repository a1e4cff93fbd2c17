/* extension.c -- H7: the extension opens once the pioneers' dynamic has started.
 * Knows no storage: actions and meetings are handed in. */
#include "rules/rule.h"

enum { PHASE_EXTENSION = 7 };

static bool extends(const ProtobufCMessage *m)
{
	const Seve__Territory *t = (const Seve__Territory *)m;

	return t && t->has_phase && t->phase >= PHASE_EXTENSION;
}

bool rule_h7_phase_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return extends(after) && !extends(before);
}

static bool under_way(const Seve__Action *a)
{
	return a->has_status && (a->status == SEVE__ACTION__STATUS__STATUS_IN_PROGRESS ||
				 a->status == SEVE__ACTION__STATUS__STATUS_IMPLEMENTED ||
				 a->status == SEVE__ACTION__STATUS__STATUS_SUSTAINED);
}

static bool held(const Seve__Meeting *m)
{
	return m->has_group_id && m->group_id.len && m->has_state &&
	       (m->state == SEVE__MEETING__STATE__STATE_HELD ||
		m->state == SEVE__MEETING__STATE__STATE_CLOSED);
}

static void started(const struct facts *f, const char *field, struct problems *out)
{
	const Seve__Meeting *m;
	const Seve__Action *a;
	size_t actions = 0, meetings = 0;

	for (size_t i = 0; (a = rule_next(f, &seve__action__descriptor, &i));)
		actions += under_way(a);
	for (size_t i = 0; (m = rule_next(f, &seve__meeting__descriptor, &i));)
		meetings += held(m);
	if (!actions)
		problem_add(out, false, field, "H7",
			    "the extension opens when the dynamic has started: 0 of 1 actions in "
			    "progress or beyond: bring one there first");
	if (!meetings)
		problem_add(out, false, field, "H7",
			    "the extension opens when the dynamic has started: 0 of 1 groups with "
			    "a meeting held: hold one first");
}

void rule_h7_phase(const struct facts *f, struct problems *out)
{
	started(f, "territory.phase", out);
}

bool rule_h7_cohort_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return rule_h2_threshold_concerns(before, after);
}

void rule_h7_cohort(const struct facts *f, struct problems *out)
{
	started(f, "cohort.state", out);
}

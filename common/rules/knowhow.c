/* knowhow.c -- H6: mastery rises step by step, each shown in a meeting and seen by somebody who can
 * tell. Knows no storage: the meeting, the validator and what the validator masters are handed in.
 */
#include <string.h>

#include "rules/rule.h"

#define MASTERY(word) SEVE__KNOWHOW__MASTERY__MASTERY_##word
#define ROLE_OF(word) SEVE__FACILITATION__ROLE__ROLE_##word

static int mastery(const ProtobufCMessage *m)
{
	const Seve__Knowhow *k = (const Seve__Knowhow *)m;

	return k && k->has_mastery ? (int)k->mastery : 0;
}

bool rule_h6_ladder_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return mastery(after) > mastery(before) && mastery(after) > MASTERY(AWARE);
}

/* Whether the role that somebody held shows this step: who leads also does what a co-facilitator
 * does, and both see what an observer sees. */
static bool shows(int step, Seve__Facilitation__Role role)
{
	if (role == ROLE_OF(LEAD))
		return true;
	if (role == ROLE_OF(CO))
		return step <= MASTERY(SUPPORTED_LEAD);
	return role == ROLE_OF(OBSERVER) && step <= MASTERY(OBSERVER);
}

static const char *roles_for(int step)
{
	if (step <= MASTERY(OBSERVER))
		return "observer, co, lead";
	return step <= MASTERY(SUPPORTED_LEAD) ? "co, lead" : "lead";
}

static void check_meeting(const struct facts *f, const Seve__Knowhow *k, struct problems *out)
{
	const Seve__Knowhow *was = (const Seve__Knowhow *)f->before;
	const struct fact *fact = rule_find(f, &seve__meeting__descriptor, &k->meeting_id);
	const Seve__Meeting *m = fact ? (const Seve__Meeting *)kind_message(fact->body) : NULL;

	if (!m || !m->has_state ||
	    (m->state != SEVE__MEETING__STATE__STATE_HELD &&
	     m->state != SEVE__MEETING__STATE__STATE_CLOSED)) {
		problem_add(out, false, "knowhow.meeting_id", "H6",
			    "mastery rises with a meeting that was held: name it");
		return;
	}
	if (was && was->has_meeting_id && rule_same_id(&was->meeting_id, &k->meeting_id)) {
		problem_add(out, false, "knowhow.meeting_id", "H6",
			    "the meeting served for the step before: each step has its own");
		return;
	}
	for (size_t i = 0; i < m->n_facilitation; i++)
		if (rule_same_id(&m->facilitation[i]->contact_id, &k->contact_id) &&
		    shows((int)k->mastery, m->facilitation[i]->role))
			return;
	problem_add(out, false, "knowhow.meeting_id", "H6",
		    "in this meeting the person held no role that shows it: wanted in its "
		    "facilitation: %s",
		    roles_for((int)k->mastery));
}

/* Whoever does not belong to the network looks from outside. */
static bool is_external(const struct facts *f, const Seve__Contact *c)
{
	const struct fact *fact = rule_find(f, &seve__actor__descriptor, &c->actor_id);
	const Seve__Actor *a = fact ? (const Seve__Actor *)kind_message(fact->body) : NULL;

	return a && a->has_state && a->state != SEVE__ACTOR__STATE__STATE_MEMBER &&
	       a->state != SEVE__ACTOR__STATE__STATE_DORMANT;
}

static bool is_autonomous(const struct facts *f, const Seve__Knowhow *of)
{
	const Seve__Knowhow *k;

	for (size_t i = 0; (k = rule_next(f, &seve__knowhow__descriptor, &i));)
		if (rule_same_id(&k->contact_id, &of->validator_id) && k->method == of->method &&
		    mastery(&k->base) == MASTERY(AUTONOMOUS))
			return true;
	return false;
}

static void check_validator(const struct facts *f, const Seve__Knowhow *k, struct problems *out)
{
	const struct fact *fact = rule_find(f, &seve__contact__descriptor, &k->validator_id);

	if (!k->has_validator_id || !fact) {
		problem_add(out, false, "knowhow.validator_id", "H6",
			    "mastery rises with somebody who says so: name the validator");
		return;
	}
	if (!rule_same_id(&k->validator_id, &k->contact_id) &&
	    (is_autonomous(f, k) ||
	     is_external(f, (const Seve__Contact *)kind_message(fact->body))))
		return;
	problem_add(out, false, "knowhow.validator_id", "H6",
		    "the validator is somebody else who is autonomous in this, or who does not "
		    "belong to the network: name another one");
}

void rule_h6_ladder(const struct facts *f, struct problems *out)
{
	const Seve__Knowhow *k = (const Seve__Knowhow *)f->after;
	int from = mastery(f->before), to = mastery(f->after);
	bool backfilled = !f->before && rule_waived(f);

	if (from < MASTERY(AWARE))
		from = MASTERY(AWARE);
	if (to > from + 1 && !backfilled)
		problem_add(out, false, "knowhow.mastery", "H6",
			    "mastery rises one step at a time, not %d; a reason lets the past be "
			    "entered",
			    to - from);
	check_meeting(f, k, out);
	check_validator(f, k, out);
}

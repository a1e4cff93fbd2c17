/* cohort.c -- H2 and H3: newcomers come in waves, and each is met on their own.
 * Knows no storage: candidates and interviews are handed in. */
#include "rules/rule.h"

enum { COHORT_LEAST = 2, PHASE_EXTENSION = 7 };

/* ---- H2 ---- */

static bool has_begun(const ProtobufCMessage *m)
{
	const Seve__Cohort *c = (const Seve__Cohort *)m;

	if (!c || !c->has_state)
		return false;
	return c->state != SEVE__COHORT__STATE__STATE_GATHERING &&
	       c->state != SEVE__COHORT__STATE__STATE_DISSOLVED;
}

bool rule_h2_threshold_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return has_begun(after) && !has_begun(before);
}

/* Those who wait for it, and those of a past wave who have come in. */
static bool counts(const Seve__Actor *a)
{
	if (!a->has_state)
		return false;
	switch (a->state) {
	case SEVE__ACTOR__STATE__STATE_CANDIDATE:
	case SEVE__ACTOR__STATE__STATE_WAITING:
	case SEVE__ACTOR__STATE__STATE_MEMBER:
	case SEVE__ACTOR__STATE__STATE_DORMANT:
		return true;
	case SEVE__ACTOR__STATE__STATE_UNSPECIFIED:
	case SEVE__ACTOR__STATE__STATE_PROSPECT:
	case SEVE__ACTOR__STATE__STATE_APPROACHED:
	case SEVE__ACTOR__STATE__STATE_LEFT:
	case SEVE__ACTOR__STATE__STATE_DECLINED:
	case _SEVE__ACTOR__STATE_IS_INT_SIZE:
		break;
	}
	return false;
}

void rule_h2_threshold(const struct facts *f, struct problems *out)
{
	const Seve__Cohort *c = (const Seve__Cohort *)f->after;
	uint32_t threshold = c->has_threshold ? c->threshold : rule_policy(f).cohort_threshold;
	const ProtobufCBinaryData self = {16, (uint8_t *)(uintptr_t)f->id.b};
	const Seve__Actor *a;
	size_t n = 0;

	if (threshold < COHORT_LEAST)
		threshold = COHORT_LEAST;
	for (size_t i = 0; (a = rule_next(f, &seve__actor__descriptor, &i));)
		n += a->has_cohort_id && rule_same_id(&a->cohort_id, &self) && counts(a);
	if (n < threshold)
		problem_add(out, false, "cohort.state", "H2",
			    "a wave of newcomers is triggered by several: %zu of %u candidates: "
			    "wait until %zu more have joined it",
			    n, threshold, threshold - n);
}

/* ---- H3 ---- */

static bool belongs(const ProtobufCMessage *m)
{
	const Seve__Actor *a = (const Seve__Actor *)m;

	return a && a->has_state &&
	       (a->state == SEVE__ACTOR__STATE__STATE_MEMBER ||
		a->state == SEVE__ACTOR__STATE__STATE_DORMANT);
}

bool rule_h3_newcomer_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return belongs(after) && !belongs(before);
}

/* Whoever joins by a wave, and everybody once the extension is open. */
static bool is_newcomer(const struct facts *f, const Seve__Actor *a)
{
	size_t at = 0;
	const Seve__Territory *t = rule_next(f, &seve__territory__descriptor, &at);

	return (a->has_cohort_id && a->cohort_id.len) || (a->has_wave && a->wave > 0) ||
	       (t && t->has_phase && t->phase >= PHASE_EXTENSION);
}

static bool meets_newcomer(const Seve__Interview *v)
{
	return v && v->has_kind && v->kind == SEVE__INTERVIEW__KIND__KIND_NEWCOMER &&
	       v->has_actor_id && v->has_state &&
	       (v->state == SEVE__INTERVIEW__STATE__STATE_DONE ||
		v->state == SEVE__INTERVIEW__STATE__STATE_APPROVED);
}

static bool is_met(const struct facts *f, const ProtobufCBinaryData *actor)
{
	const Seve__Interview *v;

	for (size_t i = 0; (v = rule_next(f, &seve__interview__descriptor, &i));)
		if (meets_newcomer(v) && rule_same_id(&v->actor_id, actor))
			return true;
	return false;
}

void rule_h3_newcomer(const struct facts *f, struct problems *out)
{
	const Seve__Actor *a = (const Seve__Actor *)f->after;
	const ProtobufCBinaryData self = {16, (uint8_t *)(uintptr_t)f->id.b};

	if (!is_newcomer(f, a) || (!f->imported && rule_waived(f)) || is_met(f, &self))
		return;
	problem_add(out, false, "actor.state", "H3",
		    "a newcomer becomes a member after an interview of kind newcomer that is done: "
		    "0 of 1: hold it, or give the reason for doing without");
}

/* ---- H3: the interview that somebody became a member by ---- */

bool rule_h3_unmet_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	(void)after;
	return meets_newcomer((const Seve__Interview *)before);
}

void rule_h3_unmet(const struct facts *f, struct problems *out)
{
	const Seve__Interview *was = (const Seve__Interview *)f->before;
	const struct fact *actor = rule_find(f, &seve__actor__descriptor, &was->actor_id);
	const ProtobufCMessage *a = actor ? kind_message(actor->body) : NULL;
	struct rule_names names = {.n = 0};

	if (!belongs(a) || !is_newcomer(f, (const Seve__Actor *)a) ||
	    (!f->imported && rule_waived(f)) || is_met(f, &was->actor_id))
		return;
	rule_name(&names, actor->body);
	problem_add(out, false, "interview.actor_id", "H3",
		    "%s became a member by this interview, and has no other: keep it, or give the "
		    "reason for doing without",
		    rule_names_end(&names));
}

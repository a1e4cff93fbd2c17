/* visits.c -- S3: each member is visited before the visits are over.
 * Knows no storage: members and interviews are handed in. */
#include "rules/rule.h"

enum { PHASE_VISITS = 2 };

static uint32_t phase(const ProtobufCMessage *m)
{
	const Seve__Territory *t = (const Seve__Territory *)m;

	return t && t->has_phase ? t->phase : 0;
}

bool rule_s3_visits_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return phase(after) > PHASE_VISITS && phase(before) <= PHASE_VISITS;
}

/* A newcomer's interview is a visit too. */
static bool is_visit(const Seve__Interview *v)
{
	return v->has_kind &&
	       (v->kind == SEVE__INTERVIEW__KIND__KIND_SITE_VISIT ||
		v->kind == SEVE__INTERVIEW__KIND__KIND_NEWCOMER) &&
	       v->has_state &&
	       (v->state == SEVE__INTERVIEW__STATE__STATE_DONE ||
		v->state == SEVE__INTERVIEW__STATE__STATE_APPROVED);
}

static bool visited(const struct facts *f, const struct fact *actor)
{
	const ProtobufCBinaryData id = {16, (uint8_t *)(uintptr_t)actor->id.b};
	const Seve__Interview *v;

	for (size_t i = 0; (v = rule_next(f, &seve__interview__descriptor, &i));)
		if (is_visit(v) && rule_same_id(&v->actor_id, &id))
			return true;
	return false;
}

void rule_s3_visits(const struct facts *f, struct problems *out)
{
	struct rule_names names = {.n = 0};
	const Seve__Actor *a;
	size_t members = 0;

	for (size_t i = 0; (a = rule_next(f, &seve__actor__descriptor, &i));) {
		if (!a->has_state || a->state != SEVE__ACTOR__STATE__STATE_MEMBER)
			continue;
		members++;
		if (!visited(f, &f->list[i - 1]))
			rule_name(&names, f->list[i - 1].body);
	}
	if (names.n && rule_waived(f))
		problem_add(out, true, "territory.phase", "S3",
			    "phase 2 ends when each member has been visited: %zu of %zu have not "
			    "(%s)",
			    names.n, members, rule_names_end(&names));
	else if (names.n)
		problem_add(out, false, "territory.phase", "S3",
			    "phase 2 ends when each member has been visited: %zu of %zu have not "
			    "(%s): visit them, or give a reason",
			    names.n, members, rule_names_end(&names));
}

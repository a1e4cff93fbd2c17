/* dispersion.c -- S4: nobody gives more hours than they have.  The number of actions is nobody's
 * business.
 * Knows no storage: positions, availabilities and the hours given elsewhere are handed in. */
#include "rules/rule.h"
#include "rules/workload.h"

enum { AVAILABILITIES = 64, DAY_MS = 86400000 };

bool rule_s4_load_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	/* what is taken away (hours, an end) may matter too: the rule itself looks */
	(void)before;
	(void)after;
	return true;
}

/* What this change asks of the actor more than before. */
static bool asks_more(const struct facts *f, const Seve__Position *p)
{
	const Seve__Position *was = (const Seve__Position *)f->before;
	double before = was && rule_same_id(&was->actor_id, &p->actor_id) ? workload_hours(was) : 0;

	return workload_hours(p) > before;
}

static double hours_given(const struct facts *f, const ProtobufCBinaryData *actor)
{
	const Seve__Position *p;
	double sum = 0;

	for (size_t i = 0; (p = rule_next(f, &seve__position__descriptor, &i));)
		if (rule_same_id(&p->actor_id, actor))
			sum += workload_hours(p);
	return sum;
}

static size_t availabilities(const struct facts *f, const ProtobufCBinaryData *actor,
			     const Seve__Availability *list[AVAILABILITIES])
{
	const Seve__Availability *a;
	size_t n = 0;

	for (size_t i = 0; (a = rule_next(f, &seve__availability__descriptor, &i));)
		if (n < AVAILABILITIES && rule_same_id(&a->actor_id, actor))
			list[n++] = a;
	return n;
}

static void tell(const struct facts *f, const Seve__Position *p, double hours, double available,
		 struct workload_month month, struct problems *out)
{
	const struct fact *actor = rule_find(f, &seve__actor__descriptor, &p->actor_id);
	struct rule_names names = {.n = 0};
	char when[16];

	if (actor)
		rule_name(&names, actor->body);
	workload_month_text(month, when);
	if (rule_policy(f).load_mode == SEVE__POLICY__LOAD_MODE__LOAD_REFUSE)
		problem_add(out, false, "position.hours_month", "S4",
			    "%s would give %.1f of %.1f hours in %s (%.1f of them in other "
			    "territories), which this territory refuses: lower the hours, or "
			    "close another position",
			    rule_names_end(&names), hours, available, when, f->abroad_hours);
	else if (rule_waived(f))
		problem_add(out, true, "position.hours_month", "S4",
			    "%s would give %.1f of %.1f hours in %s (%.1f of them in other "
			    "territories)",
			    rule_names_end(&names), hours, available, when, f->abroad_hours);
	else
		problem_add(out, false, "position.hours_month", "S4",
			    "%s would give %.1f of %.1f hours in %s (%.1f of them in other "
			    "territories): lower the hours, close another position, or give a "
			    "reason",
			    rule_names_end(&names), hours, available, when, f->abroad_hours);
}

void rule_s4_load(const struct facts *f, struct problems *out)
{
	const Seve__Position *p = (const Seve__Position *)f->after;
	const Seve__Availability *list[AVAILABILITIES];
	int32_t today = (int32_t)(f->now_ms / DAY_MS);
	struct workload_month month =
		workload_month(p->has_since_on && p->since_on > today ? p->since_on : today);
	double available = 0, hours;

	if (!asks_more(f, p) ||
	    !workload_available(list, availabilities(f, &p->actor_id, list), month, &available))
		return;
	hours = hours_given(f, &p->actor_id) + f->abroad_hours;
	if (workload_over(hours, available))
		tell(f, p, hours, available, month, out);
}

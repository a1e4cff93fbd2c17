/* selection.c -- H1 and H5: the two workshops, and the low-hanging fruit that is selected in any
 * case. Knows no storage: the actions are handed in. */
#include <string.h>

#include "rules/rule.h"

static bool status_is(const Seve__Action *a, Seve__Action__Status status)
{
	return a && a->has_status && a->status == status;
}

static bool planned(const Seve__Action *a)
{
	return status_is(a, SEVE__ACTION__STATUS__STATUS_PLANNED);
}

static bool low_hanging(const Seve__Action *a)
{
	return a && a->has_low_hanging && a->low_hanging;
}

static bool closed(const ProtobufCMessage *m)
{
	const Seve__Meeting *meeting = (const Seve__Meeting *)m;

	return meeting && meeting->has_state &&
	       meeting->state == SEVE__MEETING__STATE__STATE_CLOSED;
}

/* Workshop 1 gathers ideas and makes the plan, workshop 2 selects. */
static bool is_workshop(const ProtobufCMessage *m, uint32_t number)
{
	const Seve__Meeting *meeting = (const Seve__Meeting *)m;

	return meeting->has_kind && meeting->kind == SEVE__MEETING__KIND__KIND_WORKSHOP &&
	       meeting->has_number && meeting->number == number;
}

/* ---- H1: closing workshop 2 ---- */

bool rule_h1_closing_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return closed(after) && !closed(before);
}

void rule_h1_closing(const struct facts *f, struct problems *out)
{
	struct rule_names names = {.n = 0};
	const Seve__Action *a;

	if (!is_workshop(f->after, 2))
		return;
	for (size_t i = 0; (a = rule_next(f, &seve__action__descriptor, &i));)
		if (planned(a) && low_hanging(a))
			rule_name(&names, f->list[i - 1].body);
	if (names.n)
		problem_add(out, false, "meeting.state", "H1",
			    "workshop 2 cannot close: %zu planned low-hanging actions are not "
			    "selected (%s): select them, they always are",
			    names.n, rule_names_end(&names));
}

/* ---- H1: what may not happen to such an action ---- */

bool rule_h1_low_hanging_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return low_hanging((const Seve__Action *)before) ||
	       low_hanging((const Seve__Action *)after);
}

static bool put_off(const Seve__Action *a)
{
	return status_is(a, SEVE__ACTION__STATUS__STATUS_DEFERRED) ||
	       status_is(a, SEVE__ACTION__STATUS__STATUS_REJECTED);
}

/* Selection is still before it. */
static bool not_yet_selected(const Seve__Action *a)
{
	return !a->has_status || put_off(a) || planned(a) ||
	       status_is(a, SEVE__ACTION__STATUS__STATUS_IDEA) ||
	       status_is(a, SEVE__ACTION__STATUS__STATUS_LEAD);
}

static void flag_taken_off(const struct facts *f, struct problems *out)
{
	const Seve__Action *before = (const Seve__Action *)f->before;

	if (f->imported)
		problem_add(out, false, "action.low_hanging", "H1",
			    "an import never says that an action is low-hanging no more: somebody "
			    "of the network does, with a reason");
	else if (!not_yet_selected(before))
		problem_add(out, false, "action.low_hanging", "H1",
			    "the action was selected as low-hanging: that stays so");
	else if (!rule_waived(f))
		problem_add(out, false, "action.low_hanging", "H1",
			    "low-hanging is taken back only with a reason: give one");
}

void rule_h1_low_hanging(const struct facts *f, struct problems *out)
{
	const Seve__Action *before = (const Seve__Action *)f->before;
	const Seve__Action *after = (const Seve__Action *)f->after;

	if (put_off(after) && !put_off(before))
		problem_add(out, false, "action.status", "H1",
			    "a low-hanging action is neither deferred nor rejected: select it, or "
			    "first take low-hanging back, with a reason");
	if (low_hanging(before) && !low_hanging(after))
		flag_taken_off(f, out);
}

/* ---- H1: its deletion would be a rejection by another name ---- */

bool rule_h1_deleted_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	(void)after;
	return low_hanging((const Seve__Action *)before);
}

void rule_h1_deleted(const struct facts *f, struct problems *out)
{
	const Seve__Action *was = (const Seve__Action *)f->before;

	if (status_is(was, SEVE__ACTION__STATUS__STATUS_MERGED) ||
	    status_is(was, SEVE__ACTION__STATUS__STATUS_ABANDONED))
		return;
	if (not_yet_selected(was))
		problem_add(out, false, "action.low_hanging", "H1",
			    "a low-hanging action is not deleted: select it, or first take "
			    "low-hanging back, with a reason");
	else
		problem_add(out, false, "action.low_hanging", "H1",
			    "a low-hanging action is not deleted: merge it into another one, or "
			    "abandon it with its cause");
}

/* ---- H1, H5: decisions ---- */

bool rule_h1_decision_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	(void)after;
	return !before;
}

void rule_h1_decision(const struct facts *f, struct problems *out)
{
	const Seve__Decision *d = (const Seve__Decision *)f->after;
	const struct fact *action = rule_find(f, &seve__action__descriptor, &d->action_id);

	if (!action || d->outcome == SEVE__DECISION__OUTCOME__OUTCOME_SELECTED)
		return;
	if (low_hanging((const Seve__Action *)kind_message(action->body)) ||
	    (action->before && low_hanging((const Seve__Action *)kind_message(action->before))))
		problem_add(out, false, "decision.outcome", "H1",
			    "a low-hanging action is neither deferred nor rejected: select it, or "
			    "first take low-hanging back, with a reason");
}

bool rule_h5_planned_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return rule_h1_decision_concerns(before, after);
}

static const char *status_word(const struct fact *action, char word[48])
{
	const Seve__Action *a = action && action->before
					? (const Seve__Action *)kind_message(action->before)
					: NULL;

	if (!a || !a->has_status)
		return "new";
	field_enum_word(&seve__action__status__descriptor, (int)a->status, word);
	return word;
}

void rule_h5_planned(const struct facts *f, struct problems *out)
{
	const Seve__Decision *d = (const Seve__Decision *)f->after;
	const struct fact *action = rule_find(f, &seve__action__descriptor, &d->action_id);
	const struct fact *meeting = rule_find(f, &seve__meeting__descriptor, &d->meeting_id);
	char word[48];

	if (!action || !action->before ||
	    !planned((const Seve__Action *)kind_message(action->before)))
		problem_add(out, false, "decision.action_id", "H5",
			    "only a planned action is decided on, this one is %s: plan it first",
			    status_word(action, word));
	if (meeting && closed(kind_message(meeting->body)) && meeting->before &&
	    closed(kind_message(meeting->before)))
		problem_add(out, false, "decision.meeting_id", "H5",
			    "the workshop is closed: decide in another one");
}

/* ---- H5: closing workshop 1 ---- */

bool rule_h5_treatment_concerns(const ProtobufCMessage *before, const ProtobufCMessage *after)
{
	return closed(after) && !closed(before);
}

void rule_h5_treatment(const struct facts *f, struct problems *out)
{
	struct rule_names names = {.n = 0};
	const Seve__Action *a;

	if (!is_workshop(f->after, 1))
		return;
	for (size_t i = 0; (a = rule_next(f, &seve__action__descriptor, &i));)
		if ((planned(a) || status_is(a, SEVE__ACTION__STATUS__STATUS_LEAD)) &&
		    (!a->has_treatment ||
		     a->treatment == SEVE__ACTION__TREATMENT__TREATMENT_UNSPECIFIED))
			rule_name(&names, f->list[i - 1].body);
	if (names.n)
		problem_add(out, false, "meeting.state", "H5",
			    "workshop 1 cannot close: %zu leads have no treatment (%s): say "
			    "to_implement, to_document or to_elaborate of each",
			    names.n, rule_names_end(&names));
}

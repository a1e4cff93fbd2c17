/* workload.c -- see workload.h. */
#include "rules/workload.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* 1..31 */
static int32_t day_of_month(int32_t day)
{
	char text[16];

	text_from_date(day, text);
	return (int32_t)strtol(text + strlen(text) - 2, NULL, 10);
}

struct workload_month workload_month(int32_t day)
{
	struct workload_month m = {.first = day - day_of_month(day) + 1};

	/* 31 days on it is the 1st to the 4th of the next month */
	m.last = m.first + 31 - day_of_month(m.first + 31);
	return m;
}

void workload_month_text(struct workload_month m, char out[static 16])
{
	text_from_date(m.first, out);
	out[strlen(out) - 3] = '\0';
}

double workload_hours(const Seve__Position *p)
{
	if (p->has_state && p->state != SEVE__POSITION__STATE__STATE_OPEN)
		return 0;
	if (p->has_hours_month)
		return p->hours_month;
	if (!p->has_stance)
		return 0;
	switch (p->stance) {
	case SEVE__POSITION__STANCE__STANCE_PILOT:
		return 8;
	case SEVE__POSITION__STANCE__STANCE_CONTRIBUTOR:
		return 4;
	case SEVE__POSITION__STANCE__STANCE_BENEFICIARY:
		return 1;
	case SEVE__POSITION__STANCE__STANCE_UNSPECIFIED:
	case SEVE__POSITION__STANCE__STANCE_INTERESTED:
	case SEVE__POSITION__STANCE__STANCE_OBSERVER:
	case SEVE__POSITION__STANCE__STANCE_DECLINED:
	case _SEVE__POSITION__STANCE_IS_INT_SIZE:
		break;
	}
	return 0;
}

static bool covers(const Seve__Availability *a, struct workload_month m)
{
	return a->has_from_on && a->from_on <= m.last && (!a->has_to_on || a->to_on >= m.first);
}

static bool blacked_out(const Seve__Availability *a, int32_t day)
{
	for (size_t i = 0; i < a->n_blackouts; i++)
		if (a->blackouts[i]->has_from_on && a->blackouts[i]->has_to_on &&
		    day >= a->blackouts[i]->from_on && day <= a->blackouts[i]->to_on)
			return true;
	return false;
}

bool workload_available(const Seve__Availability *const *list, size_t n, struct workload_month m,
			double *hours)
{
	const Seve__Availability *latest = NULL;
	int32_t good = 0;

	for (size_t i = 0; i < n; i++)
		if (covers(list[i], m) && (!latest || list[i]->from_on > latest->from_on))
			latest = list[i];
	if (!latest)
		return false;
	for (int32_t day = m.first; day <= m.last; day++)
		good += !blacked_out(latest, day);
	*hours = latest->hours_month * good / (m.last - m.first + 1);
	return true;
}

bool workload_over(double hours, double available)
{
	return hours > available + 1e-6;
}

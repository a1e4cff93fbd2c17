/* ics_repeat.c -- when a repeated event takes place: its rules and dates, less what EXDATE takes
 * away and what other events of the file tell.  Bounded, because rules of a few bytes can go on for
 * centuries. */
#include <stdlib.h>

#include "i18n.h"
#include "import/ics.h"
#include "import/icsset.h"
#include "import/icstime.h"

enum {
	TIMES_FILE_MAX = 200000, /* occurrences of all events: a small file makes no endless one */
	/* Days that rules go through to get there, whether or not something takes place on them:
	 * of one event, and of all of them. */
	STEPS_MAX = 400000,
	STEPS_FILE_MAX = 100000000,
	STEPS_NEVER = 203000, /* up to the year in which libical gives a rule up */
	DAY = 24 * 60 * 60,
};

int ics_find_moved(struct ics *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct icaltimetype when;
		struct err why = {0};
		if (ics_has(s->events[i], ICAL_RECURRENCEID_PROPERTY) &&
		    icstime_get(s->events[i], ICAL_RECURRENCEID_PROPERTY, &when, &why) &&
		    icsset_add(&s->moved, ics_uid(s->events[i]), icstime_seconds(when)) < 0)
			return err_set(e, ERR_NOMEM, _("reading the file"));
	}
	return 0;
}

/* The event's properties of one kind, NULL behind them.  A copy: libical goes through a component
 * with one finger, which any other question about it moves. */
static icalproperty **all_of(struct ics *s, icalcomponent *c, icalproperty_kind kind)
{
	size_t n = 0;
	for (icalproperty *p = icalcomponent_get_first_property(c, kind); p;
	     p = icalcomponent_get_next_property(c, kind))
		n++;
	icalproperty **all = arena_array(&s->arena, n + 1, sizeof(icalproperty *)), **to = all;
	for (icalproperty *p = icalcomponent_get_first_property(c, kind); all && p;
	     p = icalcomponent_get_next_property(c, kind))
		*to++ = p;
	if (!all)
		err_set(&s->why, ERR_NOMEM, _("reading the file"));
	return all;
}

/* What EXDATE takes away: a time, or, of an event at a time, a whole day. */
static int find_excluded(struct ics *s, icalcomponent *c, bool is_date)
{
	icalproperty **p = all_of(s, c, ICAL_EXDATE_PROPERTY);
	int rc = p ? 0 : -ERR_NOMEM;
	icsset_free(&s->excluded);
	for (; rc == 0 && *p; p++) {
		const struct icaltimetype t = icalproperty_get_datetime_with_component(*p, c);
		const time_t when = icstime_seconds(t);
		rc = icsset_add(&s->excluded, "", when);
		if (rc == 0 && t.is_date && !is_date)
			rc = icsset_add(&s->excluded, "day", when / DAY);
	}
	return rc ? err_set(&s->why, ERR_NOMEM, _("reading the file")) : 0;
}

static bool is_excluded(const struct ics *s, time_t at)
{
	return icsset_has(s->excluded, "", at) || icsset_has(s->excluded, "day", at / DAY);
}

/* How much work a rule makes is not to be seen by what it brings. */
static int go_on(struct ics *s, int64_t steps)
{
	s->steps += steps;
	s->steps_file += steps;
	if (s->steps <= STEPS_MAX && s->steps_file <= STEPS_FILE_MAX)
		return 0;
	return err_set(&s->why, ERR_INVALID, _("its repetition goes too far to be followed"));
}

static int too_often(struct ics *s)
{
	return err_set(&s->why, ERR_INVALID, _("it repeats more often than %d times in the window"),
		       ICS_TIMES_MAX);
}

/* An occurrence that is inside the window and told by nobody else, once. */
static int add_time(struct ics *s, icalcomponent *c, time_t at)
{
	if (at < s->from || at > s->until || is_excluded(s, at) ||
	    icsset_has(s->moved, ics_uid(c), at))
		return 0;
	for (size_t i = 0; i < s->n_times; i++)
		if (s->times[i] == at)
			return 0;
	if (s->n_times == ICS_TIMES_MAX)
		return too_often(s);
	if (s->times_file == TIMES_FILE_MAX)
		return err_set(&s->why, ERR_INVALID,
			       _("its repetition goes too far to be followed"));
	s->times_file++;
	s->times[s->n_times++] = at;
	return 0;
}

/* Of a rule for parts of a day with conditions libical tries second by second, up to centuries on,
 * and cannot be stopped. */
static bool is_endless(const struct icalrecurrencetype *rule)
{
	return (rule->freq == ICAL_SECONDLY_RECURRENCE || rule->freq == ICAL_MINUTELY_RECURRENCE ||
		rule->freq == ICAL_HOURLY_RECURRENCE) &&
	       (rule->by_second[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_day[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_month_day[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_year_day[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_week_no[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_month[0] != ICAL_RECURRENCE_ARRAY_MAX ||
		rule->by_set_pos[0] != ICAL_RECURRENCE_ARRAY_MAX);
}

static int by_rule(struct ics *s, icalcomponent *c, icalproperty *p, struct icaltimetype start)
{
	struct icalrecurrencetype rule = icalproperty_get_rrule(p);
	if (is_endless(&rule))
		return err_set(&s->why, ERR_INVALID,
			       _("it repeats within a day under conditions: no meeting does"));
	icalrecur_iterator *it = icalrecur_iterator_new(rule, start);
	struct icaltimetype next;
	time_t last = icstime_seconds(start);
	int rc = 0;
	bool ever = false;
	if (!it) {
		go_on(s, STEPS_NEVER);
		return err_set(&s->why, ERR_INVALID,
			       _("the rule of its repetition makes no sense"));
	}
	while (rc == 0 && (next = icalrecur_iterator_next(it), !icaltime_is_null_time(next))) {
		next.zone = start.zone;
		const time_t at = icstime_seconds(next);
		ever = true;
		if (at > s->until)
			break;
		rc = go_on(s, 1 + (at > last ? (at - last) / DAY : 0));
		last = at;
		if (rc == 0)
			rc = add_time(s, c, at);
	}
	icalrecur_iterator_free(it);
	return rc == 0 && !ever ? go_on(s, STEPS_NEVER) : rc;
}

static int by_dates(struct ics *s, icalcomponent *c)
{
	icalproperty **p = all_of(s, c, ICAL_RDATE_PROPERTY);
	int rc = p ? 0 : -ERR_NOMEM;
	for (; rc == 0 && *p; p++) {
		struct icaldatetimeperiodtype when = icalproperty_get_rdate(*p);
		struct icaltimetype t =
			icaltime_is_null_time(when.time) ? when.period.start : when.time;
		if (icaltime_is_null_time(t))
			continue;
		if (!t.zone && !icaltime_is_utc(t))
			t.zone = icalproperty_get_datetime_with_component(*p, c).zone;
		rc = add_time(s, c, icstime_seconds(t));
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const time_t x = *(const time_t *)a, y = *(const time_t *)b;
	return (x > y) - (x < y);
}

int ics_expand(struct ics *s, icalcomponent *c, struct icaltimetype start)
{
	s->n_times = s->next_time = 0;
	s->steps = 0;
	int rc = s->steps_file > STEPS_FILE_MAX ? go_on(s, 0)
						: find_excluded(s, c, start.is_date != 0);
	icalproperty **rules = all_of(s, c, ICAL_RRULE_PROPERTY);
	if (!rules)
		rc = -ERR_NOMEM;
	if (rc == 0 && !*rules)
		rc = add_time(s, c, icstime_seconds(start));
	for (; rc == 0 && *rules; rules++)
		rc = by_rule(s, c, *rules, start);
	if (rc == 0)
		rc = by_dates(s, c);
	qsort(s->times, s->n_times, sizeof *s->times, by_time);
	return rc;
}

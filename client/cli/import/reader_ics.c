/* reader_ics.c -- the events of an iCalendar file (RFC 5545, by libical) as rows.
 *
 * Columns: key, uid, recurrence_id, summary, description, location, start, end, all_day, state,
 * cause, status, url, sequence, categories, and x_seve_* of our own feeds.  A repeated event is
 * told once for each time it takes place inside the window; its key is UID/time, the time being the
 * one that the rule gives, so that it stays the same when the occurrence is moved.  Dates without a
 * time are dates; a time without a zone is one of this machine's. */
#include <errno.h>
#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "arena.h"
#include "clock.h"
#include "i18n.h"
#include "import/icslines.h"
#include "import/icsset.h"
#include "import/jsoncells.h"
#include "import/reader.h"
#include "text.h"

enum {
	FILE_MAX = 32 * 1024 * 1024,
	ARENA_MAX = 16 * 1024 * 1024,
	TIMES_MAX = 4000,         /* occurrences of one event inside the window */
	TIMES_FILE_MAX = 200000, /* and of all events: a small file makes no endless one */
	/* Days that rules go through to get there, whether or not something takes place on them:
	 * of one event, and of all of them. */
	STEPS_MAX = 400000,
	STEPS_FILE_MAX = 100000000,
	STEPS_NEVER = 203000, /* up to the year in which libical gives a rule up */
	DAY = 24 * 60 * 60,
	DAYS_BACK = 365,
	DAYS_ON = 2 * 365,
};

struct ics {
	struct arena arena; /* of one row */
	char *text;
	icalcomponent *root;
	struct icslines lines; /* where the events begin */
	icalcomponent **events;
	size_t n, at;
	uint32_t *event_lines;
	time_t from, until;
	time_t times[TIMES_MAX]; /* occurrences of events[at] still to be told */
	size_t n_times, next_time;
	bool expanded;
	struct icsset *moved;    /* occurrences that another event of the file tells */
	struct icsset *excluded; /* of events[at]: occurrences, and days, that do not take place */
	int64_t steps, steps_file, times_file;
	struct err why;
};

static bool ics_detect(const char *head, size_t n)
{
	return n >= 15 && strncasecmp(head, "BEGIN:VCALENDAR", 15) == 0;
}

/* ---- the file ---- */

static int read_whole(struct ics *s, FILE *file, size_t *len, struct err *e)
{
	size_t n = 0, room = 64 * 1024, got;
	s->text = malloc(room + 1);
	while (s->text && (got = fread(s->text + n, 1, room - n, file)) > 0) {
		n += got;
		if (n > FILE_MAX)
			return err_set(e, ERR_TOO_BIG, _("a calendar of more than %d bytes"),
				       FILE_MAX);
		if (n < room)
			continue;
		room *= 2;
		char *more = realloc(s->text, room + 1);
		if (!more)
			free(s->text);
		s->text = more;
	}
	if (!s->text)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	if (ferror(file))
		return err_set(e, ERR_IO, _("reading the file: %s"), strerror(errno));
	s->text[n] = '\0';
	*len = n;
	return 0;
}

/* Events that stand in a calendar, in the order of the file. */
static int collect(struct ics *s, icalcomponent *c, unsigned depth, struct err *e)
{
	for (icalcomponent *in = icalcomponent_get_first_component(c, ICAL_ANY_COMPONENT); in;
	     in = icalcomponent_get_next_component(c, ICAL_ANY_COMPONENT)) {
		const icalcomponent_kind kind = icalcomponent_isa(in);
		if (kind == ICAL_VCALENDAR_COMPONENT && depth == 0) {
			const int rc = collect(s, in, 1, e);
			if (rc < 0)
				return rc;
		}
		if (kind != ICAL_VEVENT_COMPONENT)
			continue;
		if (s->n == s->lines.n)
			return err_set(e, ERR_INVALID, _("the events cannot be told apart"));
		s->events[s->n++] = in;
	}
	return 0;
}

static time_t day(int32_t given, int64_t now_days, int32_t usual)
{
	return (time_t)(given ? given : now_days + usual) * 24 * 60 * 60;
}

static int parse(struct ics *s, struct err *e)
{
	s->root = icalparser_parse_string(s->text);
	if (!s->root)
		return err_set(e, ERR_INVALID, _("this is no iCalendar file"));
	s->events = calloc(s->lines.n + 1, sizeof(icalcomponent *));
	if (!s->events)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	const bool one = icalcomponent_isa(s->root) == ICAL_VCALENDAR_COMPONENT;
	return collect(s, s->root, one ? 1 : 0, e);
}

static int find_moved(struct ics *s, struct err *e);

static int ics_open(struct reader *r, struct err *e)
{
	static const char *const columns[] = {"key",         "uid",      "recurrence_id", "summary",
					      "description", "location", "start",         "end",
					      "all_day",     "state",    "cause",         "status",
					      "url",         "sequence", "categories"};
	struct ics *s = calloc(1, sizeof *s);
	size_t len = 0;
	if (!s)
		return err_set(e, ERR_NOMEM, _("reading the file"));
	r->state = s;
	arena_init(&s->arena, ARENA_MAX);
	icalerror_set_errors_are_fatal(0);
	const int64_t today = clock_wall_ms() / (24 * 60 * 60 * 1000);
	s->from = day(r->o.from_on, today, -DAYS_BACK);
	s->until = day(r->o.until_on, today, DAYS_ON);
	int rc = read_whole(s, r->file, &len, e);
	if (rc == 0)
		rc = icslines_check(s->text, len, &s->lines, e);
	if (rc == 0)
		rc = parse(s, e);
	if (rc == 0)
		rc = find_moved(s, e);
	for (size_t i = 0; rc == 0 && i < sizeof columns / sizeof *columns; i++)
		rc = reader_column(r, columns[i], e) < 0 ? -(int)e->code : 0;
	return rc;
}

static void ics_close(struct reader *r)
{
	struct ics *s = r->state;
	if (!s)
		return;
	if (s->root)
		icalcomponent_free(s->root);
	icslines_fini(&s->lines);
	icsset_free(&s->moved);
	icsset_free(&s->excluded);
	free(s->events);
	free(s->text);
	arena_fini(&s->arena);
	free(s);
}

/* ---- times ---- */

static bool is_known_zone(icalproperty *p, icalcomponent *c, struct icaltimetype t)
{
	(void)c;
	return t.is_date || icaltime_is_utc(t) || t.zone ||
	       !icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
}

/* A time without a zone is one of this machine's. */
static time_t to_time(struct icaltimetype t)
{
	struct tm tm = {.tm_year = t.year - 1900,
			.tm_mon = t.month - 1,
			.tm_mday = t.day,
			.tm_hour = t.hour,
			.tm_min = t.minute,
			.tm_sec = t.second,
			.tm_isdst = -1};
	if (t.is_date || icaltime_is_utc(t) || t.zone)
		return icaltime_as_timet_with_zone(t, t.zone);
	return mktime(&tm);
}

static void time_text(time_t at, bool is_date, char out[static 32])
{
	if (is_date)
		text_from_date((int32_t)(at / (24 * 60 * 60)), out);
	else
		text_from_instant((int64_t)at * 1000, out);
}

/* 20261123T183000Z, or 20261123. */
static void stamp(time_t at, bool is_date, char out[static 32])
{
	char text[32];
	size_t n = 0;
	time_text(at, is_date, text);
	for (const char *p = text; *p; p++)
		if (*p != '-' && *p != ':')
			out[n++] = *p;
	out[n] = '\0';
}

static bool get_time(icalcomponent *c, icalproperty_kind kind, struct icaltimetype *out,
		     struct err *why)
{
	icalproperty *p = icalcomponent_get_first_property(c, kind);
	if (!p)
		return false;
	*out = icalproperty_get_datetime_with_component(p, c);
	if (icaltime_is_null_time(*out) || out->year < 1 || out->year > 9999) {
		err_set(why, ERR_INVALID, _("%s is no date"), icalproperty_kind_to_string(kind));
		return false;
	}
	if (!is_known_zone(p, c, *out)) {
		icalparameter *zone = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
		err_set(why, ERR_INVALID, _("the time zone \"%.80s\" is not known"),
			icalparameter_get_tzid(zone));
		return false;
	}
	return true;
}

/* ---- repetition ---- */

static bool has(icalcomponent *c, icalproperty_kind kind)
{
	return icalcomponent_get_first_property(c, kind) != NULL;
}

static const char *uid_of(icalcomponent *c)
{
	const char *uid = icalcomponent_get_uid(c);
	return uid ? uid : "";
}

/* Occurrences that events of their own tell. */
static int find_moved(struct ics *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		struct icaltimetype when;
		struct err why = {0};
		if (has(s->events[i], ICAL_RECURRENCEID_PROPERTY) &&
		    get_time(s->events[i], ICAL_RECURRENCEID_PROPERTY, &when, &why) &&
		    icsset_add(&s->moved, uid_of(s->events[i]), to_time(when)) < 0)
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
		const time_t when = to_time(t);
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
		       TIMES_MAX);
}

/* An occurrence that is inside the window and told by nobody else, once. */
static int add_time(struct ics *s, icalcomponent *c, time_t at)
{
	if (at < s->from || at > s->until || is_excluded(s, at) ||
	    icsset_has(s->moved, uid_of(c), at))
		return 0;
	for (size_t i = 0; i < s->n_times; i++)
		if (s->times[i] == at)
			return 0;
	if (s->n_times == TIMES_MAX)
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
	time_t last = to_time(start);
	int rc = 0;
	bool ever = false;
	if (!it) {
		go_on(s, STEPS_NEVER);
		return err_set(&s->why, ERR_INVALID,
			       _("the rule of its repetition makes no sense"));
	}
	while (rc == 0 && (next = icalrecur_iterator_next(it), !icaltime_is_null_time(next))) {
		next.zone = start.zone;
		const time_t at = to_time(next);
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
		rc = add_time(s, c, to_time(t));
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const time_t x = *(const time_t *)a, y = *(const time_t *)b;
	return (x > y) - (x < y);
}

static int expand(struct ics *s, icalcomponent *c, struct icaltimetype start)
{
	s->n_times = s->next_time = 0;
	s->steps = 0;
	int rc = s->steps_file > STEPS_FILE_MAX ? go_on(s, 0)
						: find_excluded(s, c, start.is_date != 0);
	icalproperty **rules = all_of(s, c, ICAL_RRULE_PROPERTY);
	if (!rules)
		rc = -ERR_NOMEM;
	if (rc == 0 && !*rules)
		rc = add_time(s, c, to_time(start));
	for (; rc == 0 && *rules; rules++)
		rc = by_rule(s, c, *rules, start);
	if (rc == 0)
		rc = by_dates(s, c);
	qsort(s->times, s->n_times, sizeof *s->times, by_time);
	return rc;
}

/* ---- rows ---- */

struct telling {
	struct reader *r;
	struct ics *s;
	struct reader_row *out;
	struct err *e;
	int rc;
};

static void cell(struct telling *t, const char *name, const char *text)
{
	if (t->rc < 0 || !text)
		return;
	char *copy = arena_strdup(&t->s->arena, text);
	if (!copy) {
		t->rc = err_set(t->e, ERR_NOMEM, _("reading the file"));
		return;
	}
	t->out->replaced += reader_clean(copy);
	t->rc = jsoncells_set(t->r, &t->s->arena, name, copy, t->e);
}

static void categories(struct telling *t, icalcomponent *c)
{
	char *all = NULL;
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_CATEGORIES_PROPERTY); p;
	     p = icalcomponent_get_next_property(c, ICAL_CATEGORIES_PROPERTY)) {
		const char *one = icalproperty_get_categories(p);
		if (one)
			all = arena_printf(&t->s->arena, "%s%s%s", all ? all : "", all ? "|" : "",
					   one);
	}
	cell(t, "categories", all);
}

/* X-SEVE-REV of our own feeds is the column x_seve_rev. */
static void own_properties(struct telling *t, icalcomponent *c)
{
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_X_PROPERTY); p;
	     p = icalcomponent_get_next_property(c, ICAL_X_PROPERTY)) {
		const char *x = icalproperty_get_x_name(p);
		char name[40];
		size_t n = 0;
		if (!x || strncmp(x, "X-SEVE-", 7) != 0 || strlen(x) >= sizeof name)
			continue;
		for (; x[n]; n++)
			name[n] = x[n] == '-' ? '_' : (char)(x[n] | 32);
		name[n] = '\0';
		cell(t, name, icalproperty_get_x(p));
	}
}

/* What some calendars only write into the title counts too. */
static bool is_cancelled(const struct ics *s, icalcomponent *c)
{
	const char *summary = icalcomponent_get_summary(c);
	(void)s;
	icalcomponent *calendar = icalcomponent_get_parent(c);
	if (icalcomponent_get_status(c) == ICAL_STATUS_CANCELLED)
		return true;
	if (calendar && icalcomponent_get_method(calendar) == ICAL_METHOD_CANCEL)
		return true;
	return summary && (strcasestr(summary, "(cancelled)") ||
			   strcasestr(summary, "(canceled)") || strcasestr(summary, "(annul"));
}

static void texts(struct telling *t, icalcomponent *c)
{
	icalproperty *url = icalcomponent_get_first_property(c, ICAL_URL_PROPERTY);
	icalproperty *status = icalcomponent_get_first_property(c, ICAL_STATUS_PROPERTY);
	const bool cancelled = is_cancelled(t->s, c);
	char number[16];
	snprintf(number, sizeof number, "%d", icalcomponent_get_sequence(c));
	cell(t, "uid", uid_of(c));
	cell(t, "summary", icalcomponent_get_summary(c));
	cell(t, "description", icalcomponent_get_description(c));
	cell(t, "location", icalcomponent_get_location(c));
	cell(t, "url", url ? icalproperty_get_url(url) : NULL);
	cell(t, "status", status ? icalproperty_get_value_as_string(status) : NULL);
	cell(t, "state", cancelled ? "cancelled" : "planned");
	cell(t, "cause", cancelled ? _("cancelled in the calendar") : NULL);
	cell(t, "sequence", number);
	categories(t, c);
	own_properties(t, c);
}

/* The end of an event that lasts a day or less without a time is left out; of a longer one it is
 * its last day, where iCalendar names the day behind it. */
static void end_cell(struct telling *t, icalcomponent *c, struct icaltimetype start, time_t at)
{
	const struct icaltimetype end = icalcomponent_get_dtend(c);
	char text[32];
	if (icaltime_is_null_time(end))
		return;
	const time_t length = to_time(end) - to_time(start);
	if (length < 0 || (start.is_date && length <= 86400))
		return;
	time_text(at + length - (start.is_date ? 86400 : 0), start.is_date != 0, text);
	cell(t, "end", text);
}

static void times(struct telling *t, icalcomponent *c, struct icaltimetype start, time_t at,
		  const char *occurrence)
{
	char text[32];
	time_text(at, start.is_date != 0, text);
	cell(t, "start", text);
	cell(t, "all_day", start.is_date ? "yes" : "no");
	end_cell(t, c, start, at);
	cell(t, "recurrence_id", occurrence);
	char *key =
		arena_printf(&t->s->arena, "%s%s%s", uid_of(c), *occurrence ? "/" : "", occurrence);
	cell(t, "key", key);
}

/* Why libical could not read a property of the event, or NULL. */
static const char *unreadable(icalcomponent *c)
{
	for (icalproperty *p = icalcomponent_get_first_property(c, ICAL_XLICERROR_PROPERTY); p;
	     p = icalcomponent_get_next_property(c, ICAL_XLICERROR_PROPERTY)) {
		const char *text = icalproperty_get_xlicerror(p);
		if (text && (strstr(text, "DTSTART") || strstr(text, "DTEND") ||
			     strstr(text, "RRULE") || strstr(text, "RECURRENCE-ID")))
			return text;
	}
	return NULL;
}

static void broken(struct telling *t, icalcomponent *c, const char *why)
{
	texts(t, c);
	cell(t, "key", uid_of(c));
	t->out->broken = why;
}

/* An event of its own, or one occurrence that another event's rule would have given. */
static void single(struct telling *t, icalcomponent *c, struct icaltimetype start)
{
	struct icaltimetype moved;
	char occurrence[32] = "";
	if (get_time(c, ICAL_RECURRENCEID_PROPERTY, &moved, &t->s->why))
		stamp(to_time(moved), moved.is_date != 0, occurrence);
	else if (t->s->why.code) {
		broken(t, c, t->s->why.text);
		return;
	}
	texts(t, c);
	times(t, c, start, to_time(start), occurrence);
}

/* Moves on to the event's next row.  False: it has none left. */
static bool event_row(struct telling *t, icalcomponent *c)
{
	struct ics *s = t->s;
	struct icaltimetype start = {0};
	char occurrence[32];
	const bool first = !s->expanded;
	s->expanded = true;
	s->why = (struct err){0};
	const char *bad = unreadable(c);
	if (!bad && !get_time(c, ICAL_DTSTART_PROPERTY, &start, &s->why) && !s->why.code)
		err_set(&s->why, ERR_INVALID, _("the event has no DTSTART"));
	const bool repeats = has(c, ICAL_RRULE_PROPERTY) || has(c, ICAL_RDATE_PROPERTY);
	if (first && !bad && !s->why.code && repeats && !has(c, ICAL_RECURRENCEID_PROPERTY) &&
	    expand(s, c, start) == 0)
		return event_row(t, c);
	if (first) {
		if (!bad && !s->why.code)
			single(t, c, start);
		else
			broken(t, c, bad ? bad : s->why.text);
		s->n_times = 0;
		return true;
	}
	if (s->next_time == s->n_times)
		return false;
	const time_t at = s->times[s->next_time++];
	stamp(at, start.is_date != 0, occurrence);
	texts(t, c);
	times(t, c, start, at, occurrence);
	return true;
}

static int ics_next(struct reader *r, struct reader_row *out, struct err *e)
{
	struct ics *s = r->state;
	struct telling t = {.r = r, .s = s, .out = out, .e = e};
	arena_reset(&s->arena);
	jsoncells_clear(r);
	for (; s->at < s->n; s->at++, s->expanded = false, s->n_times = s->next_time = 0) {
		if (!event_row(&t, s->events[s->at]))
			continue;
		out->line = s->lines.at[s->at];
		out->cells = r->cells;
		out->n = r->n;
		return t.rc < 0 ? t.rc : 1;
	}
	return t.rc;
}

const struct reader_ops reader_ics = {"ics",    ".ics .ical", ics_detect,
				      ics_open, ics_next,     ics_close};

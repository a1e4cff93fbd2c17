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

#include "arena.h"
#include "clock.h"
#include "i18n.h"
#include "import/ics.h"
#include "import/icslines.h"
#include "import/icsset.h"
#include "import/icstime.h"
#include "import/jsoncells.h"
#include "import/reader.h"

enum {
	FILE_MAX = 32 * 1024 * 1024,
	ARENA_MAX = 16 * 1024 * 1024,
	DAYS_BACK = 365,
	DAYS_ON = 2 * 365,
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
		rc = ics_find_moved(s, e);
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
static bool is_cancelled(icalcomponent *c)
{
	const char *summary = icalcomponent_get_summary(c);
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
	const bool cancelled = is_cancelled(c);
	char number[16];
	snprintf(number, sizeof number, "%d", icalcomponent_get_sequence(c));
	cell(t, "uid", ics_uid(c));
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
	const time_t length = icstime_seconds(end) - icstime_seconds(start);
	if (length < 0 || (start.is_date && length <= 86400))
		return;
	icstime_text(at + length - (start.is_date ? 86400 : 0), start.is_date != 0, text);
	cell(t, "end", text);
}

static void times(struct telling *t, icalcomponent *c, struct icaltimetype start, time_t at,
		  const char *occurrence)
{
	char text[32];
	icstime_text(at, start.is_date != 0, text);
	cell(t, "start", text);
	cell(t, "all_day", start.is_date ? "yes" : "no");
	end_cell(t, c, start, at);
	cell(t, "recurrence_id", occurrence);
	char *key = arena_printf(&t->s->arena, "%s%s%s", ics_uid(c), *occurrence ? "/" : "",
				 occurrence);
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
	cell(t, "key", ics_uid(c));
	t->out->broken = why;
}

/* An event of its own, or one occurrence that another event's rule would have given. */
static void single(struct telling *t, icalcomponent *c, struct icaltimetype start)
{
	struct icaltimetype moved;
	char occurrence[32] = "";
	if (icstime_get(c, ICAL_RECURRENCEID_PROPERTY, &moved, &t->s->why))
		icstime_stamp(icstime_seconds(moved), moved.is_date != 0, occurrence);
	else if (t->s->why.code) {
		broken(t, c, t->s->why.text);
		return;
	}
	texts(t, c);
	times(t, c, start, icstime_seconds(start), occurrence);
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
	if (!bad && !icstime_get(c, ICAL_DTSTART_PROPERTY, &start, &s->why) && !s->why.code)
		err_set(&s->why, ERR_INVALID, _("the event has no DTSTART"));
	const bool repeats = ics_has(c, ICAL_RRULE_PROPERTY) || ics_has(c, ICAL_RDATE_PROPERTY);
	if (first && !bad && !s->why.code && repeats && !ics_has(c, ICAL_RECURRENCEID_PROPERTY) &&
	    ics_expand(s, c, start) == 0)
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
	icstime_stamp(at, start.is_date != 0, occurrence);
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

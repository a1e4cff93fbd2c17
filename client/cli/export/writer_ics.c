/* writer_ics.c -- meetings as a calendar (RFC 5545, by libical): a UID that stays, a SEQUENCE that
 * grows with each edit, a link back.  x-seve-* lets our own import find the record again. */
#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "export/writer.h"
#include "i18n.h"
#include "say.h"
#include "text.h"

static void own(icalcomponent *event, const char *name, const char *text)
{
	icalproperty *p = *text ? icalproperty_new_x(text) : NULL;
	if (!p)
		return;
	icalproperty_set_x_name(p, name);
	icalcomponent_add_property(event, p);
}

static void add(icalcomponent *event, icalproperty *p)
{
	if (p)
		icalcomponent_add_property(event, p);
}

static struct icaltimetype instant(const char *text)
{
	int64_t ms;
	if (!*text || text_to_instant(text, &ms, NULL) < 0)
		return icaltime_null_time();
	return icaltime_from_timet_with_zone((time_t)(ms / 1000), 0,
					     icaltimezone_get_utc_timezone());
}

static icalproperty_status status_of(const char *state)
{
	if (strcmp(state, "cancelled") == 0)
		return ICAL_STATUS_CANCELLED;
	return strcmp(state, "postponed") == 0 ? ICAL_STATUS_TENTATIVE : ICAL_STATUS_CONFIRMED;
}

static int ics_begin(struct writer *w)
{
	icalcomponent *calendar = icalcomponent_new_vcalendar();
	icalproperty *name = icalproperty_new_x("Sève");
	if (!calendar || !name)
		return say_nomem(w->c);
	icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
	icalcomponent_add_property(calendar, icalproperty_new_prodid("-//Seve//seve//FR"));
	icalproperty_set_x_name(name, "X-WR-CALNAME");
	icalcomponent_add_property(calendar, name);
	char *text = icalcomponent_as_ical_string_r(calendar);
	char *end = text ? strstr(text, "END:VCALENDAR") : NULL;
	icalcomponent_free(calendar);
	if (end)
		fwrite(text, 1, (size_t)(end - text), w->file);
	icalmemory_free_buffer(text);
	return end ? 0 : say_nomem(w->c);
}

static void times(icalcomponent *event, const struct seve_record *r)
{
	const struct icaltimetype end = instant(seve_record_get(r, "end_at"));
	const struct icaltimetype changed = instant(seve_record_get(r, "updated_at"));
	add(event, icalproperty_new_dtstamp(changed));
	add(event, icalproperty_new_created(instant(seve_record_get(r, "created_at"))));
	add(event, icalproperty_new_lastmodified(changed));
	add(event, icalproperty_new_dtstart(instant(seve_record_get(r, "start_at"))));
	if (!icaltime_is_null_time(end))
		add(event, icalproperty_new_dtend(end));
}

static void texts(const struct writer *w, icalcomponent *event, const struct seve_record *r)
{
	const char *uid = seve_record_get(r, "ical_uid"), *place = seve_record_get(r, "place"),
		   *agenda = seve_record_get(r, "agenda"), *title = seve_record_get(r, "title");
	const char *ref = seve_record_ref(r);
	add(event,
	    icalproperty_new_uid(*uid ? uid : cli_printf(w->c, "%s@seve", seve_record_id(r))));
	add(event, icalproperty_new_sequence((int)(seve_record_rev(r) & INT32_MAX)));
	add(event, icalproperty_new_status(status_of(seve_record_get(r, "state"))));
	if (*title)
		add(event, icalproperty_new_summary(title));
	if (*place)
		add(event, icalproperty_new_location(place));
	if (*agenda)
		add(event, icalproperty_new_description(agenda));
	add(event, icalproperty_new_url(cli_printf(w->c, "%s%s/%s", w->link ? w->link : "seve:",
						   w->territory, *ref ? ref : seve_record_id(r))));
}

static int ics_record(struct writer *w, const struct seve_record *r)
{
	if (!*seve_record_get(r, "start_at")) {
		w->skipped++;
		return 0;
	}
	icalcomponent *event = icalcomponent_new_vevent();
	if (!event)
		return say_nomem(w->c);
	times(event, r);
	texts(w, event, r);
	own(event, "X-SEVE-ID", seve_record_id(r));
	own(event, "X-SEVE-REV", cli_printf(w->c, "%llu", (unsigned long long)seve_record_rev(r)));
	own(event, "X-SEVE-TERRITORY", w->territory);
	own(event, "X-SEVE-LEVEL", seve_record_get(r, "level"));
	own(event, "X-SEVE-KIND", seve_record_get(r, "kind"));
	own(event, "X-SEVE-STATE", seve_record_get(r, "state"));
	char *text = icalcomponent_as_ical_string_r(event);
	icalcomponent_free(event);
	if (!text)
		return say_nomem(w->c);
	fputs(text, w->file);
	icalmemory_free_buffer(text);
	return 0;
}

static int ics_end(struct writer *w)
{
	fputs("END:VCALENDAR\r\n", w->file);
	if (w->skipped)
		say_warning(w->c, _("%zu meetings have no start: left out of the calendar."),
			    w->skipped);
	return 0;
}

const struct writer_ops writer_ics = {.name = "ics",
				      .ending = ".ics",
				      .only = "meeting",
				      .one_kind = true,
				      .begin = ics_begin,
				      .record = ics_record,
				      .end = ics_end};

/* icstime.c -- see icstime.h. */
#include "import/icstime.h"

#include "i18n.h"
#include "text.h"

static bool is_known_zone(icalproperty *p, struct icaltimetype t)
{
	return t.is_date || icaltime_is_utc(t) || t.zone ||
	       !icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
}

time_t icstime_seconds(struct icaltimetype t)
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

void icstime_text(time_t at, bool is_date, char out[static 32])
{
	if (is_date)
		text_from_date((int32_t)(at / (24 * 60 * 60)), out);
	else
		text_from_instant((int64_t)at * 1000, out);
}

void icstime_stamp(time_t at, bool is_date, char out[static 32])
{
	char text[32];
	size_t n = 0;
	icstime_text(at, is_date, text);
	for (const char *p = text; *p; p++)
		if (*p != '-' && *p != ':')
			out[n++] = *p;
	out[n] = '\0';
}

bool icstime_get(icalcomponent *c, icalproperty_kind kind, struct icaltimetype *out,
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
	if (!is_known_zone(p, *out)) {
		icalparameter *zone = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
		err_set(why, ERR_INVALID, _("the time zone \"%.80s\" is not known"),
			icalparameter_get_tzid(zone));
		return false;
	}
	return true;
}

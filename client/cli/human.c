/* human.c -- see human.h. */
#include "human.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "i18n.h"
#include "text.h"

void human_age(int64_t ms, char out[static HUMAN_MAX])
{
	const long long s = ms > 0 ? ms / 1000 : 0;
	if (s < 60)
		snprintf(out, HUMAN_MAX, _("%lld s"), s);
	else if (s < 60 * 60)
		snprintf(out, HUMAN_MAX, _("%lld min"), s / 60);
	else if (s < 48 * 60 * 60)
		snprintf(out, HUMAN_MAX, _("%lld h"), s / (60 * 60));
	else
		snprintf(out, HUMAN_MAX, _("%lld d"), s / (24 * 60 * 60));
}

void human_since(const char *instant, char out[static HUMAN_MAX])
{
	int64_t ms;
	out[0] = '\0';
	if (*instant && text_to_instant(instant, &ms, NULL) == 0)
		human_age(clock_wall_ms() - ms, out);
}

void human_time(const char *instant, char out[static HUMAN_MAX])
{
	int64_t ms;
	struct tm tm;
	snprintf(out, HUMAN_MAX, "%s", instant);
	if (!*instant || text_to_instant(instant, &ms, NULL) < 0)
		return;
	const time_t at = (time_t)(ms / 1000);
	if (localtime_r(&at, &tm))
		strftime(out, HUMAN_MAX, "%Y-%m-%d %H:%M", &tm);
}

/* Z, z, or +hh:mm / -hh:mm behind the time of day. */
static bool has_zone(const char *typed)
{
	const char *day_end = strpbrk(typed, "T ");
	return strpbrk(typed, "Zz") || (day_end && strpbrk(day_end, "+-"));
}

void human_to_instant(const char *typed, char out[static HUMAN_MAX])
{
	int64_t ms;
	struct tm tm;
	snprintf(out, HUMAN_MAX, "%s", typed);
	if (text_to_instant(typed, &ms, NULL) < 0)
		return;
	if (!has_zone(typed)) {
		const time_t as_utc = (time_t)(ms / 1000);
		if (!gmtime_r(&as_utc, &tm))
			return;
		tm.tm_isdst = -1;
		ms = (int64_t)mktime(&tm) * 1000 + ms % 1000;
	}
	char instant[32];
	text_from_instant(ms, instant);
	snprintf(out, HUMAN_MAX, "%s", instant);
}

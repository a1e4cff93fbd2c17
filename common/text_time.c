/* text_time.c -- the part of text.h about time: dates, instants, durations.
 * Counts days by itself, so that no time zone and no range of time_t comes in. */
#include "text.h"

#include <stdio.h>
#include <string.h>

enum { MS_DAY = 86400000, YEAR_MAX = 9999 };

/* A calendar day, and a time of that day. */
struct civil {
	int64_t year;
	unsigned month, day;
};

/* Days since 1970-01-01, for the years from 1 on.  Years begin in March here, so that the leap day
 * is the last of its year; 400 of them have 146097 days. */
static int64_t days_of(const struct civil *c)
{
	const int64_t year = c->year - (c->month <= 2);
	const int64_t era = year / 400;
	const int64_t year_of_era = year - era * 400;
	const int64_t month = (c->month + 9) % 12;
	const int64_t day_of_year = (153 * month + 2) / 5 + c->day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static struct civil civil_of(int64_t days)
{
	const int64_t shifted = days + 719468;
	const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	const int64_t doe = shifted - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t month = (5 * doy + 2) / 153;
	struct civil c = {
		.year = yoe + era * 400,
		.month = (unsigned)(month < 10 ? month + 3 : month - 9),
		.day = (unsigned)(doy - (153 * month + 2) / 5 + 1),
	};
	c.year += c.month <= 2;
	return c;
}

/* Reads least..most digits; NULL when there are fewer, or *s is NULL already. */
static const char *digits(const char *s, unsigned least, unsigned most, unsigned *out)
{
	unsigned n = 0, v = 0;
	while (s && n < most && s[n] >= '0' && s[n] <= '9')
		v = v * 10 + (unsigned)(s[n++] - '0');
	if (!s || n < least)
		return NULL;
	*out = v;
	return s + n;
}

static const char *literal(const char *s, char c)
{
	return s && *s == c ? s + 1 : NULL;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (unsigned)(month == 2 && leap);
}

/* A date at the front of s: returns what follows it, or NULL. */
static const char *read_date(const char *s, int32_t *days)
{
	unsigned year = 0, month = 0, day = 0;
	const char *p = digits(literal(digits(s, 4, 4, &year), '-'), 2, 2, &month);
	p = digits(literal(p, '-'), 2, 2, &day);
	if (!p) {
		p = digits(literal(digits(s, 1, 2, &day), '/'), 1, 2, &month);
		p = digits(literal(p, '/'), 4, 4, &year);
	}
	if (!p || year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return NULL;
	*days = (int32_t)days_of(&(struct civil){year, month, day});
	return p;
}

int text_to_date(const char *s, int32_t *days, struct err *e)
{
	int32_t v;
	const char *end = read_date(s, &v);
	if (!end || *end)
		return err_set(e, ERR_INVALID, "\"%.40s\" is not a date (2026-11-23 or 23/11/2026)",
			       s);
	*days = v;
	return 0;
}

void text_from_date(int32_t days, char out[static 16])
{
	const struct civil c = civil_of(days);
	snprintf(out, 16, "%04lld-%02u-%02u", (long long)c.year, c.month % 100, c.day % 100);
}

/* ":30" or ":30.25" after the minutes, if there are seconds at all. */
static const char *read_seconds(const char *s, int64_t *ms)
{
	if (!s || *s != ':')
		return s;
	unsigned seconds, scale = 100;
	const char *p = digits(s + 1, 2, 2, &seconds);
	if (!p || seconds > 59)
		return NULL;
	*ms += (int64_t)seconds * 1000;
	if (*p != '.')
		return p;
	if (p[1] < '0' || p[1] > '9')
		return NULL;
	/* What is finer than a millisecond is dropped. */
	for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
		*ms += (int64_t)scale * (*p - '0');
	return p;
}

/* "Z", "+02:00", "-0330" or nothing, at the end; takes the offset off *ms. */
static const char *read_offset(const char *s, int64_t *ms)
{
	if (!s || *s == '\0')
		return s;
	if (*s == 'Z' || *s == 'z')
		return s + 1;
	if (*s != '+' && *s != '-')
		return NULL;
	unsigned hours, minutes;
	const char *p = digits(s + 1, 2, 2, &hours);
	p = p && *p == ':' ? p + 1 : p;
	p = digits(p, 2, 2, &minutes);
	if (!p || hours > 23 || minutes > 59)
		return NULL;
	const int64_t offset = (int64_t)(hours * 60 + minutes) * 60000;
	*ms += *s == '+' ? -offset : offset;
	return p;
}

static const char *read_time(const char *s, int64_t *ms)
{
	unsigned hours, minutes;
	const char *p = digits(literal(digits(s, 2, 2, &hours), ':'), 2, 2, &minutes);
	if (!p || hours > 23 || minutes > 59)
		return NULL;
	*ms += (int64_t)(hours * 60 + minutes) * 60000;
	return read_offset(read_seconds(p, ms), ms);
}

int text_to_instant(const char *s, int64_t *ms, struct err *e)
{
	int32_t days = 0;
	int64_t of_day = 0;
	const char *p = read_date(s, &days);
	if (p && (*p == 'T' || *p == 't' || *p == ' '))
		p = read_time(p + 1, &of_day);
	if (!p || *p)
		return err_set(e, ERR_INVALID,
			       "\"%.60s\" is not a time (2026-11-23T18:30:00Z or 2026-11-23 18:30)",
			       s);
	const int64_t v = (int64_t)days * MS_DAY + of_day;
	const int64_t first = days_of(&(struct civil){1, 1, 1}) * MS_DAY;
	const int64_t end = days_of(&(struct civil){YEAR_MAX + 1, 1, 1}) * MS_DAY;
	if (v < first || v >= end)
		return err_set(e, ERR_INVALID, "\"%.60s\" is outside the years 1 to 9999", s);
	*ms = v;
	return 0;
}

void text_from_instant(int64_t ms, char out[static 32])
{
	int64_t of_day = ms % MS_DAY, days = ms / MS_DAY;
	if (of_day < 0) {
		of_day += MS_DAY;
		days--;
	}
	const struct civil c = civil_of(days);
	const unsigned s = (unsigned)(of_day / 1000), fraction = (unsigned)(of_day % 1000);
	int n = snprintf(out, 32, "%04lld-%02u-%02uT%02u:%02u:%02u", (long long)c.year,
			 c.month % 100, c.day % 100, s / 3600, s / 60 % 60, s % 60);
	const size_t at = n < 31 ? (size_t)n : 31;
	if (fraction)
		snprintf(out + at, 32 - at, ".%03uZ", fraction);
	else
		snprintf(out + at, 32 - at, "Z");
}

int text_to_duration(const char *s, int64_t *ms, struct err *e)
{
	static const struct unit {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1},      {"s", 1000},   {"m", 60000},
		     {"h", 3600000}, {"d", MS_DAY}, {"w", INT64_C(7) * MS_DAY}};
	int64_t v = 0;
	bool fits = true;
	const char *p = s;
	for (; *p >= '0' && *p <= '9'; p++)
		fits = fits && !__builtin_mul_overflow(v, 10, &v) &&
		       !__builtin_add_overflow(v, *p - '0', &v);
	for (size_t i = 0; p > s && i < sizeof units / sizeof *units; i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		if (!fits || __builtin_mul_overflow(v, units[i].ms, &v))
			return err_set(e, ERR_INVALID, "\"%.40s\" is too long a time", s);
		*ms = v;
		return 0;
	}
	return err_set(e, ERR_INVALID, "\"%.40s\" is not a length of time (30d, 12h, 90m, 45s, 2w)",
		       s);
}

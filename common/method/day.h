/* day.h -- months and days as the method counts them.  Days are counted from 1970-01-01 (text.h).
 * Knows no clock: today is an argument.  Any thread. */
#ifndef SEVE_DAY_H
#define SEVE_DAY_H

#include "err.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* A month by its days. */
struct month {
	int32_t first, last;
};

/* "2026-11".  0 or -ERR_INVALID. */
int month_parse(const char *text, struct month *out, struct err *e);
struct month month_of(int32_t day);
/* "2026-11"; of the month's first day. */
void month_format(int32_t day, char out[static 16]);
/* The day of an instant (UTC). */
int32_t day_of(int64_t ms);

#endif

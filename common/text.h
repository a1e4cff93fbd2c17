/* text.h -- the textual forms: UTF-8, dates, instants, durations, identifiers of French
 * administrations. Knows no records and no locale: the same text everywhere.  Any thread. */
#ifndef SEVE_TEXT_H
#define SEVE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Strict UTF-8 (RFC 3629: no overlong forms, no surrogates, <= U+10FFFF) without NUL.
 * Returns true, or false with the offset of the first bad byte in *bad (may be NULL). */
bool text_is_utf8(const void *p, size_t n, size_t *bad);

/* Case-folded, accents stripped, NFKC: for finding and "did you mean", never for storing.  Caller
 * frees; NULL if out of memory or not UTF-8. */
char *text_fold(const char *s);

/* Damerau-Levenshtein distance, at most `max` + 1. */
unsigned text_distance(const char *a, const char *b, unsigned max);

/* "2026-11-23" <-> days since 1970-01-01 (proleptic Gregorian, years 1..9999).  Also reads
 * "23/11/2026". */
int text_to_date(const char *s, int32_t *days, struct err *e);
void text_from_date(int32_t days, char out[static 16]);

/* RFC 3339 UTC with milliseconds only where they are not zero: "2026-11-23T18:30:00Z" <-> ms since
 * 1970. Reads also "2026-11-23 18:30", "2026-11-23T18:30" (UTC), numeric offsets, and a bare date
 * (midnight UTC). */
int text_to_instant(const char *s, int64_t *ms, struct err *e);
void text_from_instant(int64_t ms, char out[static 32]);

/* "30d", "12h", "90m", "45s", "2w" -> milliseconds. */
int text_to_duration(const char *s, int64_t *ms, struct err *e);

/* Whole-string integer and decimal; no locale, no blanks, no hex.  -ERR_INVALID otherwise or out of
 * [min, max]. */
int text_to_int(const char *s, int64_t min, int64_t max, int64_t *out, struct err *e);
int text_to_double(const char *s, double *out, struct err *e);
/* Shortest text that reads back as the same double. */
void text_from_double(double v, char out[static 32]);

/* Luhn sum of a string of digits (ISO/IEC 7812-1). */
bool text_luhn(const char *digits);

/* "in_progress" from "STATUS_IN_PROGRESS" and the prefix length; `out` holds `size` bytes. */
void text_lower_word(const char *s, char *out, size_t size);

#endif

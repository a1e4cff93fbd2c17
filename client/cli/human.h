/* human.h -- times and ages as people read them in tables.  Local time; the programs' formats keep
 * RFC 3339. Knows no record. */
#ifndef SEVE_CLI_HUMAN_H
#define SEVE_CLI_HUMAN_H

#include <stdint.h>

enum { HUMAN_MAX = 64 };

/* "3 min", "5 h", "12 d". */
void human_age(int64_t ms, char out[static HUMAN_MAX]);
/* The age of an RFC 3339 instant, "" for "". */
void human_since(const char *instant, char out[static HUMAN_MAX]);
/* "2026-11-23 19:30" in local time from an RFC 3339 instant; what is none stays as it is. */
void human_time(const char *instant, char out[static HUMAN_MAX]);
/* A time as people type it: without Z or offset it is local time.  Gives RFC 3339 in UTC; what is
 * no time stays as it is, for the library to refuse. */
void human_to_instant(const char *typed, char out[static HUMAN_MAX]);

#endif

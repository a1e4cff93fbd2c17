/* icstime.h -- times of libical: read from an event, as seconds, as texts. */
#ifndef SEVE_CLI_IMPORT_ICSTIME_H
#define SEVE_CLI_IMPORT_ICSTIME_H

#include <libical/ical.h>
#include <stdbool.h>
#include <time.h>

#include "err.h"

/* A time without a zone is one of this machine's. */
time_t icstime_seconds(struct icaltimetype t);
/* 2026-11-23T18:30:00Z, or 2026-11-23. */
void icstime_text(time_t at, bool is_date, char out[static 32]);
/* 20261123T183000Z, or 20261123. */
void icstime_stamp(time_t at, bool is_date, char out[static 32]);
/* The event's property of that kind.  False: it has none, or, with why, one that is no date or of
 * an unknown zone. */
bool icstime_get(icalcomponent *c, icalproperty_kind kind, struct icaltimetype *out,
		 struct err *why);

#endif

/* ics.h -- an iCalendar file that is being read: what reader_ics.c and ics_repeat.c share. */
#ifndef SEVE_CLI_IMPORT_ICS_H
#define SEVE_CLI_IMPORT_ICS_H

#include <libical/ical.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "arena.h"
#include "err.h"
#include "import/icslines.h"

struct icsset;

enum { ICS_TIMES_MAX = 4000 }; /* occurrences of one event inside the window */

struct ics {
	struct arena arena; /* of one row */
	char *text;
	icalcomponent *root;
	struct icslines lines; /* where the events begin */
	icalcomponent **events;
	size_t n, at;
	time_t from, until;
	time_t times[ICS_TIMES_MAX]; /* occurrences of events[at] still to be told */
	size_t n_times, next_time;
	bool expanded;
	struct icsset *moved;    /* occurrences that another event of the file tells */
	struct icsset *excluded; /* of events[at]: occurrences, and days, that do not take place */
	int64_t steps, steps_file, times_file;
	struct err why;
};

static inline bool ics_has(icalcomponent *c, icalproperty_kind kind)
{
	return icalcomponent_get_first_property(c, kind) != NULL;
}

static inline const char *ics_uid(icalcomponent *c)
{
	const char *uid = icalcomponent_get_uid(c);
	return uid ? uid : "";
}

/* Occurrences that events of their own tell, into s->moved. */
int ics_find_moved(struct ics *s, struct err *e);
/* Of an event that repeats: when it takes place inside the window, into s->times, in order.
 * Negative with s->why. */
int ics_expand(struct ics *s, icalcomponent *c, struct icaltimetype start);

#endif

/* icslines.h -- the outline of an iCalendar file: what is opened is closed, and where the events
 * begin.  libical reads damaged files as well as it can; we would rather say what is wrong.  Knows
 * no property. */
#ifndef SEVE_CLI_IMPORT_ICSLINES_H
#define SEVE_CLI_IMPORT_ICSLINES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct icslines {
	uint32_t *at; /* the line of each event's BEGIN, in the order of the file */
	size_t n, room;
};

/* `text` holds n bytes and a NUL behind them.  A byte order mark is blanked.  -ERR_INVALID with
 * line: no VCALENDAR, an END that does not fit, a file that ends inside, bytes that are no UTF-8,
 * NUL; -ERR_NOMEM. */
int icslines_check(char *text, size_t n, struct icslines *out, struct err *e);
void icslines_fini(struct icslines *l);

#endif

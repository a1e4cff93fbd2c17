/* bugs.h -- which bug of bugs.def is in: none, unless the simulation was compiled with SEVE_BUGS.
 * One thread. */
#ifndef SEVE_SIM_BUGS_H
#define SEVE_SIM_BUGS_H

#include <stdbool.h>
#include <stddef.h>

#include "bug.h"

enum bug_stores { BUG_MEMORY = 1, BUG_DISK = 2 };

struct bug {
	const char *name, *text;
	unsigned stores; /* with which it must be caught */
};

size_t bugs_count(void);
const struct bug *bugs_at(size_t i);
/* Puts one in; NULL: none.  False: there is no such bug, or this program was compiled without. */
bool bugs_put(const char *name);

#endif

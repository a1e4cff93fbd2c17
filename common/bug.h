/* bug.h -- known bugs that the tests of synchronisation put in on purpose, to see that they are
 * caught.  SEVE_BUG(name) is 0 in all that is installed; the simulation's own objects are compiled
 * with SEVE_BUGS.  Knows the names only: tests/sync/sim/bugs.def tells what each does. */
#ifndef SEVE_BUG_H
#define SEVE_BUG_H

#ifdef SEVE_BUGS
#include <stdbool.h>
bool bugs_in(const char *name);
#define SEVE_BUG(name) bugs_in(#name)
#else
#define SEVE_BUG(name) 0
#endif

#endif

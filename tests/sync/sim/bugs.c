/* bugs.c -- see bugs.h. */
#include "bugs.h"

#include <string.h>

static const struct bug bugs[] = {
#define MEMORY                  BUG_MEMORY
#define DISK                    BUG_DISK
#define BOTH                    (BUG_MEMORY | BUG_DISK)
#define BUG(name, stores, text) {#name, text, stores},
#include "bugs.def"
#undef BUG
#undef BOTH
#undef DISK
#undef MEMORY
};

static const char *present;

size_t bugs_count(void)
{
	return sizeof bugs / sizeof *bugs;
}

const struct bug *bugs_at(size_t i)
{
	return &bugs[i];
}

#ifdef SEVE_BUGS
bool bugs_in(const char *name)
{
	return present && !strcmp(present, name);
}
#endif

bool bugs_put(const char *name)
{
	present = NULL;
	if (!name)
		return true;
#ifdef SEVE_BUGS
	for (size_t i = 0; i < bugs_count(); i++)
		if (!strcmp(bugs[i].name, name))
			present = bugs[i].name;
#endif
	return present != NULL;
}

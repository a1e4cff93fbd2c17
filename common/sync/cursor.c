/* cursor.c -- see cursor.h. */
#include "cursor.h"

#include "bug.h"

const char *cursor_fault_text(enum cursor_fault f)
{
	static const char *const texts[] = {
		[CURSOR_FINE] = "fine",
		[CURSOR_EPOCH] = "of another epoch: the database was restored or replaced",
		[CURSOR_VIEW] = "made with other rights",
		[CURSOR_AHEAD] = "ahead of the server",
		[CURSOR_PURGED] = "older than what was purged",
	};

	return f <= CURSOR_PURGED ? texts[f] : "unknown";
}

bool cursor_is_fresh(const struct cursor *c)
{
	return !c->rev && !c->epoch && !c->view;
}

enum cursor_fault cursor_check(const struct cursor *c, uint64_t epoch, uint64_t view)
{
	if (cursor_is_fresh(c))
		return CURSOR_FINE;
	if (c->epoch != epoch && !SEVE_BUG(epoch_ignored))
		return CURSOR_EPOCH;
	if (c->view != view && !SEVE_BUG(view_ignored))
		return CURSOR_VIEW;
	return CURSOR_FINE;
}

enum cursor_fault cursor_check_read(const struct cursor *c, uint64_t from, uint64_t head,
				    uint64_t purged)
{
	if (c->rev > head)
		return CURSOR_AHEAD;
	if (purged > from && purged > c->start)
		return CURSOR_PURGED;
	return CURSOR_FINE;
}

bool cursor_skips(const struct cursor *c, uint64_t rev)
{
	return rev <= c->start;
}

enum cursor_way cursor_way(bool complete, bool begun)
{
	return complete || begun ? CURSOR_VERIFY : CURSOR_LOAD;
}

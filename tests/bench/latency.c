/* latency.c -- how long single operations took, all of them kept, and their percentiles. */
#include "latency.h"

#include <stdlib.h>

int latency_add(struct latency *l, uint64_t ns, struct err *e)
{
	if (l->n == l->room) {
		const size_t room = l->room ? l->room * 2 : 65536;
		uint32_t *more = realloc(l->ns, room * sizeof *more);
		if (!more)
			return err_set(e, ERR_NOMEM, "latencies");
		l->ns = more;
		l->room = room;
	}
	l->ns[l->n++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

double latency_us(struct latency *l, double share)
{
	if (!l->n)
		return 0;
	qsort(l->ns, l->n, sizeof *l->ns, compare);
	size_t at = (size_t)(share * (double)l->n);
	if (at >= l->n)
		at = l->n - 1;
	return l->ns[at] / 1000.0;
}

void latency_fini(struct latency *l)
{
	free(l->ns);
	*l = (struct latency){0};
}

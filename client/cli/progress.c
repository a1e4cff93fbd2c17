/* progress.c -- see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "clock.h"
#include "say.h"
#include "scope.h"

enum { INTERVAL_MS = 100 };

void progress_start(struct progress *p, struct cli *c)
{
	*p = (struct progress){.c = c};
	p->off = c->quiet || c->no_progress || c->format != OUT_TABLE || !say_to_terminal();
}

void progress_show(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
	const uint64_t now = clock_mono_ms();
	if (p->off || now < p->next_ms)
		return;
	p->next_ms = now + INTERVAL_MS;
	p->shown = true;
	if (total)
		fprintf(stderr, "\r\033[K%s %" PRIu64 "/%" PRIu64, what, done, total);
	else
		fprintf(stderr, "\r\033[K%s %" PRIu64, what, done);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

void progress_sync(void *ctx, uint32_t territory, const char *phase, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;
	char what[128];
	(void)territory; /* its slug would have to be asked for, in the middle of the library's work
			  */
	snprintf(what, sizeof what, "%s", phase);
	progress_show(p, what, done, total);
}

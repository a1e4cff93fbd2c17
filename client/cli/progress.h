/* progress.h -- one line on a terminal that tells how far things are.  Nothing where standard error
 * is no terminal. */
#ifndef SEVE_CLI_PROGRESS_H
#define SEVE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cli;

struct progress {
	struct cli *c;
	bool shown, off;
	uint64_t next_ms; /* when to draw again */
};

void progress_start(struct progress *p, struct cli *c);
/* `total` 0: not known. */
void progress_show(struct progress *p, const char *what, uint64_t done, uint64_t total);
/* Takes the line away. */
void progress_end(struct progress *p);
/* For seve_sync(); ctx is a struct progress. */
void progress_sync(void *ctx, uint32_t territory, const char *phase, uint64_t done, uint64_t total);

#endif

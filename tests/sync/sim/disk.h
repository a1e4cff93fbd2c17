/* disk.h -- a machine's disk, as SQLite sees it: what was written is read again at once, and what
 * was not synced may be gone after a power cut, in part and in any order.  A VFS of SQLite's that
 * keeps the files in memory; the real ones at their paths stay empty.
 * Knows no store and no history: whoever makes a disk tells at which step it dies.  One thread. */
#ifndef SEVE_SIM_DISK_H
#define SEVE_SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Each write, truncation, removal and sync is a step.  What is written at the last step may stay
 * like all that was not synced. */
struct disk_fate {
	void *ctx;
	bool (*step)(void *ctx);                     /* true: the machine dies here */
	unsigned (*dice)(void *ctx, unsigned sides); /* what of it stays */
};

struct disk_counts {
	unsigned long writes, syncs, truncates, deletes;
	unsigned long cuts, lost, torn; /* power cuts; those that lost something, and only a part */
};

struct disk;

/* Registers the VFS as SQLite's default; once in the program's life.  0 or -ERR_DATABASE. */
int disk_register(void);

/* A disk for the file at this path, and those that SQLite puts beside it.  NULL: memory is out, or
 * there are too many. */
struct disk *disk_new(const char *path, const struct disk_fate *fate);
void disk_free(struct disk *d); /* NULL is fine */

/* Until then no step is counted. */
void disk_arm(struct disk *d);
/* Nothing is read or written any more: each call fails. */
void disk_kill(struct disk *d);
bool disk_dead(const struct disk *d);
/* The power comes back.  Every handle must be closed. */
void disk_restart(struct disk *d);

const struct disk_counts *disk_seen(const struct disk *d);

#endif

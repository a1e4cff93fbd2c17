/* file.h -- small files whole: read with a maximum, written so that they are there whole or not at
 * all. Knows no profile. */
#ifndef SEVE_CLI_FILE_H
#define SEVE_CLI_FILE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "arena.h"
#include "err.h"

/* The text of a file of at most `max` bytes, in the arena, without NUL inside. -ERR_NOT_FOUND when
 * there is none. */
int file_read(struct arena *a, const char *path, size_t max, char **out, struct err *e);
/* One line of a stream without its end; -ERR_INVALID at the end of the stream or when it is longer
 * than `max`. */
int file_read_line(struct arena *a, FILE *file, size_t max, char **out, struct err *e);
int file_write(const char *path, const char *text, mode_t mode, struct err *e);
/* Makes the folder and those above it, closed to others. */
int file_make_dir(const char *path, struct err *e);

/* A file that takes its name only when all of it is written. */
struct file_draft {
	FILE *file;
	char path[4096], draft[4112];
};
/* Path "-" is standard output. */
int file_draft_open(struct file_draft *d, const char *path, mode_t mode, struct err *e);
/* Flushes to disk and renames. */
int file_draft_keep(struct file_draft *d, struct err *e);
/* Takes the draft away; idempotent, also after keeping it. */
void file_draft_drop(struct file_draft *d);

#endif

/* process.h -- what another process costs: its CPU time and its memory, and how many files this one
 * may open. Linux only.  Any thread. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* CPU time of all its threads so far, in nanoseconds. */
int process_cpu_ns(pid_t pid, uint64_t *ns, struct err *e);

struct process_memory {
	uint64_t rss, pss; /* bytes */
};

int process_memory(pid_t pid, struct process_memory *out, struct err *e);

/* Raises this process's limit of open files as far as it goes, and fails when that is fewer than
 * `needed`. */
int process_files(uint64_t needed, struct err *e);

#endif

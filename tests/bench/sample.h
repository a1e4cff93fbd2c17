/* sample.h -- records as the network has them: real establishments of tests/data, numbered so that
 * any number can be made. Knows no server.  One thread per sample. */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include "arena.h"
#include "err.h"
#include "records.pb-c.h"

struct sample_row {
	char *name, *address, *postal_code, *commune, *naf;
};

struct sample {
	struct arena arena;
	struct sample_row *rows;
	size_t n;
};

/* Reads establishments from a CSV of tests/data/irep. */
int sample_open(struct sample *s, const char *csv, struct err *e);
void sample_close(struct sample *s);

/* The i-th actor or action, in `a`: equal numbers, equal records; no two actors have the same
 * SIRET.  `mask` names the fields that are set (borrowed constants).  NULL when memory is out. */
Seve__Body *sample_actor(const struct sample *s, size_t i, struct arena *a);
Seve__Body *sample_action(const struct sample *s, size_t i, struct arena *a);

struct sample_mask {
	size_t n;
	uint32_t *tags;
};
struct sample_mask sample_actor_mask(void);
struct sample_mask sample_action_mask(void);

#endif

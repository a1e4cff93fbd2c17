/* agenda.h -- virtual time and what is to happen when.  Knows nothing of what it calls. */
#ifndef SEVE_AGENDA_H
#define SEVE_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct sim;
typedef void (*agenda_call)(struct sim *s, unsigned who, unsigned generation);

enum { AGENDA_MAX = 1024 };

struct agenda {
	uint64_t now_ms, serial;
	struct agenda_item {
		uint64_t at_ms, serial;
		agenda_call call;
		unsigned who, generation;
	} items[AGENDA_MAX];
	unsigned n;
};

/* False: too much is planned. */
bool agenda_add(struct agenda *a, uint64_t in_ms, agenda_call call, unsigned who,
		unsigned generation);
/* Takes the next item and moves the time.  False: nothing is planned. */
bool agenda_next(struct agenda *a, struct agenda_item *out);

#endif

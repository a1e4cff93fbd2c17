/* prepared.h -- which statements a connection has prepared, and with which parameter types.
 * Knows no connection.  Loop thread only. */
#ifndef SEVED_PG_PREPARED_H
#define SEVED_PG_PREPARED_H

#include "unit.h"

enum { PREPARED_SLOTS = 512, PREPARED_MAX = 256 };

struct prepared_entry;
struct prepared {
	struct prepared_entry *slots[PREPARED_SLOTS]; /* open addressing by the name's hash */
	size_t n;
};

enum prepared_state {
	PREPARED_KNOWN,
	PREPARED_NEW,      /* was not there; now it is: prepare it */
	PREPARED_MISMATCH, /* known, with other parameter types: binary values would be misread */
	PREPARED_FULL,     /* more statements than PREPARED_MAX, or out of memory */
};

void prepared_init(struct prepared *p);
/* Frees; the table is then empty. Idempotent. */
void prepared_clear(struct prepared *p);
enum prepared_state prepared_note(struct prepared *p, const char *name,
				  const struct pg_params *params);
/* The statement could not be prepared after all. */
void prepared_forget(struct prepared *p, const char *name);

#endif

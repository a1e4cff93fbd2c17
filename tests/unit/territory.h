/* territory.h -- small networks for tests, written as text. */
#ifndef TEST_TERRITORY_H
#define TEST_TERRITORY_H

#include "network.h"

struct made {
	struct arena arena;
	struct network net;
	unsigned n;
};

void made_init(struct made *m);
void made_fini(struct made *m);
/* Adds a record; "field=value" pairs, NULL at the end, also "ref=7", "created_at=…",
 * "updated_at=…", "state_at=…" (instants) of its meta.  Gives its id as text, for other records'
 * fields. */
const char *made_add(struct made *m, uint32_t territory, const char *kind, ...);
void made_seal(struct made *m);
/* By its name. */
const struct node *made_find(const struct made *m, const char *name);

#endif

/* scope.h -- territories: slugs for people, numbers for the library, and which one a command means.
 * Asks the server only when the store does not know. */
#ifndef SEVE_CLI_SCOPE_H
#define SEVE_CLI_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opts.h"

struct cli;

struct territory {
	uint32_t id;
	const char *slug;
	bool replica;
	const char *synced_at; /* "" where never */
};

struct scope {
	struct territory *list; /* by slug */
	size_t n, room;
	bool asked_store, asked_server;
};

/* The territory with this slug.  SEVE_NOT_FOUND, said. */
int scope_find(struct cli *c, const char *slug, uint32_t *out);
/* Its slug; its number as text where nobody knows it. */
const char *scope_slug(struct cli *c, uint32_t id);
/* All territories that one may see, by slug; with `replicas` only those that this machine carries.
 */
int scope_all(struct cli *c, bool replicas, struct territory **out, size_t *n);
/* The one that `slug` names, or, where it is NULL, the only one there is. */
int scope_choose(struct cli *c, const char *slug, uint32_t *out);
/* Several slugs ("a,b" allowed in each). */
int scope_ids(struct cli *c, const struct words *slugs, uint32_t **out, size_t *n);
/* Says on a terminal, or when it is old, how old the replica is that an answer came from. */
void scope_tell_age(struct cli *c, int64_t age_ms);

#endif

/* gather.h -- the network of records that a view looks at: whole territories, from this machine's
 * replicas or from the server.  Functions return an exit status and have said what went wrong. */
#ifndef SEVE_CLI_GATHER_H
#define SEVE_CLI_GATHER_H

#include "cli.h"
#include "method/network.h"

struct gathered {
	struct arena arena; /* of the network and of what is computed from it */
	struct network net;
	uint32_t *territories;
	size_t n;
	size_t granted; /* territories that the account may see, as far as known: n or more */
	bool replica;   /* from this machine */
	int64_t age_ms;
};

/* `slugs`: those territories; empty: all that this machine carries, or with --server (or where it
 * carries none) all that one may see.  `kinds` as for network_init().  Ended by gather_end()
 * whatever this returns. */
int gather(struct cli *c, const struct words *slugs, const char *kinds, struct gathered *out);
/* The same for one territory, the only one where `slug` is NULL. */
int gather_one(struct cli *c, const char *slug, const char *kinds, struct gathered *out);
void gather_end(struct gathered *g);
/* After the output: how old it is. */
void gather_tell_age(struct cli *c, const struct gathered *g);

/* The record that a word (P-12, nord/P-12, ~k3f9, an id) names; of this kind, NULL: any. */
int gather_find(struct cli *c, const struct gathered *g, const char *kind, const char *word,
		const struct node **out);

#endif

/* network.h -- the records of one or more territories as what the method sees: by id, by kind, and
 * by who points at whom.  Built once from packed bodies, then only read.  Knows no storage, no
 * clock, no rights: what is handed in is what may be seen.  One thread at a time. */
#ifndef SEVE_NETWORK_H
#define SEVE_NETWORK_H

#include "field.h"
#include "uuid.h"

struct node {
	uint32_t territory;
	struct uuid id;
	uint64_t rev;
	const struct kind *kind;
	const Seve__Body *body;
};

/* `from` points at `to` by this field. */
struct edge {
	const struct node *to, *from;
	const field_desc *field;
};

struct nodes {
	const struct node **list; /* by territory, number of the reference, id */
	size_t n;
};

enum { NETWORK_KINDS = 64 };

struct network {
	struct arena *arena;
	uint64_t kinds; /* wanted: one bit by number */
	struct node *nodes;
	size_t n, room;
	struct nodes by_kind[NETWORK_KINDS];
	struct edge *edges; /* by `to`, then kind and order of `from` */
	size_t n_edges, edge_room;
};

/* `kinds` "actor position action", NULL: all.  Everything lives in the arena. */
int network_init(struct network *net, struct arena *a, const char *kinds, struct err *e);
/* A record in any order; of two with one id the higher rev holds; a body of no bytes is a deletion.
 * Kinds that are not wanted or not known are passed over.  0, -ERR_NOMEM, -ERR_INVALID. */
int network_add(struct network *net, uint32_t territory, const uint8_t id[16], uint64_t rev,
		const void *body, size_t n, struct err *e);
/* The same for a body that is unpacked already, and lives as long as the network. */
int network_add_body(struct network *net, uint32_t territory, const uint8_t id[16], uint64_t rev,
		     const Seve__Body *body, struct err *e);
/* After the last record: makes the indexes.  n log n.  0 or -ERR_NOMEM. */
int network_seal(struct network *net, struct err *e);

/* NULL when there is none. */
const struct node *network_find(const struct network *net, uint32_t territory,
				ProtobufCBinaryData id);
/* By "actor"; empty for a kind that is not known. */
struct nodes network_kind(const struct network *net, const char *kind);
/* Who points at the record, by kind and order: *n edges. */
const struct edge *network_edges(const struct network *net, const struct node *to, size_t *n);
/* The record of a territory, or NULL. */
const struct node *network_territory(const struct network *net, uint32_t territory);
/* Its policy; what it does not say has the usual value. */
Seve__Policy network_policy(const struct network *net, uint32_t territory);

/* What people call a record: its title, name or text.  "" where it has none. */
const char *node_name(const struct node *n);
/* "P-12", or "~k3f9f2" before the server has numbered it. */
void node_ref(const struct node *n, char out[static 16]);
/* The word of its state, "" where it has none. */
void node_state(const struct node *n, char out[static 48]);
/* When it entered it, ms since 1970; the last change where that was not kept (`*exact` false, may
 * be NULL); 0 unknown. */
int64_t node_state_at(const struct node *n, bool *exact);
/* The message, where the node is of this kind; else NULL. */
const ProtobufCMessage *node_as(const struct node *n, const ProtobufCMessageDescriptor *desc);
#define NODE_AS(n, Type, name) ((const Seve__##Type *)node_as((n), &seve__##name##__descriptor))

#endif

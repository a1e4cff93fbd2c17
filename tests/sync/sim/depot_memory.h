/* depot_memory.h -- the state of a depot in memory: one struct of pointers to what never changes. A
 * transaction works on a copy.  Private to depot_memory.c and depot_numbers.c. */
#ifndef SEVE_SIM_DEPOT_MEMORY_H
#define SEVE_SIM_DEPOT_MEMORY_H

#include "sim.h"

struct mem_row {
	const struct kind *kind; /* NULL: not known */
	uint64_t rev, generation;
	uint32_t ref_no;
	bool deleted;
	struct span body;
};

struct mem_entry {
	bool held;    /* in the outbox */
	bool settled; /* acknowledged, and kept for a while beside it */
	enum outbox_state state;
	uint64_t mid;   /* 0: it has made way for others */
	uint64_t epoch; /* that acknowledged it */
	struct span mutation;
};

struct mem_territory {
	struct depot_replica replica;
	struct resume_fork fork;
	uint64_t generation, last_mid;
	uint64_t numbers; /* the epoch under which these are right */
	struct mem_row rows[SIM_RECORDS];
	struct mem_entry outbox[SIM_EDITS + 1]; /* by serial number, and so in the order of mids */
	uint64_t touch[SIM_RECORDS];            /* bit n: the edit n touches the record */
};

struct memory {
	struct mem_territory disk[SIM_TERRITORIES]; /* what is committed */
	struct mem_territory now;                   /* of the transaction */
	uint32_t territory;
};

struct mem_territory *memory_begin(struct depot *d, uint32_t territory);
int memory_commit(struct depot *d);
/* As it is committed. */
const struct mem_territory *memory_look(struct depot *d, uint32_t territory);

unsigned memory_number(struct depot *d, uint32_t territory, const uint8_t id[16]);
void memory_unpack(struct depot *d, struct arena *a, const ProtobufCMessageDescriptor *desc,
		   struct span bytes, ProtobufCMessage **out);
struct span memory_pack(struct depot *d, const ProtobufCMessage *m);
bool memory_waits(const struct mem_entry *entry);

/* All pages of the comparison are dealt with. */
void memory_compared(struct depot_replica *r, struct resume_fork *fork);

int memory_numbers(struct depot *d, uint32_t territory, struct resume_state *out);
int memory_renumber(struct depot *d, uint32_t territory, const struct resume_point *p, bool refused,
		    bool compared);

#endif

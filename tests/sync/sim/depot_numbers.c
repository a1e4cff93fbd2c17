/* depot_numbers.c -- see depot_memory.h: numbers that fit the server's after its history has
 * changed, by the rules of resume.h. */
#include "depot_memory.h"

int memory_numbers(struct depot *d, uint32_t territory, struct resume_state *out)
{
	const struct mem_territory *t = memory_look(d, territory);

	*out = (struct resume_state){t->numbers, t->replica.epoch, t->replica.verify_epoch, false,
				     false};
	for (unsigned i = 1; i <= SIM_EDITS; i++) {
		out->waits |= memory_waits(&t->outbox[i]);
		out->settled |= t->outbox[i].settled;
	}
	return 0;
}

static bool trusts(const struct mem_territory *t, const struct resume_point *p)
{
	for (unsigned i = 1; i <= SIM_EDITS; i++)
		if ((t->outbox[i].held || t->outbox[i].settled) && t->outbox[i].mid == p->last_mid)
			return resume_trusts(p, t->outbox[i].mutation);
	return true;
}

/* What is to be offered again, in the order of its numbers; its touches go, and those of all that
 * stood behind the server's last number. */
static unsigned offers_take(struct depot *d, struct mem_territory *t, const struct resume_point *p,
			    bool trusted, Seve__Mutation **list)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= SIM_EDITS; i++) {
		struct mem_entry *entry = &t->outbox[i];
		ProtobufCMessage *m;

		for (unsigned k = 0; k < SIM_RECORDS && entry->mid > p->last_mid; k++)
			t->touch[k] &= ~((uint64_t)1 << i);
		if (memory_waits(entry)
			    ? resume_renames(p, trusted, entry->mid)
			    : entry->settled && resume_lost(p, trusted, entry->mid, entry->epoch)) {
			memory_unpack(d, &d->sim->arena, &seve__mutation__descriptor,
				      entry->mutation, &m);
			list[n++] = (Seve__Mutation *)m;
		} else if (entry->mid > p->last_mid) {
			entry->mid = 0; /* refused: out of the way of the numbers to come */
		}
	}
	return n;
}

static void offer_put(struct depot *d, struct mem_territory *t, const Seve__Mutation *m)
{
	t->outbox[m->client_time_ms] = (struct mem_entry){.held = true,
							  .state = OUTBOX_PENDING,
							  .mid = m->mid,
							  .mutation = memory_pack(d, &m->base)};
	for (size_t i = 0; i < m->n_changes; i++)
		t->touch[memory_number(d, m->territory, m->changes[i]->id.data)] |=
			(uint64_t)1 << m->client_time_ms;
}

int memory_renumber(struct depot *d, uint32_t territory, const struct resume_point *p, bool refused,
		    bool compared)
{
	struct mem_territory *t = memory_begin(d, territory);
	Seve__Mutation *list[SIM_EDITS + 1];
	const unsigned n = offers_take(d, t, p, !refused && trusts(t, p), list);
	struct err e;

	if (resume_renumber(
		    &d->sim->arena, list, n, p->last_mid,
		    resume_fork_bound(t->replica.exists ? &t->fork : NULL, t->numbers, p->epoch),
		    &e))
		sim_fail(d->sim, "%s", e.text);
	for (unsigned i = 0; i < n; i++)
		offer_put(d, t, list[i]);
	t->last_mid = p->last_mid + n;
	t->numbers = p->epoch;
	if (compared)
		memory_compared(&t->replica, &t->fork);
	return memory_commit(d);
}

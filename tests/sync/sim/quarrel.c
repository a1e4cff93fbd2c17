/* quarrel.c -- see quarrel.h. */
#include "quarrel.h"

#include "sim.h"

/* ---- the model ------------------------------------------------------------------------------ */

static struct oracle_record *at(struct sim *s, const struct apply_job *j, unsigned record)
{
	return &s->oracle.records[j->territory - 1][record];
}

static void put(struct sim *s, const struct apply_job *j, unsigned record, struct version v)
{
	struct oracle_record *r = at(s, j, record);
	struct version *next = SIM_NEED(s, arena_alloc(&s->arena, sizeof(struct version)));

	*next = v;
	next->rev = ++s->oracle.heads[j->territory - 1];
	next->writer = j->author.client_short;
	next->older = r->newest;
	r->newest = next;
	sim_trace(s, "  conflict %u of territory %u is at rev %llu", record, j->territory,
		  (unsigned long long)next->rev);
}

static bool is_about(const struct version *v, unsigned record)
{
	return v && v->values.v[VALUE_ABOUT] == (int)record + 1;
}

/* Who made a conflict is who wrote its first version. */
static uint64_t maker(const struct version *v)
{
	while (v->older)
		v = v->older;
	return v->writer;
}

/* The client's open conflict about the record; SIM_RECORDS: none. */
static unsigned open_of(struct sim *s, const struct apply_job *j, unsigned record)
{
	for (unsigned i = 0; i < SIM_RECORDS; i++) {
		const struct version *v = at(s, j, i)->newest;

		if (is_about(v, record) && v->values.v[VALUE_CASE] == QUARREL_OPEN &&
		    maker(v) == j->author.client_short)
			return i;
	}
	return SIM_RECORDS;
}

/* The conflict that the verdict names for this record. */
static unsigned named(struct sim *s, const struct apply_job *j, unsigned record)
{
	const Seve__Verdict *v = j->verdict;

	for (size_t i = 0; i < v->n_outcomes; i++)
		if (v->outcomes[i]->conflict_id.len == 16 &&
		    db_record(s, j->territory, v->outcomes[i]->id.data, true) == record)
			return db_record(s, j->territory, v->outcomes[i]->conflict_id.data, true);
	sim_fail(s, "mutation %llu of %s clashes on record %u, and no conflict keeps it",
		 (unsigned long long)j->mutation->mid, j->author.account, record);
}

static void lay_marks(struct sim *s, const struct apply_job *j, unsigned record, struct values *to)
{
	for (size_t i = 0; i < j->mutation->n_changes; i++) {
		const Seve__Change *c = j->mutation->changes[i];
		struct values add = {{0}, {0}}, remove = {{0}, {0}};

		if (db_record(s, j->territory, c->id.data, true) != record)
			continue;
		if (c->add)
			oracle_read(s, j->territory, c->add, &add);
		if (c->remove)
			oracle_read(s, j->territory, c->remove, &remove);
		for (unsigned w = 0; w < VALUES_MARKS / 64; w++)
			to->marks[w] = (to->marks[w] & ~remove.marks[w]) | add.marks[w];
	}
}

void quarrel_keep(struct sim *s, const struct apply_job *j, unsigned record, int level, bool all)
{
	const unsigned expected = open_of(s, j, record), got = named(s, j, record);
	const struct version *known = at(s, j, got)->newest;
	struct version v = {.whole = true};

	if (expected != SIM_RECORDS && got != expected)
		sim_fail(s, "mutation %llu of %s goes into conflict %u, and %u is open",
			 (unsigned long long)j->mutation->mid, j->author.account, got, expected);
	if (expected == SIM_RECORDS && known)
		sim_fail(s,
			 "mutation %llu of %s goes into conflict %u, which is not its own, or "
			 "closed",
			 (unsigned long long)j->mutation->mid, j->author.account, got);
	if (known)
		v.values = known->values;
	v.values.v[VALUE_ABOUT] = (int)record + 1;
	v.values.v[VALUE_CASE] = QUARREL_OPEN;
	/* Of what was never born, or has been purged, it keeps the level that it has. */
	if (!known || (at(s, j, record)->newest && !at(s, j, record)->purged))
		v.values.v[VALUE_LEVEL] = level;
	if (all)
		lay_marks(s, j, record, &v.values);
	put(s, j, got, v);
}

void quarrel_follow(struct sim *s, const struct apply_job *j, unsigned record, int level)
{
	for (uint64_t after = 0;;) {
		unsigned next = SIM_RECORDS;
		struct version v;

		/* In the order of their revisions. */
		for (unsigned i = 0; i < SIM_RECORDS; i++) {
			const struct version *x = at(s, j, i)->newest;

			if (is_about(x, record) && x->values.v[VALUE_LEVEL] != level &&
			    x->rev > after &&
			    (next == SIM_RECORDS || x->rev < at(s, j, next)->newest->rev))
				next = i;
		}
		if (next == SIM_RECORDS)
			return;
		v = *at(s, j, next)->newest;
		after = v.rev;
		v.whole = false;
		v.values.v[VALUE_LEVEL] = level;
		put(s, j, next, v);
	}
}

bool quarrel_held(const struct sim *s, uint32_t territory, unsigned record, unsigned mark)
{
	for (unsigned i = 0; i < SIM_RECORDS; i++)
		for (const struct version *v = s->oracle.records[territory - 1][i].newest; v;
		     v = v->older)
			if (is_about(v, record) && values_marked(&v->values, mark))
				return true;
	return false;
}

/* ---- people --------------------------------------------------------------------------------- */

Seve__Change *quarrel_decide(struct sim *s, const struct uuid *id, const struct outbox_view *v,
			     struct uuid *about)
{
	const Seve__Conflict *known = v->body ? v->body->conflict : NULL;
	Seve__Conflict *set;
	Seve__Change *c;

	if (!sim_has(s, SIM_CONFLICTS) || !known ||
	    known->state != SEVE__CONFLICT__STATE__STATE_OPEN)
		return NULL;
	memcpy(about->b, known->record_id.data, sizeof about->b);
	c = SIM_NEED(s, (Seve__Change *)arena_alloc(&s->arena, sizeof *c));
	set = SIM_NEED(s, (Seve__Conflict *)arena_alloc(&s->arena, sizeof *set));
	seve__change__init(c);
	c->set = SIM_NEED(s, (Seve__Body *)arena_alloc(&s->arena, sizeof *c->set));
	c->mask = SIM_NEED(s, (uint32_t *)arena_array(&s->arena, 2, sizeof *c->mask));
	seve__conflict__init(set);
	seve__body__init(c->set);
	kind_set_message(kind_by_number(SEVE__BODY__KIND_CONFLICT), c->set, &set->base);
	set->has_state = set->has_resolution = true;
	set->state = SEVE__CONFLICT__STATE__STATE_RESOLVED;
	set->resolution = (Seve__Conflict__Resolution)(1 + sim_dice(s, 3));
	c->mask[c->n_mask++] = 4;
	c->mask[c->n_mask++] = 20;
	c->has_op = c->has_id = c->has_kind = c->has_base_rev = true;
	c->op = SEVE__CHANGE__OP__OP_UPDATE;
	c->id.len = 16;
	c->id.data = SIM_NEED(s, (uint8_t *)arena_memdup(&s->arena, id->b, 16));
	c->kind = SEVE__BODY__KIND_CONFLICT;
	return c;
}

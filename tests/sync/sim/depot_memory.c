/* depot_memory.c -- see depot.h. */
#include "depot_memory.h"

#include "bug.h"
#include "manifest.h"
#include "wire.h"

/* ---- transactions
 * -------------------------------------------------------------------------------- */

struct mem_territory *memory_begin(struct depot *d, uint32_t territory)
{
	struct memory *m = d->self;

	m->territory = territory;
	m->now = m->disk[territory - 1];
	return &m->now;
}

const struct mem_territory *memory_look(struct depot *d, uint32_t territory)
{
	return &((struct memory *)d->self)->disk[territory - 1];
}

int memory_commit(struct depot *d)
{
	struct memory *m = d->self;

	if (sim_step(d->sim))
		return -ERR_IO; /* before the write that counts */
	m->disk[m->territory - 1] = m->now;
	return sim_step(d->sim) ? -ERR_IO : 0;
}

unsigned memory_number(struct depot *d, uint32_t territory, const uint8_t id[16])
{
	return db_record(d->sim, territory, id, true);
}

void memory_unpack(struct depot *d, struct arena *a, const ProtobufCMessageDescriptor *desc,
		   struct span bytes, ProtobufCMessage **out)
{
	struct err e;

	if (wire_unpack(a, desc, bytes.at, bytes.len, out, &e))
		sim_fail(d->sim, "a stored message: %s", e.text);
}

struct span memory_pack(struct depot *d, const ProtobufCMessage *m)
{
	const struct span bytes = wire_pack(&d->sim->arena, m);

	(void)SIM_NEED(d->sim, bytes.at);
	return bytes;
}

/* ---- records
 * ----------------------------------------------------------------------------------------- */

static void view_of(struct depot *d, struct arena *a, const struct mem_row *r,
		    struct outbox_view *out)
{
	ProtobufCMessage *m = NULL;

	*out = (struct outbox_view){
		.kind = r->kind, .deleted = r->deleted, .rev = r->rev, .ref_no = r->ref_no};
	if (r->kind && !r->deleted)
		memory_unpack(d, a, &seve__body__descriptor, r->body, &m);
	out->body = (const Seve__Body *)m;
}

static bool put_row(struct mem_row *at, const struct mem_row *next)
{
	uint64_t before;

	if (at->kind && next->rev < at->rev && next->generation <= at->generation &&
	    !SEVE_BUG(no_rev_guard))
		return false;
	before = at->generation;
	*at = *next;
	if (at->generation < before)
		at->generation = before;
	return true;
}

/* While a load is under way, what comes by another way is no part of it. */
static uint64_t aside(const struct mem_territory *t)
{
	return t->replica.loading ? t->generation - 1 : t->generation;
}

static int memory_base(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
		       struct outbox_view *out)
{
	view_of(d, a, &memory_look(d, territory)->rows[memory_number(d, territory, id->b)], out);
	return 0;
}

static void fold(struct depot *d, struct arena *a, struct span bytes, const struct uuid *id,
		 struct outbox_view *v)
{
	const Seve__Mutation *mutation;
	ProtobufCMessage *m;
	struct err e;

	memory_unpack(d, a, &seve__mutation__descriptor, bytes, &m);
	mutation = (const Seve__Mutation *)m;
	for (size_t i = 0; i < mutation->n_changes; i++)
		if (!memcmp(mutation->changes[i]->id.data, id->b, 16) &&
		    outbox_fold(a, v, mutation->changes[i], &e))
			sim_fail(d->sim, "showing an edit: %s", e.text);
}

bool memory_waits(const struct mem_entry *entry)
{
	return entry->held && outbox_waits(entry->state);
}

static int memory_shown(struct depot *d, struct arena *a, uint32_t territory, const struct uuid *id,
			struct outbox_view *out)
{
	const struct mem_territory *t = memory_look(d, territory);
	const unsigned n = memory_number(d, territory, id->b);

	view_of(d, a, &t->rows[n], out);
	for (unsigned i = 1; i <= SIM_EDITS; i++)
		if (t->touch[n] >> i & 1 && memory_waits(&t->outbox[i]))
			fold(d, a, t->outbox[i].mutation, id, out);
	return 0;
}

/* ---- the outbox
 * ------------------------------------------------------------------------------------------ */

/* The number of the last edit that touches it; 0: none does. */
static uint64_t last_touch(const struct mem_territory *t, uint64_t touch)
{
	unsigned n = 0;

	while (touch >>= 1)
		n++;
	return n ? t->outbox[n].mid : 0;
}

static int memory_add(struct depot *d, Seve__Mutation *m)
{
	struct mem_territory *t = memory_begin(d, m->territory);
	const uint64_t serial = (uint64_t)m->client_time_ms;

	if (serial > SIM_EDITS)
		return -ERR_EXHAUSTED;
	m->has_mid = m->has_client_id = true;
	m->mid = ++t->last_mid;
	m->client_id = (ProtobufCBinaryData){16, d->client.b};
	for (size_t i = 0; i < m->n_changes; i++) {
		uint64_t *touch = &t->touch[memory_number(d, m->territory, m->changes[i]->id.data)];

		m->changes[i]->base_mid = last_touch(t, *touch);
		m->changes[i]->has_base_mid = m->changes[i]->base_mid != 0;
		*touch |= (uint64_t)1 << serial;
	}
	t->outbox[serial] = (struct mem_entry){.held = true,
					       .state = OUTBOX_PENDING,
					       .mid = m->mid,
					       .mutation = memory_pack(d, &m->base)};
	return memory_commit(d);
}

static int memory_take(struct depot *d, struct arena *a, uint32_t territory, size_t most,
		       Seve__PushRequest *out)
{
	struct mem_territory *t = memory_begin(d, territory);

	out->n_mutations = 0;
	out->mutations =
		SIM_NEED(d->sim, (Seve__Mutation **)arena_array(a, most, sizeof *out->mutations));
	for (unsigned i = 1; i <= SIM_EDITS && out->n_mutations < most; i++) {
		ProtobufCMessage *m;

		if (!memory_waits(&t->outbox[i]))
			continue;
		memory_unpack(d, a, &seve__mutation__descriptor, t->outbox[i].mutation, &m);
		out->mutations[out->n_mutations++] = (Seve__Mutation *)m;
		t->outbox[i].state = OUTBOX_SENT;
	}
	return out->n_mutations ? memory_commit(d) : 0;
}

static void settle_done(struct depot *d, struct mem_territory *t, const Seve__Mutation *m,
			const Seve__Verdict *v, const char *account, int64_t now_ms)
{
	const uint64_t bit = (uint64_t)1 << m->client_time_ms;
	struct mem_entry *entry = &t->outbox[m->client_time_ms];

	entry->held = false;
	entry->settled = true;
	entry->epoch = d->sim->users[d->user].epoch;
	for (size_t i = 0; i < m->n_changes; i++) {
		const uint8_t *id = m->changes[i]->id.data;
		const unsigned n = memory_number(d, m->territory, id);
		struct outbox_view view;
		struct err e;
		uint64_t before;

		view_of(d, &d->sim->arena, &t->rows[n], &view);
		before = view.rev;
		if (outbox_settle(&d->sim->arena, &view, id, m, v, account, now_ms, &e))
			sim_fail(d->sim, "settling: %s", e.text);
		if (view.rev > before && view.kind) {
			const struct mem_row row = {
				view.kind,
				view.rev,
				aside(t),
				view.ref_no,
				view.deleted,
				view.body ? memory_pack(d, &view.body->base) : (struct span){0}};

			put_row(&t->rows[n], &row);
		}
		/* What was held back as a whole is nothing that later edits build upon. */
		t->touch[n] &= v->code == SEVE__VERDICT__CODE__CONFLICT ? ~bit : ~(bit - 1);
	}
}

static void settle_kept(struct depot *d, struct mem_territory *t, const Seve__Mutation *m,
			const Seve__Verdict *v, enum outbox_state state)
{
	t->outbox[m->client_time_ms].state = state;
	for (size_t i = 0; i < m->n_changes; i++) {
		const unsigned n = memory_number(d, m->territory, m->changes[i]->id.data);
		const Seve__Outcome *o = outbox_outcome(v, m->changes[i]->id.data);

		t->touch[n] &= ~((uint64_t)1 << m->client_time_ms);
		if (o && o->body && kind_of(o->body)) {
			const struct mem_row row = {
				kind_of(o->body), o->rev, aside(t),
				o->ref_no,        false,  memory_pack(d, &o->body->base)};

			put_row(&t->rows[n], &row);
		}
	}
}

/* Where nothing is carried and nothing waits, the record is of no more use. */
static void drop_unused(struct depot *d, struct mem_territory *t, const Seve__Mutation *m)
{
	for (size_t i = 0; i < m->n_changes && !t->replica.exists; i++) {
		const unsigned n = memory_number(d, m->territory, m->changes[i]->id.data);
		bool waiting = false;

		for (unsigned k = 1; k <= SIM_EDITS; k++)
			waiting |= t->touch[n] >> k & 1 && memory_waits(&t->outbox[k]);
		if (!waiting)
			t->rows[n] = (struct mem_row){0};
	}
}

static int memory_settle(struct depot *d, uint32_t territory, const Seve__PushRequest *sent,
			 const Seve__PushReply *reply, const char *account, int64_t now_ms)
{
	struct mem_territory *t = memory_begin(d, territory);
	uint64_t mids[SIM_EDITS];
	struct err e;

	for (size_t i = 0; i < sent->n_mutations; i++)
		mids[i] = sent->mutations[i]->mid;
	if (outbox_answers(mids, sent->n_mutations, reply, &e))
		sim_fail(d->sim, "%s", e.text);
	for (size_t i = 0; i < sent->n_mutations; i++) {
		const Seve__Mutation *m = sent->mutations[i];
		const enum outbox_state state = outbox_judge(reply->verdicts[i]);

		if (state == OUTBOX_DONE)
			settle_done(d, t, m, reply->verdicts[i], account, now_ms);
		else
			settle_kept(d, t, m, reply->verdicts[i], state);
		drop_unused(d, t, m);
	}
	t->numbers = d->sim->users[d->user].epoch;
	return memory_commit(d);
}

static int memory_fates(struct depot *d, uint32_t territory, enum outbox_state out[SIM_EDITS + 1])
{
	const struct mem_territory *t = memory_look(d, territory);

	for (unsigned i = 0; i <= SIM_EDITS; i++)
		out[i] = t->outbox[i].held ? t->outbox[i].state : OUTBOX_DONE;
	return 0;
}

/* ---- the replica
 * ------------------------------------------------------------------------------------------- */

static int memory_replica(struct depot *d, uint32_t territory, struct depot_replica *out)
{
	*out = memory_look(d, territory)->replica;
	return 0;
}

static int memory_make(struct depot *d, uint32_t territory)
{
	struct mem_territory *t = memory_begin(d, territory);

	if (t->replica.exists)
		return 0;
	t->replica = (struct depot_replica){.exists = true, .loading = true};
	t->fork = (struct resume_fork){-1, false};
	t->generation = 1;
	return memory_commit(d);
}

static void page_row(struct depot *d, struct mem_territory *t, uint32_t territory,
		     const Seve__Record *r)
{
	struct mem_row row = {kind_by_number(r->kind), r->rev, t->generation, 0, r->deleted, {0}};
	struct arena *a = &d->sim->arena;

	if (!row.deleted) {
		ProtobufCMessage *m;

		row.body = (struct span){SIM_NEED(d->sim, (const uint8_t *)arena_memdup(
								  a, r->body.data, r->body.len)),
					 r->body.len};
		memory_unpack(d, a, &seve__body__descriptor, row.body, &m);
		row.ref_no = ((Seve__Body *)m)->meta ? ((Seve__Body *)m)->meta->ref_no : 0;
	}
	put_row(&t->rows[memory_number(d, territory, r->id.data)], &row);
}

static int memory_page(struct depot *d, const Seve__Page *p, uint64_t epoch, uint64_t view)
{
	struct mem_territory *t = memory_begin(d, p->territory);

	if (t->replica.verify_epoch)
		sim_fail(d->sim, "a page in the middle of a comparison");
	if (!t->replica.exists || p->from_rev != t->replica.rev || p->to_rev < p->from_rev)
		return -ERR_PROTOCOL;
	t->replica.epoch = epoch;
	t->replica.view = view;
	t->replica.rev = p->to_rev;
	t->replica.start = p->start;
	if (SEVE_BUG(checkpoint_first)) {
		const int rc = memory_commit(d);

		if (rc)
			return rc;
	}
	for (size_t i = 0; i < p->n_records; i++)
		page_row(d, t, p->territory, p->records[i]);
	return memory_commit(d);
}

static int memory_complete(struct depot *d, const Seve__PullReply *p)
{
	struct mem_territory *t = memory_begin(d, p->territory);

	if (t->replica.verify_epoch)
		sim_fail(d->sim, "a pull ends in the middle of a comparison");
	if (!t->replica.exists || p->head_rev < t->replica.rev)
		return -ERR_PROTOCOL;
	for (unsigned n = 0; t->replica.loading && n < SIM_RECORDS; n++)
		if (t->rows[n].generation != t->generation)
			t->rows[n] = (struct mem_row){0};
	t->replica.loading = false;
	t->replica.complete = true;
	t->replica.epoch = p->epoch;
	t->replica.view = p->view;
	t->replica.rev = p->head_rev;
	t->replica.start = 0;
	return memory_commit(d);
}

static int memory_reset(struct depot *d, uint32_t territory)
{
	struct mem_territory *t = memory_begin(d, territory);

	t->replica.epoch = t->replica.view = t->replica.rev = t->replica.start = 0;
	t->replica.verify_epoch = 0;
	t->replica.loading = true;
	t->generation++;
	return memory_commit(d);
}

/* ---- comparing with the manifest
 * ------------------------------------------------------------------------- */

static int memory_verify(struct depot *d, uint32_t territory, uint64_t epoch, uint64_t view)
{
	struct mem_territory *t = memory_begin(d, territory);

	resume_fork_begin(&t->fork, t->replica.epoch, t->replica.verify_epoch, epoch);
	t->replica.epoch = t->replica.view = t->replica.rev = t->replica.start = 0;
	t->replica.verify_epoch = epoch;
	t->replica.verify_view = view;
	t->replica.verify_head = 0;
	t->replica.verify_begun = false;
	t->replica.loading = true;
	t->generation++;
	return memory_commit(d);
}

struct comparing {
	struct depot *d;
	struct mem_territory *t;
	uint32_t territory;
	uint8_t (*ids)[16];
	unsigned *n;
};

static int act_keep(void *ctx, const struct manifest_row *row)
{
	struct comparing *c = ctx;
	struct mem_row *own = &c->t->rows[memory_number(c->d, c->territory, row->id)];

	resume_fork_keep(&c->t->fork, own->generation >= c->t->generation, own->rev);
	own->generation = c->t->generation;
	return 0;
}

static int act_drop(void *ctx, const struct manifest_row *row)
{
	struct comparing *c = ctx;

	c->t->rows[memory_number(c->d, c->territory, row->id)] = (struct mem_row){0};
	return 0;
}

static int act_fetch(void *ctx, const uint8_t id[MANIFEST_ID])
{
	struct comparing *c = ctx;

	memcpy(c->ids[(*c->n)++], id, MANIFEST_ID);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct manifest_row *)a)->id, ((const struct manifest_row *)b)->id,
		      MANIFEST_ID);
}

static unsigned rows_between(struct depot *d, const struct mem_territory *t, uint32_t territory,
			     const uint8_t *after, const uint8_t *last,
			     struct manifest_row out[static SIM_RECORDS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->sim->db.n_ids[territory - 1]; i++) {
		const uint8_t *id = d->sim->db.ids[territory - 1][i].b;

		if (!t->rows[i].kind || (after && memcmp(id, after, 16) <= 0) ||
		    (last && memcmp(id, last, 16) > 0))
			continue;
		memcpy(out[n].id, id, 16);
		out[n].live = !t->rows[i].deleted;
		if (out[n].live)
			manifest_check(t->rows[i].rev, t->rows[i].body, out[n].check);
		n++;
	}
	qsort(out, n, sizeof *out, by_id);
	return n;
}

static int memory_compare(struct depot *d, const Seve__ManifestReply *m, uint8_t (*ids)[16],
			  unsigned *n)
{
	struct mem_territory *t = memory_begin(d, m->territory);
	struct depot_replica *r = &t->replica;
	const struct span entries = {m->entries.data, m->entries.len};
	struct comparing c = {d, t, m->territory, ids, n};
	const struct manifest_acts acts = {&c, act_keep, act_drop, act_fetch};
	struct manifest_row rows[SIM_RECORDS];
	struct err e;

	*n = 0;
	if (r->verify_epoch != m->epoch || r->verify_view != m->view)
		return -ERR_RESET_REQUIRED;
	if (manifest_page(entries, r->verify_begun ? r->verify_after : NULL, &e))
		sim_fail(d->sim, "%s", e.text);
	if (!r->verify_begun)
		r->verify_head = m->head_rev;
	manifest_diff(entries, rows,
		      rows_between(d, t, m->territory, r->verify_begun ? r->verify_after : NULL,
				   m->more ? manifest_last(entries) : NULL, rows),
		      &acts);
	return memory_commit(d);
}

static int memory_fetched(struct depot *d, uint32_t territory, const Seve__GetReply *r)
{
	struct mem_territory *t = memory_begin(d, territory);

	for (size_t i = 0; i < r->n_records; i++)
		page_row(d, t, territory, r->records[i]);
	return memory_commit(d);
}

void memory_compared(struct depot_replica *r, struct resume_fork *fork)
{
	r->epoch = r->verify_epoch;
	r->view = r->verify_view;
	r->rev = r->verify_head;
	r->verify_epoch = 0;
	*fork = (struct resume_fork){-1, false};
}

static int memory_verified(struct depot *d, uint32_t territory, const uint8_t *to)
{
	struct mem_territory *t = memory_begin(d, territory);
	struct depot_replica *r = &t->replica;

	if (to) {
		memcpy(r->verify_after, to, sizeof r->verify_after);
		r->verify_begun = true;
	} else {
		memory_compared(r, &t->fork);
	}
	return memory_commit(d);
}

static int memory_revoke(struct depot *d, uint32_t territory)
{
	struct mem_territory *t = memory_begin(d, territory);

	for (unsigned i = 1; i <= SIM_EDITS; i++) {
		if (memory_waits(&t->outbox[i]))
			t->outbox[i].state = OUTBOX_REJECTED;
		t->outbox[i].settled = false;
	}
	memset(t->touch, 0, sizeof t->touch);
	memset(t->rows, 0, sizeof t->rows);
	t->replica = (struct depot_replica){0};
	t->generation = 0;
	return memory_commit(d);
}

/* ---- opening
 * --------------------------------------------------------------------------------------------------
 */

static void memory_reopen(struct depot *d)
{
	(void)d; /* what is committed is what there is */
}

static void memory_close(struct depot *d)
{
	(void)d; /* all of it lies in the history's arena */
}

void depot_memory_open(struct sim *s, unsigned user, const struct uuid *client, struct depot *out)
{
	static const struct depot_ops ops = {
		.add = memory_add,
		.take = memory_take,
		.settle = memory_settle,
		.replica = memory_replica,
		.make = memory_make,
		.page = memory_page,
		.complete = memory_complete,
		.reset = memory_reset,
		.verify = memory_verify,
		.compare = memory_compare,
		.fetched = memory_fetched,
		.verified = memory_verified,
		.revoke = memory_revoke,
		.base = memory_base,
		.shown = memory_shown,
		.fates = memory_fates,
		.numbers = memory_numbers,
		.renumber = memory_renumber,
		.reopen = memory_reopen,
		.close = memory_close,
	};

	*out = (struct depot){.ops = &ops, .sim = s, .user = user, .client = *client};
	out->self = SIM_NEED(s, arena_zalloc(&s->arena, sizeof(struct memory)));
}

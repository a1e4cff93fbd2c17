/* db.c -- see db.h. */
#include "sim.h"

#include "bugs.h"
#include "check.h"
#include "wire.h"

static Seve__Role first_role(struct sim *s)
{
	const unsigned n = sim_has(s, SIM_GRANTS) ? sim_dice(s, 4) : 3;

	return n == 0   ? SEVE__ROLE__ROLE_OBSERVER
	       : n == 1 ? SEVE__ROLE__ROLE_COORDINATOR
			: SEVE__ROLE__ROLE_FACILITATOR;
}

void db_begin(struct sim *s)
{
	struct db *db = &s->db;

	db->epoch = 1000 + s->plan.seed % 1000;
	db->up = true;
	for (unsigned u = 0; u < SIM_USERS; u++)
		for (unsigned t = 0; t < SIM_TERRITORIES; t++)
			db->roles[u][t] = u ? first_role(s) : SEVE__ROLE__ROLE_FACILITATOR;
}

unsigned db_record(struct sim *s, uint32_t territory, const uint8_t id[16], bool add)
{
	struct db *db = &s->db;
	const unsigned t = territory - 1;

	for (unsigned i = 0; i < db->n_ids[t]; i++)
		if (!memcmp(db->ids[t][i].b, id, 16))
			return i;
	if (!add)
		return SIM_RECORDS;
	if (db->n_ids[t] == SIM_RECORDS)
		sim_fail(s, "the model has room for %d records", SIM_RECORDS);
	memcpy(db->ids[t][db->n_ids[t]].b, id, 16);
	return db->n_ids[t]++;
}

/* ---- locks
 * --------------------------------------------------------------------------------------- */

bool db_lock(struct sim *s, uint32_t territory, unsigned server)
{
	struct db *db = &s->db;
	unsigned *owner = &db->locked_by[territory - 1];

	db->waited_by[server] = 0;
	if (!*owner || *owner == server + 1 || SEVE_BUG(serial_cursor) || SEVE_BUG(no_lock)) {
		*owner = server + 1;
		return true;
	}
	db->waited_by[server] = territory;
	for (unsigned other = *owner, hops = 0; other && hops < SIM_SERVERS; hops++) {
		if (other == server + 1)
			sim_fail(s, "two servers wait for each other's head locks");
		other = db->waited_by[other - 1] ? db->locked_by[db->waited_by[other - 1] - 1] : 0;
	}
	return false;
}

void db_unlock(struct sim *s, unsigned server)
{
	s->db.waited_by[server] = 0;
	for (unsigned t = 0; t < SIM_TERRITORIES; t++)
		if (s->db.locked_by[t] == server + 1)
			s->db.locked_by[t] = 0;
}

/* ---- loading: the apply_wants of a batch
 * ----------------------------------------------------------- */

struct loading {
	struct sim *s;
	struct world *w;
};

static const struct db_row *row_of(struct sim *s, uint32_t territory, const struct uuid *id)
{
	const unsigned n = db_record(s, territory, id->b, false);

	return n == SIM_RECORDS ? NULL : s->db.now.rows[territory - 1][n];
}

static const Seve__Body *read_body(struct loading *l, struct span bytes)
{
	ProtobufCMessage *m;
	struct err e;

	if (!bytes.at)
		return NULL;
	if (wire_unpack(l->w->arena, &seve__body__descriptor, bytes.at, bytes.len, &m, &e))
		sim_fail(l->s, "a stored record: %s", e.text);
	return (const Seve__Body *)m;
}

static int want_record(void *ctx, uint32_t territory, const struct uuid *id, bool full)
{
	struct loading *l = ctx;
	struct world_record *r = SIM_NEED(l->s, world_record(l->w, territory, id, true));

	r->full |= full;
	return 0;
}

static int want_prior(void *ctx, uint32_t territory, const struct uuid *client, uint64_t mid)
{
	struct loading *l = ctx;
	struct world_prior *last = SIM_NEED(l->s, world_prior(l->w, territory, client, 0, true));
	struct world_prior *p = SIM_NEED(l->s, world_prior(l->w, territory, client, mid, true));

	for (const struct db_verdict *v = l->s->db.now.verdicts; v; v = v->older) {
		if (v->territory != territory || uuid_cmp(&v->client, client))
			continue;
		if (v->mid > last->last_mid)
			last->last_mid = v->mid;
		if (v->mid != mid)
			continue;
		memcpy(p->hash, v->hash, sizeof p->hash);
		p->code = v->code;
		p->verdict = v->bytes;
	}
	return 0;
}

static int want_version(void *ctx, uint32_t territory, const struct uuid *id)
{
	struct loading *l = ctx;
	struct world_record *r = SIM_NEED(l->s, world_record(l->w, territory, id, true));
	const struct db_row *row = row_of(l->s, territory, id);

	if (row && !r->last_body)
		r->last_body = read_body(l, row->last_body);
	return 0;
}

static int want_referrers(void *ctx, uint32_t territory, const struct uuid *to)
{
	struct loading *l = ctx;
	const unsigned n = db_record(l->s, territory, to->b, false);

	for (unsigned i = 0; n < SIM_RECORDS && i < l->s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = l->s->db.now.rows[territory - 1][i];

		if (row && !row->deleted && row->link == (int)n + 1 &&
		    world_referrer_add(l->w, territory, to, &l->s->db.ids[territory - 1][i], 1))
			sim_fail(l->s, "out of memory");
	}
	return 0;
}

/* Conflicts; the histories hold no other kind that is asked for. */
static int want_needed(void *ctx, uint32_t territory, const struct uuid *to, uint32_t through,
		       const struct kind *kind, uint32_t tag)
{
	struct loading *l = ctx;
	const int n = (int)db_record(l->s, territory, to->b, false) + 1;

	(void)through;
	(void)tag;
	for (unsigned i = 0; i < l->s->db.n_ids[territory - 1]; i++) {
		const struct db_row *row = l->s->db.now.rows[territory - 1][i];

		if (row && row->kind == kind && row->about == n)
			want_record(l, territory, &l->s->db.ids[territory - 1][i], true);
	}
	return 0;
}

static int want_past(void *ctx, uint32_t territory, const struct uuid *id, uint64_t rev)
{
	struct loading *l = ctx;
	const unsigned n = db_record(l->s, territory, id->b, false);

	for (const struct db_version *v = l->s->db.now.versions; v; v = v->older) {
		const struct world_version past = {
			.record = SIM_NEED(l->s, world_record(l->w, territory, id, true)),
			.rev = v->rev,
			.next_rev = v->next_rev,
			.by = v->by,
			.client_time = v->client_time,
			.at = v->at,
			.body = v->territory == territory && v->record == n && v->rev <= rev
					? read_body(l, v->body)
					: NULL,
		};

		if (v->territory == territory && v->record == n && v->next_rev > rev &&
		    world_add_past(l->w, &past))
			sim_fail(l->s, "out of memory");
	}
	return 0;
}

/* No history holds what these would find. */
static int want_named(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		      uint32_t tag)
{
	(void)ctx;
	(void)territory;
	(void)origin;
	(void)through;
	(void)tag;
	return 0;
}

static int want_abroad(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through)
{
	return want_named(ctx, territory, origin, through, 0);
}

static int want_all(void *ctx, uint32_t territory, const struct kind *kind)
{
	(void)kind;
	return want_named(ctx, territory, NULL, 0, 0);
}

static int want_unique(void *ctx, uint32_t territory, const struct kind *k,
		       const ProtobufCFieldDescriptor *fd, const char *value)
{
	(void)ctx;
	(void)territory;
	(void)k;
	(void)fd;
	(void)value;
	return 0;
}

static int want_import(void *ctx, uint32_t territory, const struct kind *k, const char *source,
		       const char *key)
{
	(void)ctx;
	(void)territory;
	(void)k;
	(void)source;
	(void)key;
	return 0;
}

static void fill_record(struct loading *l, struct world_record *r)
{
	const struct db_row *row = row_of(l->s, r->key.territory, &r->key.id);
	struct err e;

	if (!row || r->exists)
		return;
	r->kind = row->kind;
	r->exists = true;
	r->deleted = row->deleted;
	r->rev = row->rev;
	r->narrowed_rev = row->narrowed_rev;
	r->ref_no = row->ref_no;
	r->level = row->level;
	if (!r->full)
		return;
	r->body = read_body(l, row->body);
	if (field_revs_unpack(l->w->arena, row->revs, &r->revs, &e))
		sim_fail(l->s, "stored field revisions: %s", e.text);
}

static struct apply_wants wants_of(struct loading *l)
{
	return (struct apply_wants){
		.ctx = l,
		.record = want_record,
		.prior = want_prior,
		.last_version = want_version,
		.referrers = want_referrers,
		.needed = want_needed,
		.named = want_named,
		.abroad = want_abroad,
		.all = want_all,
		.past = want_past,
		.unique = want_unique,
		.import = want_import,
	};
}

static void fill_records(struct loading *l)
{
	struct world_record *r, *tmp;

	HASH_ITER (hh, l->w->records, r, tmp)
		fill_record(l, r);
}

void db_explain(struct sim *s, struct world *w, const struct apply_job *const *jobs, unsigned n)
{
	struct loading l = {s, w};
	const struct apply_wants wants = wants_of(&l);

	for (unsigned i = 0; i < n; i++)
		if (apply_clash_needs(jobs[i], w, &wants))
			sim_fail(s, "out of memory");
	fill_records(&l);
}

void db_load(struct sim *s, struct world *w, const struct apply_job *const *jobs, unsigned n)
{
	struct loading l = {s, w};
	const struct apply_wants wants = wants_of(&l);

	for (unsigned i = 0; i < n; i++) {
		struct world_head *h = SIM_NEED(s, world_head(w, jobs[i]->territory, true));
		const struct db_head *head = &s->db.now.heads[jobs[i]->territory - 1];

		h->rev = SEVE_BUG(serial_cursor) ? s->db.sequence[jobs[i]->territory - 1]
						 : head->rev;
		h->loaded = true;
		memcpy(h->counters, head->counters, sizeof h->counters);
		if (apply_needs(jobs[i], &wants))
			sim_fail(s, "out of memory");
	}
	fill_records(&l);
}

void db_sequence(struct sim *s, const struct world *w)
{
	const struct world_head *h, *tmp;

	HASH_ITER (hh, w->heads, h, tmp)
		s->db.sequence[h->territory - 1] = h->rev;
}

/* ---- writing
 * ------------------------------------------------------------------------------------------ */

static struct span keep(struct sim *s, struct span bytes)
{
	return (struct span){
		SIM_NEED(s, (const uint8_t *)arena_memdup(&s->arena, bytes.at, bytes.len)),
		bytes.len};
}

static struct span keep_message(struct sim *s, const ProtobufCMessage *m)
{
	const struct span bytes = wire_pack(&s->arena, m);

	(void)SIM_NEED(s, bytes.at);
	return bytes;
}

static void write_record(struct sim *s, const struct world_record *r)
{
	const unsigned n = db_record(s, r->key.territory, r->key.id.b, true);
	const struct db_row **at = &s->db.now.rows[r->key.territory - 1][n];
	struct db_row *row = SIM_NEED(s, arena_zalloc(&s->arena, sizeof *row));

	row->rev = r->rev;
	row->narrowed_rev = r->narrowed_rev;
	row->at_ms = s->agenda.now_ms;
	row->kind = r->kind;
	row->ref_no = r->ref_no;
	row->level = r->level;
	row->deleted = r->deleted;
	row->revs = keep(s, field_revs_pack(&s->arena, &r->revs));
	if (r->body)
		row->body = keep_message(s, &r->body->base);
	else if (r->last_body)
		row->last_body = keep_message(s, &r->last_body->base);
	else if (*at)
		row->last_body = (*at)->deleted ? (*at)->last_body : (*at)->body;
	if (r->body)
		row->link = oracle_link(s, r->key.territory, r->body);
	if (r->body && r->body->kind_case == SEVE__BODY__KIND_CONFLICT)
		row->about = (int)db_record(s, r->key.territory, r->body->conflict->record_id.data,
					    true) +
			     1;
	*at = row;
}

static void write_version(struct sim *s, const struct world_version *v)
{
	struct db_version *to = SIM_NEED(s, arena_zalloc(&s->arena, sizeof *to));

	to->territory = v->record->key.territory;
	to->record = db_record(s, to->territory, v->record->key.id.b, true);
	to->rev = v->rev;
	to->next_rev = v->next_rev;
	to->by = SIM_NEED(s, (const char *)arena_strdup(&s->arena, v->by));
	to->client_time = v->client_time;
	to->at = v->at;
	if (v->body)
		to->body = keep_message(s, &v->body->base);
	to->older = s->db.now.versions;
	s->db.now.versions = to;
}

static void write_verdict(struct sim *s, const struct apply_job *j)
{
	struct db_verdict *v = SIM_NEED(s, arena_zalloc(&s->arena, sizeof *v));

	v->territory = j->territory;
	v->client = j->author.client;
	v->mid = j->mutation->mid;
	v->serial = (uint64_t)j->mutation->client_time_ms;
	memcpy(v->hash, j->hash, sizeof v->hash);
	v->code = j->verdict->code;
	v->bytes = keep_message(s, &j->verdict->base);
	v->older = s->db.now.verdicts;
	s->db.now.verdicts = v;
}

void db_commit(struct sim *s, struct world *w, struct apply_job *const *jobs, unsigned n)
{
	struct world_head *h, *tmp;

	for (unsigned i = 0; i < n; i++) {
		check_judged(s, jobs[i]);
		oracle_commit(s, jobs[i]);
		write_verdict(s, jobs[i]);
		s->counts.verdicts[jobs[i]->verdict->code]++;
	}
	HASH_ITER (hh, w->heads, h, tmp) {
		struct db_head *head = &s->db.now.heads[h->territory - 1];

		if (!h->dirty)
			continue;
		head->rev = h->rev > head->rev ? h->rev : head->rev;
		memcpy(head->counters, h->counters, sizeof head->counters);
	}
	for (const struct world_version *v = w->versions_first; v; v = v->next)
		write_version(s, v);
	for (const struct world_record *r = w->dirty_first; r; r = r->next_dirty) {
		write_record(s, r);
		oracle_check_record(s, r);
	}
}

/* ---- events
 * --------------------------------------------------------------------------------------------- */

void db_purge(struct sim *s, uint64_t older_than_ms)
{
	for (unsigned t = 0; t < SIM_TERRITORIES; t++)
		for (unsigned i = 0; i < s->db.n_ids[t]; i++) {
			const struct db_row **row = &s->db.now.rows[t][i];
			struct db_head *h = &s->db.now.heads[t];

			/* A purge is a writer like any other: it waits for the head's lock. */
			if (s->db.locked_by[t] || !*row || !(*row)->deleted ||
			    (*row)->at_ms > older_than_ms)
				continue;
			sim_trace(s, "purge of record %u of territory %u, rev %llu", i, t + 1,
				  (unsigned long long)(*row)->rev);
			if ((*row)->rev > h->purged_rev && !SEVE_BUG(silent_purge))
				h->purged_rev = (*row)->rev;
			oracle_purged(s, t + 1, i);
			*row = NULL;
			s->counts.purges++;
		}
}

void db_replay(struct sim *s)
{
	s->db.standby = s->db.now;
}

void db_rewind(struct sim *s)
{
	const struct db_verdict *before = s->db.now.verdicts;

	s->counts.rewound++;
	s->db.now = s->db.standby;
	oracle_rewound(s);
	check_rewound(s, before);
}

/* ---- rights
 * -----------------------------------------------------------------------------------------------
 */

Seve__Level db_reads(Seve__Role role)
{
	const struct role *r = role_by_number((int)role);

	return r ? r->reads : SEVE__LEVEL__LEVEL_UNSPECIFIED;
}

unsigned db_writes(Seve__Role role)
{
	const struct role *r = role_by_number((int)role);

	return r ? r->writes_as : 0;
}

uint64_t db_view(Seve__Role role)
{
	return (uint64_t)db_reads(role) * 7919;
}

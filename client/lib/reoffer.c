/* reoffer.c -- see reoffer.h. */
#include "reoffer.h"

#include "overlay.h"
#include "wire.h"

enum {
	ARENA_MAX = 512 * 1024 * 1024,
	DAY_MS = 24 * 3600 * 1000,
	KEPT_FROM = 1000000000, /* numbers of refused entries that made way */
};

static int count(struct store *s, enum store_statement which, uint32_t territory, uint64_t *out,
		 struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, which, "i", (int64_t)territory);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	*out = rc ? (uint64_t)store_int(q, 0) : 0;
	store_done(q);
	return 0;
}

int reoffer_state(struct store *s, uint32_t territory, struct reoffer *out, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_counter_get, "i", (int64_t)territory);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	*out = (struct reoffer){.epoch = rc ? (uint64_t)store_int(q, 1) : 0};
	store_done(q);
	rc = count(s, STORE_outbox_counts, territory, &out->waiting, e);
	return rc ? rc : count(s, STORE_settled_count, territory, &out->settled, e);
}

/* ---- what is offered again
 * --------------------------------------------------------------------------- */

struct offer {
	uint64_t mid; /* the old one */
	bool waited;
	int64_t at;
	Seve__Mutation *mutation;
};

struct offers {
	struct store *store;
	struct arena arena;
	uint32_t territory;
	const struct resume_point *point;
	bool trusts;
	struct offer *list;
	size_t n, cap;
};

static int find_own(struct offers *o, struct err *e)
{
	sqlite3_stmt *q = store_query(o->store, e, STORE_resume_own, "ii", (int64_t)o->territory,
				      (int64_t)o->point->last_mid);
	int rc = store_step(o->store, q, e);

	if (rc < 0)
		return rc;
	if (rc && !resume_trusts(o->point, store_bytes(q, 0)))
		o->trusts = false;
	store_done(q);
	return 0;
}

static int offer_add(struct offers *o, sqlite3_stmt *q, struct err *e)
{
	struct span bytes = store_bytes(q, 4);
	ProtobufCMessage *m;
	int rc;

	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;
		struct offer *more = reallocarray(o->list, cap, sizeof *more);

		if (!more)
			return err_set(e, ERR_NOMEM, "offering %zu edits again", cap);
		o->list = more;
		o->cap = cap;
	}
	rc = wire_unpack(&o->arena, &seve__mutation__descriptor, bytes.at, bytes.len, &m, e);
	if (rc)
		return err_prefix(e, "an entry of the outbox");
	o->list[o->n++] = (struct offer){(uint64_t)store_int(q, 0), store_int(q, 1) != 0,
					 store_int(q, 3), (Seve__Mutation *)m};
	return 0;
}

static int find_offers(struct offers *o, struct err *e)
{
	sqlite3_stmt *q = store_query(o->store, e, STORE_resume_list, "i", (int64_t)o->territory);
	int rc;

	while ((rc = store_step(o->store, q, e)) == 1) {
		const uint64_t mid = (uint64_t)store_int(q, 0);
		const bool chosen = store_int(q, 1) ? resume_renames(o->point, o->trusts, mid)
						    : resume_lost(o->point, o->trusts, mid,
								  (uint64_t)store_int(q, 2));

		rc = chosen ? offer_add(o, q, e) : 0;
		if (rc)
			break;
	}
	store_done(q);
	return rc;
}

static int take_away(struct offers *o, struct err *e)
{
	const int64_t territory = o->territory, last = (int64_t)o->point->last_mid;
	int rc = 0;

	for (size_t i = 0; !rc && i < o->n; i++)
		rc = store_run(o->store, e,
			       o->list[i].waited ? STORE_outbox_delete : STORE_settled_delete, "ii",
			       territory, (int64_t)o->list[i].mid);
	if (!rc)
		rc = store_run(o->store, e, STORE_resume_touch, "ii", territory, last);
	return rc ? rc
		  : store_run(o->store, e, STORE_resume_kept, "iii", territory, last,
			      (int64_t)KEPT_FROM);
}

static int put_one(struct offers *o, const struct offer *of, struct err *e)
{
	const Seve__Mutation *m = of->mutation;
	const struct span bytes = wire_pack(&o->arena, &m->base);
	int rc;

	if (!bytes.at)
		return err_set(e, ERR_NOMEM, "edit");
	rc = store_run(o->store, e, STORE_outbox_add, "iiib", (int64_t)o->territory,
		       (int64_t)m->mid, of->at, bytes);
	for (size_t i = 0; !rc && i < m->n_changes; i++)
		rc = store_run(o->store, e, STORE_touch_add, "ibi", (int64_t)o->territory,
			       (struct span){m->changes[i]->id.data, m->changes[i]->id.len},
			       (int64_t)m->mid);
	return rc;
}

static int put_again(struct offers *o, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < o->n; i++)
		rc = put_one(o, &o->list[i], e);
	for (size_t i = 0; !rc && i < o->n; i++)
		for (size_t k = 0; !rc && k < o->list[i].mutation->n_changes; k++) {
			const Seve__Change *c = o->list[i].mutation->changes[k];

			if (c->id.len == 16)
				rc = overlay_refresh(o->store, o->territory, c->id.data, e);
		}
	return rc;
}

static int number_anew(struct offers *o, uint64_t fork, struct err *e)
{
	Seve__Mutation **list = arena_array(&o->arena, o->n + 1, sizeof(Seve__Mutation *));

	if (!list)
		return err_set(e, ERR_NOMEM, "numbering %zu edits anew", o->n);
	for (size_t i = 0; i < o->n; i++)
		list[i] = o->list[i].mutation;
	return resume_renumber(&o->arena, list, o->n, o->point->last_mid, fork, e);
}

static int reoffer_in(struct offers *o, uint64_t fork, struct err *e)
{
	int rc = o->trusts ? find_own(o, e) : 0;

	if (!rc)
		rc = find_offers(o, e);
	if (!rc)
		rc = take_away(o, e);
	if (!rc)
		rc = number_anew(o, fork, e);
	if (!rc)
		rc = put_again(o, e);
	return rc ? rc
		  : store_run(o->store, e, STORE_counter_set, "iii", (int64_t)o->territory,
			      (int64_t)(o->point->last_mid + o->n), (int64_t)o->point->epoch);
}

int reoffer(struct store *s, uint32_t territory, const struct resume_point *p, bool refused,
	    uint64_t fork, uint64_t *again, struct err *e)
{
	struct offers o = {.store = s, .territory = territory, .point = p, .trusts = !refused};
	int rc = store_begin(s, e);

	if (rc)
		return rc;
	arena_init(&o.arena, ARENA_MAX);
	rc = store_end(s, reoffer_in(&o, fork, e), e);
	for (size_t i = 0; !rc && i < o.n; i++)
		*again += !o.list[i].waited;
	arena_fini(&o.arena);
	free(o.list);
	return rc;
}

/* ---- what is kept
 * ------------------------------------------------------------------------------------ */

int reoffer_keep(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms, uint64_t epoch,
		 struct span verdict, struct err *e)
{
	return store_run(s, e, STORE_settled_add, "iiiib", (int64_t)territory, (int64_t)mid, now_ms,
			 (int64_t)epoch, verdict);
}

int reoffer_settled(struct store *s, uint32_t territory, uint64_t mid, int64_t now_ms,
		    uint64_t epoch, struct err *e)
{
	const int64_t oldest = now_ms - (int64_t)REOFFER_KEEP_DAYS * DAY_MS;
	int rc = store_run(s, e, STORE_settled_old, "iii", (int64_t)territory, oldest,
			   (int64_t)mid - REOFFER_KEEP_MAX);

	return rc ? rc
		  : store_run(s, e, STORE_counter_epoch, "ii", (int64_t)territory, (int64_t)epoch);
}

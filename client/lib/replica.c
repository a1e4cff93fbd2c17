/* replica.c -- see replica.h. */
#include "replica.h"

#include "apply.h"
#include "manifest.h"
#include "overlay.h"
#include "wire.h"

enum { FORGET_ARENA = 4 * 1024 * 1024 };

const char *replica_name(struct store *s, uint32_t territory, char out[static REPLICA_NAME])
{
	struct err ignored; /* the number is a name too */
	sqlite3_stmt *q = store_query(s, &ignored, STORE_territory_slug, "i", (int64_t)territory);

	if (store_step(s, q, &ignored) == 1)
		snprintf(out, REPLICA_NAME, "%s", store_text(q, 0));
	else
		snprintf(out, REPLICA_NAME, "%u", territory);
	store_done(q);
	return out;
}

int replica_get(struct store *s, uint32_t territory, struct replica *out, struct err *e)
{
	sqlite3_stmt *q = store_query(s, e, STORE_replica_get, "i", (int64_t)territory);
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	memset(out, 0, sizeof *out);
	if (!rc)
		return 0;
	out->exists = true;
	out->epoch = (uint64_t)store_int(q, 0);
	out->view = (uint64_t)store_int(q, 1);
	out->rev = (uint64_t)store_int(q, 2);
	out->complete = store_int(q, 3) != 0;
	out->synced_at = store_int(q, 4);
	out->generation = (uint64_t)store_int(q, 5);
	out->sweep = store_int(q, 6) != 0;
	out->start = (uint64_t)store_int(q, 7);
	out->verify_epoch = (uint64_t)store_int(q, 8);
	out->verify_view = (uint64_t)store_int(q, 9);
	out->verify_head = (uint64_t)store_int(q, 10);
	out->verify_begun = store_bytes(q, 11).len == sizeof out->verify_after;
	if (out->verify_begun)
		memcpy(out->verify_after, store_bytes(q, 11).at, sizeof out->verify_after);
	out->fork = (struct resume_fork){store_int(q, 12), store_int(q, 13) != 0};
	store_done(q);
	return 0;
}

int replica_make(struct store *s, uint32_t territory, struct err *e)
{
	return store_run(s, e, STORE_replica_make, "i", (int64_t)territory);
}

/* Body.meta.ref_no, read by hand: the only thing that the store wants to know of a body. */
static int64_t body_ref_no(struct span body)
{
	struct wire w = {body.at, body.at + body.len, false};
	struct wire_field f;
	int64_t no = 0;

	while (wire_next(&w, &f)) {
		struct wire meta;
		struct wire_field g;

		if (f.tag != 1 || f.type != 2)
			continue;
		meta = (struct wire){f.bytes.at, f.bytes.at + f.bytes.len, false};
		while (wire_next(&meta, &g))
			if (g.tag == 2 && g.type == 0)
				no = (int64_t)(uint32_t)g.number;
	}
	return no;
}

int replica_forget_person(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e)
{
	const struct span span = {id, 16};
	int rc = store_run(s, e, STORE_forget_outbox, "ib", (int64_t)territory, span);

	return rc ? rc : store_run(s, e, STORE_forget_settled, "ib", (int64_t)territory, span);
}

static int forget_if_erased(struct store *s, uint32_t territory, const Seve__Record *r,
			    struct err *e)
{
	const struct kind *k = kind_by_number(r->kind);
	struct arena a;
	ProtobufCMessage *body;
	int rc;

	if (!k || !field_by_name(k, "erased_at"))
		return 0;
	arena_init(&a, FORGET_ARENA);
	rc = wire_unpack(&a, &seve__body__descriptor, r->body.data, r->body.len, &body, e);
	if (!rc && apply_is_erased(k, (const Seve__Body *)body))
		rc = replica_forget_person(s, territory, r->id.data, e);
	arena_fini(&a);
	return rc;
}

static int apply_record(struct store *s, uint32_t territory, uint64_t generation,
			const Seve__Record *r, struct err *e)
{
	struct span id = {r->id.data, r->id.len}, body = {NULL, 0};
	bool deleted = r->has_deleted && r->deleted;
	int64_t ref_no = 0;

	if (id.len != 16 || !r->kind || !r->rev)
		return err_set(e, ERR_INVALID, "the page holds a row without id, kind or rev");
	if (!deleted) {
		body = (struct span){r->body.data, r->body.len};
		if (!body.len)
			return err_set(e, ERR_INVALID, "the page holds a live record without body");
		if (wire_check(&seve__body__descriptor, body.at, body.len, e))
			return err_prefix(e, "record of rev %llu", (unsigned long long)r->rev);
		ref_no = body_ref_no(body);
		if (forget_if_erased(s, territory, r, e))
			return -(int)e->code;
	}
	return store_run(s, e, STORE_record_apply, "ibiiiiib", (int64_t)territory, id,
			 (int64_t)r->kind, (int64_t)r->rev, ref_no, (int64_t)deleted,
			 (int64_t)generation, body);
}

static int apply_page(struct store *s, const Seve__Page *p, uint64_t epoch, uint64_t view,
		      struct err *e)
{
	struct replica r;
	int rc = replica_get(s, p->territory, &r, e);

	if (rc)
		return rc;
	if (!r.exists)
		return err_set(e, ERR_PROTOCOL, "a page of territory %u, which is not carried",
			       p->territory);
	if (p->from_rev != r.rev || p->to_rev < p->from_rev)
		return err_set(e, ERR_PROTOCOL,
			       "a page from rev %llu to %llu where the cursor is at %llu",
			       (unsigned long long)p->from_rev, (unsigned long long)p->to_rev,
			       (unsigned long long)r.rev);
	for (size_t i = 0; !rc && i < p->n_records; i++)
		rc = apply_record(s, p->territory, r.generation, p->records[i], e);
	if (!rc)
		rc = store_run(s, e, STORE_replica_cursor, "iiiii", (int64_t)p->territory,
			       (int64_t)epoch, (int64_t)view, (int64_t)p->to_rev,
			       (int64_t)p->start);
	if (!rc && p->n_records)
		rc = overlay_refresh_stale(s, p->territory, false, e);
	return rc;
}

int replica_apply(struct store *s, const Seve__Page *p, uint64_t epoch, uint64_t view,
		  struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, apply_page(s, p, epoch, view, e), e);
}

static int complete_in(struct store *s, const Seve__PullReply *p, int64_t now_ms, struct err *e)
{
	struct replica r;
	int rc = replica_get(s, p->territory, &r, e);

	if (rc)
		return rc;
	if (!r.exists || p->head_rev < r.rev)
		return err_set(e, ERR_PROTOCOL,
			       "the pull of territory %u ends at rev %llu, before its cursor %llu",
			       p->territory, (unsigned long long)p->head_rev,
			       (unsigned long long)r.rev);
	if (r.sweep) {
		rc = store_run(s, e, STORE_replica_sweep, "ii", (int64_t)p->territory,
			       (int64_t)r.generation);
		if (!rc)
			rc = overlay_refresh_stale(s, p->territory, true, e);
	}
	if (!rc)
		rc = store_run(s, e, STORE_replica_complete, "iiiii", (int64_t)p->territory,
			       (int64_t)p->epoch, (int64_t)p->view, (int64_t)p->head_rev, now_ms);
	return rc;
}

int replica_complete(struct store *s, const Seve__PullReply *p, int64_t now_ms, struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, complete_in(s, p, now_ms, e), e);
}

int replica_reset(struct store *s, uint32_t territory, struct err *e)
{
	return store_run(s, e, STORE_replica_reset, "i", (int64_t)territory);
}

/* ---- comparing with the manifest
 * --------------------------------------------------------------------- */

static int verify_in(struct store *s, uint32_t territory, uint64_t epoch, uint64_t view,
		     struct err *e)
{
	struct replica r;
	int rc = replica_get(s, territory, &r, e);

	if (rc || !r.exists)
		return rc;
	resume_fork_begin(&r.fork, r.epoch, r.verify_epoch, epoch);
	return store_run(s, e, STORE_verify_begin, "iiiii", (int64_t)territory, (int64_t)epoch,
			 (int64_t)view, r.fork.rev, (int64_t)r.fork.open);
}

int replica_verify(struct store *s, uint32_t territory, uint64_t epoch, uint64_t view,
		   struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, verify_in(s, territory, epoch, view, e), e);
}

/* The rows of a page's range. */
struct local {
	struct manifest_row *rows;
	struct local_row {
		uint64_t rev, generation;
	} * facts;
	size_t n, cap;
};

static int local_add(struct local *l, sqlite3_stmt *q, struct err *e)
{
	struct span id = store_bytes(q, 0), body = store_bytes(q, 4);
	struct manifest_row *row;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		struct manifest_row *rows = reallocarray(l->rows, cap, sizeof *rows);
		struct local_row *facts = rows ? reallocarray(l->facts, cap, sizeof *facts) : NULL;

		l->rows = rows ? rows : l->rows;
		l->facts = facts ? facts : l->facts;
		if (!facts)
			return err_set(e, ERR_NOMEM, "comparing %zu records", cap);
		l->cap = cap;
	}
	if (id.len != sizeof row->id)
		return 0;
	row = &l->rows[l->n];
	memcpy(row->id, id.at, sizeof row->id);
	row->live = !store_int(q, 2) && body.at;
	l->facts[l->n].rev = (uint64_t)store_int(q, 1);
	l->facts[l->n].generation = (uint64_t)store_int(q, 3);
	if (row->live)
		manifest_check(l->facts[l->n].rev, body, row->check);
	l->n++;
	return 0;
}

static int local_read(struct store *s, const struct replica *r, const Seve__ManifestReply *m,
		      struct local *out, struct err *e)
{
	static const uint8_t first[16];
	static const uint8_t last[16] = {255, 255, 255, 255, 255, 255, 255, 255,
					 255, 255, 255, 255, 255, 255, 255, 255};
	const struct span entries = {m->entries.data, m->entries.len};
	const struct span from = {r->verify_begun ? r->verify_after : first, 16};
	const struct span to = {m->more && entries.len ? manifest_last(entries) : last, 16};
	sqlite3_stmt *q =
		store_query(s, e, STORE_verify_rows, "ibb", (int64_t)m->territory, from, to);
	int rc;

	while ((rc = store_step(s, q, e)) == 1) {
		rc = local_add(out, q, e);
		if (rc)
			break;
	}
	store_done(q);
	return rc;
}

struct comparing {
	struct store *store;
	const Seve__ManifestReply *page;
	struct replica r;
	struct local local;
	const struct replica_fetch *fetch;
	struct err *e;
};

static int act_keep(void *ctx, const struct manifest_row *row)
{
	struct comparing *c = ctx;
	const struct local_row *fact = &c->local.facts[row - c->local.rows];

	resume_fork_keep(&c->r.fork, fact->generation >= c->r.generation, fact->rev);
	return store_run(c->store, c->e, STORE_verify_keep, "ibi", (int64_t)c->page->territory,
			 (struct span){row->id, 16}, (int64_t)c->r.generation);
}

static int act_drop(void *ctx, const struct manifest_row *row)
{
	struct comparing *c = ctx;

	return store_run(c->store, c->e, STORE_record_delete, "ib", (int64_t)c->page->territory,
			 (struct span){row->id, 16});
}

static int act_fetch(void *ctx, const uint8_t id[MANIFEST_ID])
{
	const struct comparing *c = ctx;

	return c->fetch->fetch(c->fetch->ctx, id);
}

static int compare_in(struct comparing *c, struct err *e)
{
	const Seve__ManifestReply *m = c->page;
	const struct span entries = {m->entries.data, m->entries.len};
	const struct manifest_acts acts = {c, act_keep, act_drop, act_fetch};
	int rc = replica_get(c->store, m->territory, &c->r, e);

	if (!rc &&
	    (!c->r.verify_epoch || c->r.verify_epoch != m->epoch || c->r.verify_view != m->view))
		return err_set(e, ERR_RESET_REQUIRED, "the manifest is of another epoch or view");
	if (!rc && m->more && !entries.len)
		rc = err_set(e, ERR_PROTOCOL, "a page without entries that is not the last");
	if (!rc)
		rc = manifest_page(entries, c->r.verify_begun ? c->r.verify_after : NULL, e);
	if (!rc)
		rc = local_read(c->store, &c->r, m, &c->local, e);
	if (!rc)
		rc = manifest_diff(entries, c->local.rows, c->local.n, &acts);
	if (!rc)
		rc = store_run(c->store, e, STORE_verify_head, "iii", (int64_t)m->territory,
			       (int64_t)(c->r.verify_begun ? c->r.verify_head : m->head_rev),
			       c->r.fork.rev);
	return rc ? rc : overlay_refresh_stale(c->store, m->territory, false, e);
}

int replica_compare(struct store *s, const Seve__ManifestReply *m, const struct replica_fetch *f,
		    struct err *e)
{
	struct comparing c = {.store = s, .page = m, .fetch = f, .e = e};
	int rc = store_begin(s, e);

	if (rc)
		return rc;
	rc = store_end(s, compare_in(&c, e), e);
	free(c.local.rows);
	free(c.local.facts);
	return rc;
}

static int fetched_in(struct store *s, uint32_t territory, Seve__Record *const *records, size_t n,
		      struct err *e)
{
	struct replica r;
	int rc = replica_get(s, territory, &r, e);

	for (size_t i = 0; !rc && i < n; i++)
		rc = apply_record(s, territory, r.generation, records[i], e);
	return rc ? rc : overlay_refresh_stale(s, territory, false, e);
}

int replica_fetched(struct store *s, uint32_t territory, Seve__Record *const *records, size_t n,
		    struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, fetched_in(s, territory, records, n, e), e);
}

int replica_verified_to(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e)
{
	return store_run(s, e, STORE_verify_at, "ib", (int64_t)territory, (struct span){id, 16});
}

int replica_verified(struct store *s, uint32_t territory, struct err *e)
{
	return store_run(s, e, STORE_verify_end, "i", (int64_t)territory);
}

static int purge_in(struct store *s, uint32_t territory, struct err *e)
{
	int rc = store_run(s, e, STORE_replica_purge, "i", (int64_t)territory);

	if (!rc)
		rc = store_run(s, e, STORE_replica_delete, "i", (int64_t)territory);
	if (!rc)
		rc = store_run(s, e, STORE_settled_purge, "i", (int64_t)territory);
	return rc ? rc : overlay_refresh_stale(s, territory, true, e);
}

int replica_purge(struct store *s, uint32_t territory, struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, purge_in(s, territory, e), e);
}

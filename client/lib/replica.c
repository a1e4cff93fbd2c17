/* replica.c -- see replica.h. */
#include "replica.h"

#include "overlay.h"
#include "wire.h"

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
		rc = store_run(s, e, STORE_replica_cursor, "iiii", (int64_t)p->territory,
			       (int64_t)epoch, (int64_t)view, (int64_t)p->to_rev);
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

static int purge_in(struct store *s, uint32_t territory, struct err *e)
{
	int rc = store_run(s, e, STORE_replica_purge, "i", (int64_t)territory);

	if (!rc)
		rc = store_run(s, e, STORE_replica_delete, "i", (int64_t)territory);
	return rc ? rc : overlay_refresh_stale(s, territory, true, e);
}

int replica_purge(struct store *s, uint32_t territory, struct err *e)
{
	int rc = store_begin(s, e);

	return rc ? rc : store_end(s, purge_in(s, territory, e), e);
}

/* overlay.c -- see overlay.h. */
#include "overlay.h"

#include "replica.h"
#include "wire.h"

enum { ARENA_MAX = 4 * 1024 * 1024 };

static struct span id_span(const uint8_t id[16])
{
	return (struct span){id, 16};
}

/* Columns kind, rev, ref_no, deleted, body of a row, copied into the arena. */
static int read_view(struct arena *a, sqlite3_stmt *q, struct outbox_view *out, struct err *e)
{
	struct outbox_view v = {0};
	struct span body = store_bytes(q, 4);
	ProtobufCMessage *m;

	v.kind = kind_by_number((uint32_t)store_int(q, 0));
	v.rev = (uint64_t)store_int(q, 1);
	v.ref_no = (uint32_t)store_int(q, 2);
	v.deleted = store_int(q, 3) != 0;
	if (body.at && !v.deleted) {
		if (wire_unpack(a, &seve__body__descriptor, body.at, body.len, &m, e))
			return err_prefix(e, "a record of the store");
		v.body = (const Seve__Body *)m;
		/* A kind that this program does not know can be carried, not shown. */
		if (!v.kind || kind_of(v.body) != v.kind)
			v = (struct outbox_view){0};
	}
	*out = v;
	return 0;
}

int overlay_base(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		 struct outbox_view *out, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_record_get, "ib", (int64_t)territory, id_span(id));
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	if (!rc) {
		*out = (struct outbox_view){0};
		return 0;
	}
	rc = read_view(a, q, out, e);
	store_done(q);
	return rc;
}

int overlay_shown(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		  struct outbox_view *out, bool *waiting, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_record_shown, "ib", (int64_t)territory, id_span(id));
	int rc = store_step(s, q, e);

	if (rc < 0)
		return rc;
	if (waiting)
		*waiting = rc && store_int(q, 5);
	if (!rc) {
		*out = (struct outbox_view){0};
		return 0;
	}
	rc = read_view(a, q, out, e);
	store_done(q);
	return rc;
}

static int fold_mutation(struct arena *a, struct span bytes, const uint8_t id[16],
			 struct outbox_view *v, struct err *e)
{
	const Seve__Mutation *mutation;
	ProtobufCMessage *m;
	int rc = wire_unpack(a, &seve__mutation__descriptor, bytes.at, bytes.len, &m, e);

	if (rc)
		return err_prefix(e, "an entry of the outbox");
	mutation = (const Seve__Mutation *)m;
	for (size_t i = 0; !rc && i < mutation->n_changes; i++) {
		const Seve__Change *c = mutation->changes[i];
		const struct outbox_view before = *v;

		if (c->id.len != 16 || memcmp(c->id.data, id, 16) != 0)
			continue;
		rc = outbox_fold(a, v, c, e);
		if (!rc && mutation->has_client_time_ms)
			rc = outbox_date_state(a, v, &before, mutation->client_time_ms, e);
	}
	return rc;
}

int overlay_fold(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		 struct outbox_view *v, bool *waiting, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_touch_waiting, "ib", (int64_t)territory, id_span(id));
	bool any = false;
	int rc;

	while ((rc = store_step(s, q, e)) == 1) {
		any = true;
		rc = fold_mutation(a, store_bytes(q, 0), id, v, e);
		if (rc)
			break;
	}
	store_done(q);
	if (!rc && waiting)
		*waiting = any;
	return rc;
}

static int refresh_in(struct store *s, struct arena *a, uint32_t territory, const uint8_t id[16],
		      struct err *e)
{
	struct outbox_view v = {0};
	struct span body = {NULL, 0};
	uint64_t below;
	bool waiting = false;
	int rc = overlay_base(s, a, territory, id, &v, e);

	below = v.rev;
	if (!rc)
		rc = overlay_fold(s, a, territory, id, &v, &waiting, e);
	if (rc)
		return rc;
	if (!waiting || !v.kind)
		return store_run(s, e, STORE_overlay_delete, "ib", (int64_t)territory, id_span(id));
	if (v.body) {
		body = wire_pack(a, &v.body->base);
		if (!body.at)
			return err_set(e, ERR_NOMEM, "record");
	}
	return store_run(s, e, STORE_overlay_put, "ibiiiib", (int64_t)territory, id_span(id),
			 (int64_t)v.kind->number, (int64_t)below, (int64_t)v.ref_no,
			 (int64_t)v.deleted, body);
}

int overlay_refresh(struct store *s, uint32_t territory, const uint8_t id[16], struct err *e)
{
	struct arena a;
	int rc;

	arena_init(&a, ARENA_MAX);
	rc = refresh_in(s, &a, territory, id, e);
	arena_fini(&a);
	return rc;
}

int overlay_refresh_stale(struct store *s, uint32_t territory, bool all, struct err *e)
{
	sqlite3_stmt *q =
		store_query(s, e, STORE_overlay_stale, "ii", (int64_t)territory, (int64_t)all);
	uint8_t(*ids)[16] = NULL;
	size_t n = 0, cap = 0;
	int rc;

	/* Listed first: the refresh writes to the table that is read. */
	while ((rc = store_step(s, q, e)) == 1) {
		struct span id = store_bytes(q, 0);

		if (n == cap) {
			uint8_t(*more)[16] = reallocarray(ids, cap ? cap * 2 : 16, sizeof *ids);

			if (!more) {
				rc = err_set(e, ERR_NOMEM, "outbox");
				break;
			}
			ids = more;
			cap = cap ? cap * 2 : 16;
		}
		if (id.len == 16)
			memcpy(ids[n++], id.at, 16);
	}
	store_done(q);
	for (size_t i = 0; !rc && i < n; i++)
		rc = overlay_refresh(s, territory, ids[i], e);
	free(ids);
	return rc;
}

/* While a load from rev 0 is under way, what comes by another way is no part of it: if the load
 * does not bring it too, it goes with the rest. */
static int64_t generation_of(const struct replica *r)
{
	return (int64_t)(r->sweep ? r->generation - 1 : r->generation);
}

int overlay_put_base(struct store *s, uint32_t territory, const uint8_t id[16],
		     const struct outbox_view *v, struct err *e)
{
	struct span body = {NULL, 0};
	struct replica r;
	struct arena a;
	int rc;

	if (!v->kind)
		return 0;
	rc = replica_get(s, territory, &r, e);
	if (rc)
		return rc;
	arena_init(&a, ARENA_MAX);
	if (v->body && !v->deleted) {
		body = wire_pack(&a, &v->body->base);
		if (!body.at)
			rc = err_set(e, ERR_NOMEM, "record");
	}
	if (!rc)
		rc = store_run(s, e, STORE_record_apply, "ibiiiiib", (int64_t)territory,
			       id_span(id), (int64_t)v->kind->number, (int64_t)v->rev,
			       (int64_t)v->ref_no, (int64_t)v->deleted, generation_of(&r), body);
	arena_fini(&a);
	return rc;
}

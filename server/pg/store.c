/* store.c -- see store.h.  Each table has one function; a statement without rows is not sent. */
#include "store.h"

#include <string.h>

#include "record.h"
#include "sync/outbox.h"
#include "wire.h"

enum { ARRAYS_MAX = 12 };

/* Rows on their way into one hand-written statement. */
struct rows {
	struct pg_array a[ARRAYS_MAX];
	size_t columns, n;
	bool bad;
};

static void rows_init(struct rows *r, struct arena *arena, const unsigned *elements, size_t columns)
{
	*r = (struct rows){.columns = columns};
	for (size_t i = 0; i < columns; i++)
		pg_array_init(&r->a[i], arena, elements[i]);
}

static int rows_store(struct rows *r, struct pg_unit *u, const char *sql)
{
	struct pg_stmt *s;

	if (r->bad)
		return -ERR_NOMEM;
	if (!r->n)
		return 0;
	s = pg_unit_add(u, pg_sql(sql));
	if (!s)
		return -ERR_NOMEM;
	for (size_t i = 0; i < r->columns; i++) {
		pg_array_trim(&r->a[i]);
		pg_params_array(&s->params, &r->a[i]);
	}
	return pg_params_bad(&s->params) ? -ERR_NOMEM : 0;
}

static void add_packed(struct rows *r, size_t column, struct arena *a, const Seve__Body *body)
{
	struct span bytes;

	if (!body) {
		pg_array_null(&r->a[column]);
		return;
	}
	bytes = wire_pack(a, &body->base);
	r->bad |= !bytes.at;
	pg_array_bytes(&r->a[column], bytes.at, bytes.len);
}

/* ---- record
 * -------------------------------------------------------------------------------------- */

/* Records that are new to the database go by a plain INSERT, which costs it far less than one that
 * looks for a conflict first: the lock of the head keeps others from making them meanwhile. */
static int store_records(struct world *w, bool born, struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4, PG_UUID, PG_INT2, PG_INT8, PG_INT2,  PG_BOOL,
					    PG_INT4, PG_UUID, PG_INT8, PG_INT8, PG_BYTEA, PG_BYTEA};
	struct rows r;

	rows_init(&r, w->arena, elements, 12);
	for (const struct world_record *d = w->unsaved_first; d; d = d->next_unsaved) {
		struct span revs = {NULL, 0};
		struct uuid owner;

		if (d->born != born)
			continue;
		revs = field_revs_pack(w->arena, &d->revs);
		r.n++;
		r.bad |= !revs.at;
		pg_array_int4(&r.a[0], (int32_t)d->key.territory);
		pg_array_uuid(&r.a[1], d->key.id.b);
		pg_array_int2(&r.a[2], (int16_t)d->kind->number);
		pg_array_int8(&r.a[3], (int64_t)d->rev);
		pg_array_int2(&r.a[4], (int16_t)d->level);
		pg_array_bool(&r.a[5], d->deleted);
		if (d->ref_no)
			pg_array_int4(&r.a[6], (int32_t)d->ref_no);
		else
			pg_array_null(&r.a[6]);
		/* A tombstone keeps its owner, whose replica has to hear of it. */
		if (apply_owner(d->kind, &d->key.id, d->deleted ? d->last_body : d->body, &owner))
			pg_array_uuid(&r.a[7], owner.b);
		else
			pg_array_null(&r.a[7]);
		pg_array_int8(&r.a[8], (int64_t)d->narrowed_rev);
		pg_array_int8(&r.a[9], w->now_ms);
		pg_array_bytes(&r.a[10], revs.at, revs.len);
		add_packed(&r, 11, w->arena, d->body);
	}
	return rows_store(&r, u, born ? "store_records_new" : "store_records");
}

/* ---- typed tables
 * ---------------------------------------------------------------------------------- */

static int store_deletes(struct world *w, const struct kind *k, struct pg_unit *u)
{
	struct pg_array territories, ids;
	struct pg_stmt *s;
	size_t n = 0;

	pg_array_init(&territories, w->arena, PG_INT4);
	pg_array_init(&ids, w->arena, PG_UUID);
	for (const struct world_record *d = w->unsaved_first; d; d = d->next_unsaved) {
		if (d->kind != k || !d->deleted || d->born)
			continue;
		pg_array_int4(&territories, (int32_t)d->key.territory);
		pg_array_uuid(&ids, d->key.id.b);
		n++;
	}
	if (!n)
		return 0;
	s = pg_unit_add(u, record_delete(k));
	if (!s)
		return -ERR_NOMEM;
	pg_params_array(&s->params, &territories);
	pg_params_array(&s->params, &ids);
	return pg_params_bad(&s->params) ? -ERR_NOMEM : 0;
}

static int store_rows(struct world *w, const struct kind *k, bool born, struct pg_unit *u)
{
	struct record_rows rows;
	int rc = 0;

	rows.n = 0;
	for (const struct world_record *d = w->unsaved_first; !rc && d; d = d->next_unsaved) {
		if (d->kind != k || d->deleted || d->born != born)
			continue;
		if (!rows.n)
			rc = record_rows_init(&rows, w->arena, k);
		if (!rc)
			rc = record_rows_add(&rows, d->key.territory, d->key.id.b,
					     kind_message(d->body));
	}
	return rc || !rows.n ? rc : record_rows_store(&rows, born, u);
}

/* Deletions first, then changes: they free unique values that the next may take. */
static int store_typed(struct world *w, const struct kind *k, struct pg_unit *u)
{
	int rc = store_deletes(w, k, u);

	if (!rc)
		rc = store_rows(w, k, false, u);
	return rc ? rc : store_rows(w, k, true, u);
}

/* ---- link
 * -------------------------------------------------------------------------------------------- */

struct link_rows {
	struct rows r;
	const struct world_record *from;
};

static int add_link(void *ctx, const field_desc *field, const struct kind *target,
		    const uint8_t id[16])
{
	struct link_rows *l = ctx;

	(void)target;
	pg_array_int4(&l->r.a[0], (int32_t)l->from->key.territory);
	pg_array_uuid(&l->r.a[1], l->from->key.id.b);
	pg_array_int4(&l->r.a[2], (int32_t)field->id);
	pg_array_uuid(&l->r.a[3], id);
	l->r.n++;
	return 0;
}

static int store_links(struct world *w, struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4, PG_UUID, PG_INT4, PG_UUID};
	struct link_rows links;
	struct rows drop;
	int rc;

	rows_init(&links.r, w->arena, elements, 4);
	rows_init(&drop, w->arena, elements, 2);
	for (const struct world_record *d = w->unsaved_first; d; d = d->next_unsaved) {
		if (!d->links_stale)
			continue;
		if (!d->born) {
			pg_array_int4(&drop.a[0], (int32_t)d->key.territory);
			pg_array_uuid(&drop.a[1], d->key.id.b);
			drop.n++;
		}
		links.from = d;
		if (!d->deleted)
			field_each_ref(d->kind, kind_message(d->body), add_link, &links);
	}
	rc = rows_store(&drop, u, "store_links_drop");
	return rc ? rc : rows_store(&links.r, u, "store_links");
}

/* ---- version, verdict, partner's key, head
 * ---------------------------------------------------------------- */

static int store_versions(struct world *w, struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4,  PG_UUID, PG_INT8, PG_INT2, PG_INT2, PG_BOOL,
					    PG_BYTEA, PG_INT8, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8};
	struct rows r;

	rows_init(&r, w->arena, elements, 12);
	for (const struct world_version *v = w->versions_saved ? w->versions_saved->next
							       : w->versions_first;
	     v; v = v->next, r.n++) {
		pg_array_int4(&r.a[0], (int32_t)v->record->key.territory);
		pg_array_uuid(&r.a[1], v->record->key.id.b);
		pg_array_int8(&r.a[2], (int64_t)v->rev);
		pg_array_int2(&r.a[3], (int16_t)v->record->kind->number);
		pg_array_int2(&r.a[4], (int16_t)v->level);
		pg_array_bool(&r.a[5], v->deleted);
		add_packed(&r, 6, w->arena, v->body);
		pg_array_int8(&r.a[7], (int64_t)v->next_rev);
		pg_array_text(&r.a[8], v->by);
		pg_array_text(&r.a[9], v->reason);
		if (v->client_time)
			pg_array_int8(&r.a[10], v->client_time);
		else
			pg_array_null(&r.a[10]);
		pg_array_int8(&r.a[11], v->at);
	}
	return rows_store(&r, u, "store_versions");
}

static int store_verdicts(struct world *w, struct apply_job *const *jobs, size_t n,
			  struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4, PG_UUID,  PG_INT8, PG_BYTEA,
					    PG_INT2, PG_BYTEA, PG_INT8};
	struct rows r;

	rows_init(&r, w->arena, elements, 7);
	for (size_t i = 0; i < n; i++) {
		const struct apply_job *j = jobs[i];
		struct span bytes;

		if (!j->mutation || !j->verdict || j->replayed)
			continue;
		/* Revisions, not bodies, which a pull brings. */
		bytes = outbox_lean(w->arena, j->verdict);
		r.bad |= !bytes.at;
		pg_array_int4(&r.a[0], (int32_t)j->territory);
		pg_array_uuid(&r.a[1], j->author.client.b);
		pg_array_int8(&r.a[2], (int64_t)j->mutation->mid);
		pg_array_bytes(&r.a[3], j->hash, sizeof j->hash);
		pg_array_int2(&r.a[4], (int16_t)j->verdict->code);
		pg_array_bytes(&r.a[5], bytes.at, bytes.len);
		pg_array_int8(&r.a[6], w->now_ms);
		r.n++;
	}
	return rows_store(&r, u, "store_mutations");
}

static void add_import_key(struct rows *r, const struct world_import *i)
{
	pg_array_int4(&r->a[0], (int32_t)i->territory);
	pg_array_text(&r->a[1], i->source);
	pg_array_int2(&r->a[2], (int16_t)i->kind->number);
	pg_array_text(&r->a[3], i->partner_key);
	r->n++;
}

static void add_import(struct rows *r, struct arena *a, const struct world_import *i)
{
	add_import_key(r, i);
	pg_array_uuid(&r->a[4], i->id.b);
	pg_array_bytes(&r->a[5], i->hash, sizeof i->hash);
	add_packed(r, 6, a, i->last_values);
	pg_array_uuid(&r->a[7], i->batch.b);
	pg_array_int2(&r->a[8], i->effect);
	pg_array_int8(&r->a[9], (int64_t)i->rev);
	add_packed(r, 10, a, i->previous_values);
	if (i->previous_values)
		pg_array_bytes(&r->a[11], i->previous_hash, sizeof i->previous_hash);
	else
		pg_array_null(&r->a[11]);
}

static int store_imports(struct world *w, bool born, struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4, PG_TEXT,  PG_INT2,  PG_TEXT,
					    PG_UUID, PG_BYTEA, PG_BYTEA, PG_UUID,
					    PG_INT2, PG_INT8,  PG_BYTEA, PG_BYTEA};
	struct rows kept, dropped;
	int rc;

	rows_init(&kept, w->arena, elements, 12);
	rows_init(&dropped, w->arena, elements, 4);
	for (const struct world_import *i = w->unsaved_imports; i; i = i->next_unsaved) {
		if (i->drop && !born)
			add_import_key(&dropped, i);
		else if (!i->drop && i->born == born)
			add_import(&kept, w->arena, i);
	}
	rc = rows_store(&dropped, u, "store_imports_drop");
	return rc ? rc : rows_store(&kept, u, born ? "store_imports_new" : "store_imports");
}

static char *counters_text(struct arena *a, const struct world_head *h)
{
	uint32_t last = 0;
	char *text = arena_strdup(a, "{");

	for (uint32_t i = 1; i <= WORLD_KIND_MAX; i++)
		if (h->counters[i])
			last = i;
	for (uint32_t i = 1; text && i <= last; i++)
		text = arena_printf(a, "%s%s%u", text, i > 1 ? "," : "", h->counters[i]);
	return text ? arena_printf(a, "%s}", text) : NULL;
}

int store_heads(struct world *w, struct pg_unit *u)
{
	static const unsigned elements[] = {PG_INT4, PG_INT8, PG_TEXT};
	struct world_head *h, *tmp;
	struct rows r;

	rows_init(&r, w->arena, elements, 3);
	HASH_ITER (hh, w->heads, h, tmp) {
		const char *counters;

		if (!h->dirty)
			continue;
		counters = counters_text(w->arena, h);
		r.bad |= !counters;
		pg_array_int4(&r.a[0], (int32_t)h->territory);
		pg_array_int8(&r.a[1], (int64_t)h->rev);
		pg_array_text(&r.a[2], counters);
		r.n++;
	}
	return rows_store(&r, u, "store_heads");
}

int store_effects(struct world *w, struct apply_job *const *jobs, size_t n, struct pg_unit *u)
{
	int rc = store_records(w, false, u);

	if (!rc)
		rc = store_records(w, true, u);
	for (size_t i = 0; !rc && i < kind_count(); i++)
		rc = store_typed(w, kind_at(i), u);
	if (!rc)
		rc = store_links(w, u);
	if (!rc)
		rc = store_versions(w, u);
	if (!rc)
		rc = store_verdicts(w, jobs, n, u);
	if (!rc)
		rc = store_imports(w, false, u);
	if (!rc)
		rc = store_imports(w, true, u);
	if (!rc)
		world_saved(w);
	return rc;
}

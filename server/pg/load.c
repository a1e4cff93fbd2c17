/* load.c -- see load.h. */
#include "load.h"

#include <string.h>

#include "record.h"

enum load_what {
	LOAD_RECORDS,
	LOAD_PRIORS,
	LOAD_NEEDED,
	LOAD_NAMED,
	LOAD_ABROAD,
	LOAD_REFERRERS,
	LOAD_VERSIONS,
	LOAD_IMPORTS,
	LOAD_PAST,
	LOAD_KINDS
};
_Static_assert(LOAD_KINDS <= sizeof((struct load *)0)->lists / sizeof(struct load_item *),
	       "load.h");

/* One thing to ask for; which members count follows from the list that it is in. */
struct load_item {
	uint32_t territory;
	struct uuid id;
	uint64_t mid;
	uint32_t through, tag;
	const struct kind *kind;
	struct world_record *record;
	struct world_import *import;
	struct load_item *next;
};

/* Unique values are asked for by field: each has a statement of its own. */
struct load_unique {
	const struct kind *kind;
	const field_desc *field;
	struct pg_array territories, values;
	struct pg_stmt *stmt;
	struct load_unique *next;
};

/* All records of a kind: one statement a kind. */
struct load_all {
	const struct kind *kind;
	uint32_t *territories;
	size_t n, room;
	struct pg_stmt *stmt;
	struct load_all *next;
};

void load_init(struct load *l, struct arena *a, struct world *w)
{
	*l = (struct load){.arena = a, .world = w};
}

static struct load_item *load_add(struct load *l, enum load_what what)
{
	struct load_item *i = arena_zalloc(l->arena, sizeof *i);

	if (!i)
		return NULL;
	i->next = l->lists[what];
	l->lists[what] = i;
	l->counts[what]++;
	return i;
}

/* ---- collecting: the apply_wants of a batch ------------------------------------------------- */

static int want_record(void *ctx, uint32_t territory, const struct uuid *id, bool full)
{
	struct load *l = ctx;
	struct world_record *r = world_record(l->world, territory, id, false);
	struct load_item *i;

	if (r) {
		r->full |= full;
		return 0;
	}
	r = world_record(l->world, territory, id, true);
	i = r ? load_add(l, LOAD_RECORDS) : NULL;
	if (!i)
		return -ERR_NOMEM;
	r->full = full;
	i->record = r;
	return 0;
}

/* The mutation is the one that comes next after what this process committed: there is nothing to
 * look up.  1: so it is. */
static int prior_remembered(struct load *l, uint32_t territory, const struct uuid *client,
			    uint64_t mid)
{
	struct world_prior *last;

	if (!l->mids || mid < 2 ||
	    mids_last(l->mids, territory, client, l->mids_now_ms, l->mids_trust_ms) != mid - 1)
		return 0;
	last = world_prior(l->world, territory, client, 0, true);
	if (!last)
		return -ERR_NOMEM;
	last->last_mid = mid - 1;
	return 1;
}

static int want_prior(void *ctx, uint32_t territory, const struct uuid *client, uint64_t mid)
{
	struct load *l = ctx;
	struct load_item *i;
	int rc;

	if (world_prior(l->world, territory, client, mid, false))
		return 0;
	rc = prior_remembered(l, territory, client, mid);
	if (rc)
		return rc < 0 ? rc : 0;
	i = world_prior(l->world, territory, client, mid, true) ? load_add(l, LOAD_PRIORS) : NULL;
	if (!i)
		return -ERR_NOMEM;
	i->territory = territory;
	i->id = *client;
	i->mid = mid;
	return 0;
}

static int want_by_id(struct load *l, enum load_what what, uint32_t territory,
		      const struct uuid *id)
{
	struct load_item *i = load_add(l, what);

	if (!i)
		return -ERR_NOMEM;
	i->territory = territory;
	i->id = *id;
	return 0;
}

static int want_version(void *ctx, uint32_t territory, const struct uuid *id)
{
	return want_by_id(ctx, LOAD_VERSIONS, territory, id);
}

static int want_referrers(void *ctx, uint32_t territory, const struct uuid *to)
{
	return want_by_id(ctx, LOAD_REFERRERS, territory, to);
}

static int want_past(void *ctx, uint32_t territory, const struct uuid *id, uint64_t rev)
{
	struct load *l = ctx;
	int rc = want_by_id(l, LOAD_PAST, territory, id);

	if (!rc)
		l->lists[LOAD_PAST]->mid = rev;
	return rc;
}

static int want_needed(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		       const struct kind *kind, uint32_t tag)
{
	struct load *l = ctx;
	int rc = want_by_id(l, LOAD_NEEDED, territory, origin);

	if (rc)
		return rc;
	l->lists[LOAD_NEEDED]->through = through;
	l->lists[LOAD_NEEDED]->kind = kind;
	l->lists[LOAD_NEEDED]->tag = tag;
	return 0;
}

static int want_named(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through,
		      uint32_t tag)
{
	struct load *l = ctx;
	int rc = want_by_id(l, LOAD_NAMED, territory, origin);

	if (rc)
		return rc;
	l->lists[LOAD_NAMED]->through = through;
	l->lists[LOAD_NAMED]->tag = tag;
	return 0;
}

static int want_abroad(void *ctx, uint32_t territory, const struct uuid *origin, uint32_t through)
{
	struct load *l = ctx;
	int rc = want_by_id(l, LOAD_ABROAD, territory, origin);

	if (!rc)
		l->lists[LOAD_ABROAD]->through = through;
	return rc;
}

static struct load_all *all_of(struct load *l, const struct kind *kind)
{
	struct load_all *q = l->all;

	while (q && q->kind != kind)
		q = q->next;
	if (q)
		return q;
	q = arena_zalloc(l->arena, sizeof *q);
	if (!q)
		return NULL;
	q->kind = kind;
	q->next = l->all;
	l->all = q;
	return q;
}

static int want_all(void *ctx, uint32_t territory, const struct kind *kind)
{
	struct load *l = ctx;
	struct load_all *q = all_of(l, kind);

	if (!q)
		return -ERR_NOMEM;
	for (size_t i = 0; i < q->n; i++)
		if (q->territories[i] == territory)
			return 0;
	if (q->n == q->room) {
		uint32_t *more = arena_array(l->arena, q->room * 2 + 8, sizeof *more);

		if (!more)
			return -ERR_NOMEM;
		if (q->n)
			memcpy(more, q->territories, q->n * sizeof *more);
		q->territories = more;
		q->room = q->room * 2 + 8;
	}
	q->territories[q->n++] = territory;
	return 0;
}

static int want_unique(void *ctx, uint32_t territory, const struct kind *k,
		       const ProtobufCFieldDescriptor *fd, const char *value)
{
	struct load *l = ctx;
	struct load_unique *q = l->uniques;

	while (q && (q->kind != k || q->field != fd))
		q = q->next;
	if (!q) {
		q = arena_zalloc(l->arena, sizeof *q);
		if (!q)
			return -ERR_NOMEM;
		q->kind = k;
		q->field = fd;
		pg_array_init(&q->territories, l->arena, PG_INT4);
		pg_array_init(&q->values, l->arena, PG_TEXT);
		q->next = l->uniques;
		l->uniques = q;
	}
	pg_array_int4(&q->territories, (int32_t)territory);
	pg_array_text(&q->values, value);
	return 0;
}

static int want_import(void *ctx, uint32_t territory, const struct kind *k, const char *source,
		       const char *key)
{
	struct load *l = ctx;
	struct world_import *m = world_import(l->world, territory, k, source, key, false);
	struct load_item *i;

	if (m)
		return 0;
	m = world_import(l->world, territory, k, source, key, true);
	i = m ? load_add(l, LOAD_IMPORTS) : NULL;
	if (!i)
		return -ERR_NOMEM;
	i->import = m;
	return 0;
}

static struct apply_wants wants_of(struct load *l)
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

int load_collect(struct load *l, const struct apply_job *j)
{
	const struct apply_wants wants = wants_of(l);

	return world_head(l->world, j->territory, true) ? apply_needs(j, &wants) : -ERR_NOMEM;
}

int load_collect_clash(struct load *l, const struct apply_job *j)
{
	const struct apply_wants wants = wants_of(l);

	return apply_clash_needs(j, l->world, &wants);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

const char *load_territories_text(struct arena *a, const uint32_t *territories, size_t n)
{
	struct buf b;
	int rc;
	char *text;

	buf_init(&b, 64 * 1024);
	rc = buf_add(&b, "{", 1);
	for (size_t i = 0; i < n; i++)
		rc |= buf_addf(&b, "%s%u", i ? "," : "", territories[i]);
	rc |= buf_add(&b, "}", 1);
	text = rc ? NULL : arena_strndup(a, (const char *)buf_span(&b).at, buf_len(&b));
	buf_fini(&b);
	return text;
}

int load_territories(struct pg_unit *u, const uint32_t *territories, size_t n)
{
	struct pg_stmt *s = pg_unit_add(u, pg_sql("set_territories"));
	const char *text = s ? load_territories_text(u->arena, territories, n) : NULL;

	if (!text)
		return -ERR_NOMEM;
	pg_params_text(&s->params, text);
	return 0;
}

void load_reader(struct pg_params *p, const struct rights *r)
{
	struct pg_array kinds;

	pg_array_init(&kinds, p->arena, PG_INT2);
	for (size_t i = 0; i < kind_count(); i++)
		if (kind_at(i)->writers & KIND_BY_P)
			pg_array_int2(&kinds, (int16_t)kind_at(i)->number);
	pg_params_int4(p, (int32_t)r->reads);
	if (uuid_is_nil(&r->actor))
		pg_params_null(p, PG_UUID);
	else
		pg_params_uuid(p, r->actor.b);
	pg_params_array(p, &kinds);
}

static int ask_heads(struct load *l, struct pg_unit *u)
{
	size_t n = 0, max = HASH_COUNT(l->world->heads);
	uint32_t *list = arena_array(l->arena, max + 1, sizeof *list);
	struct world_head *h, *tmp;
	struct pg_array ids;

	if (!list)
		return -ERR_NOMEM;
	pg_array_init(&ids, l->arena, PG_INT4);
	HASH_ITER (hh, l->world->heads, h, tmp) {
		pg_array_int4(&ids, (int32_t)h->territory);
		list[n++] = h->territory;
	}
	if (load_territories(u, list, n))
		return -ERR_NOMEM;
	l->heads = pg_unit_add(u, pg_sql("load_heads"));
	if (!l->heads)
		return -ERR_NOMEM;
	pg_params_array(&l->heads->params, &ids);
	return 0;
}

static void bind_records(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_RECORDS]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->record->key.territory);
		pg_array_uuid(&a[1], i->record->key.id.b);
		pg_array_bool(&a[2], i->record->full);
	}
}

static void bind_priors(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_PRIORS]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
		pg_array_int8(&a[2], (int64_t)i->mid);
	}
}

static void bind_needed(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_NEEDED]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
		pg_array_int4(&a[2], (int32_t)i->through);
		pg_array_int4(&a[3], (int32_t)i->tag);
		pg_array_int2(&a[4], (int16_t)i->kind->number);
	}
}

static void bind_named(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_NAMED]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
		pg_array_int4(&a[2], (int32_t)i->through);
		pg_array_int4(&a[3], (int32_t)i->tag);
	}
}

static void bind_abroad(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_ABROAD]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
		pg_array_int4(&a[2], (int32_t)i->through);
	}
}

static void bind_past(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_PAST]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
		pg_array_int8(&a[2], i->mid > INT64_MAX ? INT64_MAX : (int64_t)i->mid);
	}
}

static void bind_referrers(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_REFERRERS]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
	}
}

static void bind_versions(struct load *l, struct pg_array *a)
{
	for (const struct load_item *i = l->lists[LOAD_VERSIONS]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->territory);
		pg_array_uuid(&a[1], i->id.b);
	}
}

static void bind_imports(struct load *l, struct pg_array *a)
{
	int32_t n = 0;

	for (const struct load_item *i = l->lists[LOAD_IMPORTS]; i; i = i->next) {
		pg_array_int4(&a[0], (int32_t)i->import->territory);
		pg_array_text(&a[1], i->import->source);
		pg_array_int2(&a[2], (int16_t)i->import->kind->number);
		pg_array_text(&a[3], i->import->partner_key);
		pg_array_int4(&a[4], n++);
	}
}

/* ---- reading
 * ------------------------------------------------------------------------------------- */

static int unpack_body(struct load *l, struct span bytes, const Seve__Body **out, struct err *e)
{
	ProtobufCAllocator al = arena_protobuf(l->arena);

	*out = bytes.len ? seve__body__unpack(&al, bytes.len, bytes.at) : NULL;
	if (bytes.len && !*out)
		return err_set(e, ERR_DATA_LOSS, "a stored record of %zu bytes cannot be read",
			       bytes.len);
	return 0;
}

/* The columns that every statement about records begins with. */
static int read_record(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid id = pg_get_uuid(res, row, 1);
	struct world_record *r =
		world_record(l->world, (uint32_t)pg_get_int4(res, row, 0), &id, true);

	if (!r)
		return err_set(e, ERR_NOMEM, "loading records");
	if (r->exists && (r->body || r->deleted))
		return 0; /* another statement brought it */
	r->kind = kind_by_number((uint32_t)pg_get_int2(res, row, 2));
	r->exists = true;
	r->rev = (uint64_t)pg_get_int8(res, row, 3);
	r->level = (Seve__Level)pg_get_int2(res, row, 4);
	r->deleted = pg_get_bool(res, row, 5);
	r->ref_no = (uint32_t)pg_get_int4(res, row, 6);
	r->narrowed_rev = (uint64_t)pg_get_int8(res, row, 7);
	r->full |= pg_get_bool(res, row, 10);
	if (!pg_get_bool(res, row, 10))
		return 0;
	if (field_revs_unpack(l->arena, pg_get_bytes(res, row, 8), &r->revs, e))
		return -(int)e->code;
	return unpack_body(l, pg_get_bytes(res, row, 9), &r->body, e);
}

static int read_prior(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid client = pg_get_uuid(res, row, 1);
	uint32_t territory = (uint32_t)pg_get_int4(res, row, 0);
	struct world_prior *p =
		world_prior(l->world, territory, &client, (uint64_t)pg_get_int8(res, row, 2), true);
	struct world_prior *last = world_prior(l->world, territory, &client, 0, true);
	struct span hash = pg_get_bytes(res, row, 3), verdict = pg_get_bytes(res, row, 5);
	uint8_t *copy;

	if (!p || !last)
		return err_set(e, ERR_NOMEM, "loading verdicts");
	last->last_mid = (uint64_t)pg_get_int8(res, row, 6);
	if (!hash.len)
		return 0;
	copy = arena_memdup(l->arena, verdict.at, verdict.len);
	if (!copy || hash.len != sizeof p->hash)
		return err_set(e, ERR_DATA_LOSS, "a stored verdict cannot be read");
	memcpy(p->hash, hash.at, sizeof p->hash);
	p->code = (Seve__Verdict__Code)pg_get_int2(res, row, 4);
	p->verdict = (struct span){copy, verdict.len};
	return 0;
}

static int read_referrer(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid to = pg_get_uuid(res, row, 1), from = pg_get_uuid(res, row, 2);

	if (world_referrer_add(l->world, (uint32_t)pg_get_int4(res, row, 0), &to, &from,
			       (uint32_t)pg_get_int4(res, row, 3)))
		return err_set(e, ERR_NOMEM, "loading references");
	return 0;
}

static int read_abroad(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid actor = pg_get_uuid(res, row, 1);

	if (world_abroad_add(l->world, (uint32_t)pg_get_int4(res, row, 0), &actor,
			     pg_get_float8(res, row, 2)))
		return err_set(e, ERR_NOMEM, "loading hours");
	return 0;
}

static int read_version(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid id = pg_get_uuid(res, row, 1);
	struct world_record *r =
		world_record(l->world, (uint32_t)pg_get_int4(res, row, 0), &id, true);

	if (!r)
		return err_set(e, ERR_NOMEM, "loading versions");
	return unpack_body(l, pg_get_bytes(res, row, 2), &r->last_body, e);
}

static int read_import(struct load *l, const PGresult *res, int row, struct err *e)
{
	const struct load_item *i = l->lists[LOAD_IMPORTS];
	struct span hash = pg_get_bytes(res, row, 13);

	for (int32_t n = pg_get_int4(res, row, 11); n > 0 && i; n--)
		i = i->next;
	if (!i || hash.len != sizeof i->import->hash)
		return err_set(e, ERR_DATA_LOSS, "a stored import reference cannot be read");
	i->import->known = true;
	i->import->id = pg_get_uuid(res, row, 12);
	memcpy(i->import->hash, hash.at, hash.len);
	i->import->batch = pg_get_uuid(res, row, 15);
	i->import->effect = (uint8_t)pg_get_int2(res, row, 16);
	i->import->rev = (uint64_t)pg_get_int8(res, row, 17);
	const struct span before = pg_get_bytes(res, row, 19);
	if (before.len == sizeof i->import->previous_hash)
		memcpy(i->import->previous_hash, before.at, before.len);
	if (unpack_body(l, pg_get_bytes(res, row, 14), &i->import->last_values, e) ||
	    unpack_body(l, pg_get_bytes(res, row, 18), &i->import->previous_values, e))
		return -(int)e->code;
	return pg_is_null(res, row, 0) ? 0 : read_record(l, res, row, e);
}

static int read_past(struct load *l, const PGresult *res, int row, struct err *e)
{
	struct uuid id = pg_get_uuid(res, row, 1);
	struct world_version v = {
		.record = world_record(l->world, (uint32_t)pg_get_int4(res, row, 0), &id, true),
		.rev = (uint64_t)pg_get_int8(res, row, 2),
		.next_rev = (uint64_t)pg_get_int8(res, row, 3),
		.by = arena_strdup(l->arena, pg_get_text(res, row, 5)),
		.client_time = pg_get_int8(res, row, 6),
		.at = pg_get_int8(res, row, 7),
	};

	if (!v.record || !v.by)
		return err_set(e, ERR_NOMEM, "loading versions");
	if (unpack_body(l, pg_get_bytes(res, row, 4), &v.body, e))
		return -(int)e->code;
	return world_add_past(l->world, &v) ? err_set(e, ERR_NOMEM, "loading versions") : 0;
}

/* ---- the table of lists -------------------------------------------------------------------------
 */

static const struct load_row {
	const char *sql;
	unsigned elements[5]; /* of the parameter arrays; 0 ends */
	void (*bind)(struct load *l, struct pg_array *a);
	int (*read)(struct load *l, const PGresult *res, int row, struct err *e);
} rows[LOAD_KINDS] = {
	[LOAD_RECORDS] = {"load_records", {PG_INT4, PG_UUID, PG_BOOL}, bind_records, read_record},
	[LOAD_PRIORS] = {"load_priors", {PG_INT4, PG_UUID, PG_INT8}, bind_priors, read_prior},
	[LOAD_NEEDED] = {"load_needed",
			 {PG_INT4, PG_UUID, PG_INT4, PG_INT4, PG_INT2},
			 bind_needed,
			 read_record},
	[LOAD_NAMED] = {"load_named",
			{PG_INT4, PG_UUID, PG_INT4, PG_INT4},
			bind_named,
			read_record},
	[LOAD_ABROAD] = {"load_abroad", {PG_INT4, PG_UUID, PG_INT4}, bind_abroad, read_abroad},
	[LOAD_REFERRERS] = {"load_referrers", {PG_INT4, PG_UUID}, bind_referrers, read_referrer},
	[LOAD_VERSIONS] = {"load_versions", {PG_INT4, PG_UUID}, bind_versions, read_version},
	[LOAD_IMPORTS] = {"load_imports",
			  {PG_INT4, PG_TEXT, PG_INT2, PG_TEXT, PG_INT4},
			  bind_imports,
			  read_import},
	[LOAD_PAST] = {"load_past", {PG_INT4, PG_UUID, PG_INT8}, bind_past, read_past},
};

static int ask_list(struct load *l, struct pg_unit *u, enum load_what what)
{
	struct pg_array arrays[5];
	struct pg_stmt *s = pg_unit_add(u, pg_sql(rows[what].sql));
	size_t n = 0;

	if (!s)
		return -ERR_NOMEM;
	for (; n < 5 && rows[what].elements[n]; n++)
		pg_array_init(&arrays[n], l->arena, rows[what].elements[n]);
	rows[what].bind(l, arrays);
	for (size_t i = 0; i < n; i++)
		pg_params_array(&s->params, &arrays[i]);
	l->stmts[what] = s;
	return pg_params_bad(&s->params) ? -ERR_NOMEM : 0;
}

static int ask_all(struct load *l, struct pg_unit *u)
{
	for (struct load_all *q = l->all; q; q = q->next) {
		struct pg_array territories;

		pg_array_init(&territories, l->arena, PG_INT4);
		for (size_t i = 0; i < q->n; i++)
			pg_array_int4(&territories, (int32_t)q->territories[i]);
		q->stmt = pg_unit_add(u, record_all(q->kind));
		if (!q->stmt)
			return -ERR_NOMEM;
		pg_params_array(&q->stmt->params, &territories);
		if (pg_params_bad(&q->stmt->params))
			return -ERR_NOMEM;
	}
	return 0;
}

int load_ask(struct load *l, struct pg_unit *u)
{
	if (!pg_unit_add(u, pg_sql("begin")) || ask_heads(l, u))
		return -ERR_NOMEM;
	return load_ask_more(l, u);
}

int load_ask_more(struct load *l, struct pg_unit *u)
{
	for (enum load_what w = LOAD_RECORDS; w < LOAD_KINDS; w++)
		if (l->lists[w] && ask_list(l, u, w))
			return -ERR_NOMEM;
	for (struct load_unique *q = l->uniques; q; q = q->next) {
		q->stmt = pg_unit_add(u, record_unique(q->kind, q->field));
		if (!q->stmt)
			return -ERR_NOMEM;
		pg_params_array(&q->stmt->params, &q->territories);
		pg_params_array(&q->stmt->params, &q->values);
		if (pg_params_bad(&q->stmt->params))
			return -ERR_NOMEM;
	}
	return ask_all(l, u);
}

static int read_heads(struct load *l, struct err *e)
{
	const PGresult *res = l->heads ? l->heads->result : NULL;
	struct world_head *h, *tmp;

	if (!res)
		return 0; /* not asked again */
	for (int row = 0; row < PQntuples(res); row++) {
		int32_t *counters;
		int n = pg_get_int4_array(l->arena, res, row, 2, &counters);

		h = world_head(l->world, (uint32_t)pg_get_int4(res, row, 0), true);
		if (!h || n < 0)
			return err_set(e, ERR_NOMEM, "loading heads");
		h->rev = h->loaded_rev = (uint64_t)pg_get_int8(res, row, 1);
		h->loaded = true;
		for (int i = 0; i < n && i < WORLD_KIND_MAX; i++)
			h->counters[i + 1] = (uint32_t)counters[i];
	}
	/* A territory that is not there has no head: its jobs are refused. */
	HASH_ITER (hh, l->world->heads, h, tmp) {
		if (!h->loaded)
			HASH_DEL(l->world->heads, h);
	}
	return 0;
}

static int read_unique(struct load *l, const struct load_unique *q, struct err *e)
{
	const PGresult *res = q->stmt->result;

	for (int row = 0; row < PQntuples(res); row++) {
		struct uuid id = pg_get_uuid(res, row, 1);

		if (read_record(l, res, row, e))
			return -(int)e->code;
		if (world_unique_set(l->world, (uint32_t)pg_get_int4(res, row, 11), q->kind,
				     q->field->id, pg_get_text(res, row, 12), &id))
			return err_set(e, ERR_NOMEM, "loading unique values");
	}
	return 0;
}

int load_read(struct load *l, struct err *e)
{
	int rc = read_heads(l, e);

	for (enum load_what w = LOAD_RECORDS; !rc && w < LOAD_KINDS; w++)
		for (int row = 0; !rc && l->stmts[w] && row < PQntuples(l->stmts[w]->result); row++)
			rc = rows[w].read(l, l->stmts[w]->result, row, e);
	for (const struct load_unique *q = l->uniques; !rc && q; q = q->next)
		rc = read_unique(l, q, e);
	for (const struct load_all *q = l->all; !rc && q; q = q->next)
		for (int row = 0; !rc && row < PQntuples(q->stmt->result); row++)
			rc = read_record(l, q->stmt->result, row, e);
	return rc;
}

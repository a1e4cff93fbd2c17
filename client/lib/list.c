/* list.c -- records of a kind, from the replica or from the server, in the same order. */
#include "client.h"
#include "clock.h"
#include "query.h"
#include "read.h"
#include "record.h"
#include "replica.h"
#include "wire.h"

enum { LIST_PAGE = 1000, SCRATCH_MAX = 8 * 1024 * 1024 };

struct seve_list {
	struct arena arena;
	const struct kind *kind;
	struct seve_record **items;
	size_t n, cap;
	bool from_replica;
	int64_t age_ms;
};

static struct seve_list *list_new(const struct kind *k)
{
	struct seve_list *l = calloc(1, sizeof *l);

	if (l) {
		arena_init(&l->arena, SIZE_MAX / 2);
		l->kind = k;
	}
	return l;
}

void seve_list_free(struct seve_list *l)
{
	if (!l)
		return;
	arena_fini(&l->arena);
	free(l->items);
	free(l);
}

size_t seve_list_count(const struct seve_list *l)
{
	return l ? l->n : 0;
}

const struct seve_record *seve_list_at(const struct seve_list *l, size_t i)
{
	return l && i < l->n ? l->items[i] : NULL;
}

int seve_list_from_replica(const struct seve_list *l)
{
	return l && l->from_replica;
}

int64_t seve_list_age_ms(const struct seve_list *l)
{
	return l ? l->age_ms : 0;
}

static int list_add(struct seve_list *l, uint32_t territory, const uint8_t id[16],
		    const struct outbox_view *v, bool pending, struct err *e)
{
	struct seve_record *r = arena_zalloc(&l->arena, sizeof *r);

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct seve_record **more =
			reallocarray(l->items, cap, sizeof(struct seve_record *));

		if (!more)
			return err_set(e, ERR_NOMEM, "list");
		l->items = more;
		l->cap = cap;
	}
	if (!r)
		return err_set(e, ERR_NOMEM, "list");
	r->arena = &l->arena;
	l->items[l->n++] = r;
	return record_show(r, territory, id, v, pending, false, e);
}

/* ---- from the replica
 * --------------------------------------------------------------------------------------- */

static int unpack(struct arena *a, struct span body, const struct kind *k, const Seve__Body **out,
		  struct err *e)
{
	ProtobufCMessage *m;

	if (wire_unpack(a, &seve__body__descriptor, body.at, body.len, &m, e))
		return err_prefix(e, "a record of the store");
	*out = (const Seve__Body *)m;
	if (kind_of(*out) != k)
		return err_set(e, ERR_DATA_LOSS, "a %s of the store holds another kind", k->name);
	return 0;
}

/* Looked at in the scratch first: what does not match costs no memory. */
static int take_row(struct seve_list *l, const struct seve_query *q, uint32_t territory,
		    sqlite3_stmt *row, struct arena *scratch, struct err *e)
{
	struct span id = store_bytes(row, 0), body = store_bytes(row, 3);
	struct outbox_view v = {l->kind, false, (uint64_t)store_int(row, 1),
				(uint32_t)store_int(row, 2), NULL};
	int rc;

	if (id.len != 16 || !body.at)
		return err_set(e, ERR_DATA_LOSS, "a %s of the store has no id or no body",
			       l->kind->name);
	if (q->n_filters) {
		const Seve__Body *look;

		arena_reset(scratch);
		rc = unpack(scratch, body, l->kind, &look, e);
		if (rc || !query_matches(q, v.ref_no, look))
			return rc;
	}
	rc = unpack(&l->arena, body, l->kind, &v.body, e);
	return rc ? rc : list_add(l, territory, id.at, &v, store_int(row, 4) != 0, e);
}

static int list_replica(struct seve *s, const struct seve_query *q, uint32_t territory,
			struct seve_list *l, struct err *e)
{
	struct arena scratch;
	sqlite3_stmt *row = store_query(s->store, e, STORE_record_list, "ii", (int64_t)territory,
					(int64_t)l->kind->number);
	int rc;

	arena_init(&scratch, SCRATCH_MAX);
	while ((rc = store_step(s->store, row, e)) == 1) {
		rc = take_row(l, q, territory, row, &scratch, e);
		if (rc)
			break;
	}
	store_done(row);
	arena_fini(&scratch);
	return rc;
}

static int by_order(const void *a, const void *b, void *ctx)
{
	const struct seve_record *x = *(struct seve_record *const *)a,
				 *y = *(struct seve_record *const *)b;

	return query_order(ctx, x->body, x->id.b, y->body, y->id.b);
}

/* The territories that the query spans: those named, or all granted ones, or all that are carried.
 */
static int query_replicas(struct seve *s, const struct seve_query *q, uint32_t *out, size_t *n,
			  bool all, struct err *e)
{
	sqlite3_stmt *row;
	int rc;

	*n = q->n_territories;
	memcpy(out, q->territories, *n * sizeof *out);
	if (*n)
		return 0;
	row = store_query(s->store, e, all ? STORE_territory_granted : STORE_replica_all, "");
	while ((rc = store_step(s->store, row, e)) == 1) {
		if (*n == QUERY_TERRITORIES_MAX) {
			rc = err_set(e, ERR_INVALID,
				     "more than %d territories: name those that you mean",
				     QUERY_TERRITORIES_MAX);
			break;
		}
		out[(*n)++] = (uint32_t)store_int(row, 0);
	}
	store_done(row);
	return rc;
}

static int not_carried(struct seve *s, uint32_t territory, const struct replica *r, struct err *e)
{
	char slug[REPLICA_NAME];

	replica_name(s->store, territory, slug);
	if (r->exists)
		err_set(e, ERR_PRECONDITION,
			"the replica of the territory %s has not been loaded to its end yet", slug);
	else
		err_set(e, ERR_NOT_FOUND, "there is no replica of the territory %s", slug);
	return err_remedy(e, "synchronise it first, or read from the server");
}

int read_carried(struct seve *s, const uint32_t *list, size_t n, int64_t *oldest, struct err *e)
{
	*oldest = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		struct replica r;
		int rc = replica_get(s->store, list[i], &r, e);

		if (rc)
			return rc;
		if (!r.complete) {
			not_carried(s, list[i], &r, e);
			return 0;
		}
		if (r.synced_at < *oldest)
			*oldest = r.synced_at;
	}
	return n != 0;
}

static int read_replicas(struct seve *s, const struct seve_query *q, const uint32_t *list, size_t n,
			 int64_t oldest, struct seve_list *l, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = list_replica(s, q, list[i], l, e);
	if (rc)
		return rc;
	if (l->n)
		qsort_r(l->items, l->n, sizeof(struct seve_record *), by_order,
			(void *)(uintptr_t)l->kind);
	if (q->limit && l->n > q->limit)
		l->n = q->limit;
	l->from_replica = true;
	l->age_ms = clock_wall_ms() - oldest;
	if (l->age_ms < 0)
		l->age_ms = 0;
	return 0;
}

/* ---- from the server
 * ------------------------------------------------------------------------------------------ */

static int take_items(struct seve_list *l, const Seve__ListReply *reply, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < reply->n_items; i++) {
		const Seve__TerritoryRecord *item = reply->items[i];
		struct outbox_view v;

		if (!item->record)
			return err_set(e, ERR_PROTOCOL, "the server sent an empty row");
		rc = record_view(&l->arena, item->record, &v, e);
		if (!rc && (v.kind != l->kind || !v.body))
			rc = err_set(e, ERR_PROTOCOL,
				     "the server sent a record of another kind than asked");
		if (!rc)
			rc = list_add(l, item->territory, item->record->id.data, &v, false, e);
	}
	return rc;
}

static int list_page(struct seve *s, Seve__ListRequest *list, struct arena *a, struct seve_list *l,
		     struct buf *after, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	const Seve__Reply *reply;
	size_t had = l->n;
	int rc;

	req.body_case = SEVE__REQUEST__BODY_LIST;
	req.list = list;
	rc = client_ask(s, &req, a, false, true, &reply, e);
	if (rc)
		return rc;
	if (reply->body_case != SEVE__REPLY__BODY_LIST)
		return err_set(e, ERR_PROTOCOL, "the answer to a list is of another kind");
	rc = take_items(l, reply->list, e);
	if (rc)
		return rc;
	buf_consume(after, buf_len(after));
	if (!reply->list->has_next || l->n == had)
		return 0;
	rc = buf_add(after, reply->list->next.data, reply->list->next.len);
	return rc ? err_set(e, ERR_NOMEM, "list") : 0;
}

static int read_server(struct seve *s, const struct seve_query *q, struct seve_list *l,
		       struct err *e)
{
	Seve__ListRequest list = SEVE__LIST_REQUEST__INIT;
	Seve__Filter *filters[QUERY_FILTERS_MAX];
	struct arena a;
	struct buf after;
	int rc;

	for (size_t i = 0; i < q->n_filters; i++)
		filters[i] = (Seve__Filter *)(uintptr_t)&q->filters[i].wire;
	list.n_territories = q->n_territories;
	list.territories = (uint32_t *)(uintptr_t)q->territories;
	list.has_kind = true;
	list.kind = q->kind->number;
	list.n_filters = q->n_filters;
	list.filters = filters;
	list.has_limit = true;
	arena_init(&a, SCRATCH_MAX * 2);
	buf_init(&after, 64 * 1024);
	do {
		list.limit = q->limit && q->limit - l->n < LIST_PAGE ? (uint32_t)(q->limit - l->n)
								     : LIST_PAGE;
		list.has_after = buf_len(&after) != 0;
		list.after = (ProtobufCBinaryData){buf_len(&after),
						   (uint8_t *)(uintptr_t)buf_span(&after).at};
		arena_reset(&a);
		rc = list_page(s, &list, &a, l, &after, e);
	} while (!rc && buf_len(&after) && (!q->limit || l->n < q->limit));
	arena_fini(&a);
	buf_fini(&after);
	return rc;
}

/* ---- choosing
 * --------------------------------------------------------------------------------------------------
 */

static int list_in(struct seve *s, const struct seve_query *q, enum seve_where where,
		   struct seve_list *l, struct err *e)
{
	uint32_t list[QUERY_TERRITORIES_MAX];
	int64_t oldest;
	size_t n;
	int rc;

	if (where == SEVE_SERVER)
		return read_server(s, q, l, e);
	rc = query_replicas(s, q, list, &n, where == SEVE_AUTO, e);
	if (rc)
		return rc;
	rc = read_carried(s, list, n, &oldest, e);
	if (rc < 0)
		return rc;
	if (rc)
		return read_replicas(s, q, list, n, oldest, l, e);
	if (where == SEVE_AUTO)
		return read_server(s, q, l, e);
	if (!n) {
		err_set(e, ERR_NOT_FOUND, "there is no replica here");
		return err_remedy(e, "synchronise first, or read from the server");
	}
	return -(int)e->code;
}

int seve_list(struct seve *s, const struct seve_query *q, enum seve_where where,
	      struct seve_list **out, struct seve_error **err)
{
	struct seve_list *l = list_new(q->kind);
	struct err e = {0};

	if (!l) {
		err_set(&e, ERR_NOMEM, "list");
		return error_out(err, &e);
	}
	if (list_in(s, q, where, l, &e)) {
		seve_list_free(l);
		return error_out(err, &e);
	}
	*out = l;
	return SEVE_OK;
}

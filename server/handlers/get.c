/* get.c -- records by id or reference.  Requests that arrive in one turn of the loop are asked for
 * together: many clients share few round trips, which is what makes a point query cheap. */
#include <stdlib.h>

#include "dispatch.h"
#include "handlers.h"
#include "pg/load.h"
#include "server.h"

enum { GET_RECORDS_MAX = 500, GET_MERGED_MAX = 256 };

/* One request on its way. */
struct get {
	struct request *request;
	struct rights rights;
	Seve__Record **records;
	Seve__Record *store;
	size_t n, room;
	struct get *next;
};

/* What is asked for together. */
struct get_batch {
	struct arena arena;
	struct server *server;
	struct get **list;
	size_t n;
	struct pg_stmt *by_id, *by_ref;
	struct get_batch *next; /* in the list of idle ones */
};

struct getter {
	uv_check_t turn;
	struct server *server;
	struct get *first, *last;
	size_t under_way; /* batches */
	struct get_batch *idle;
	struct pg_query by_id, by_ref;
};

/* While two batches are under way the next gathers: fewer, fuller round trips cost both sides less
 * than many thin ones. */
enum { GET_ARENA_MAX = 4 * 1024 * 1024, GET_UNDER_WAY_MAX = 2 };

/* ---- answering ---------------------------------------------------------------------------------
 */

static void get_add(struct get *g, const PGresult *res, int row)
{
	struct span body = pg_get_bytes(res, row, 5);
	const struct kind *k = kind_by_number((uint32_t)pg_get_int2(res, row, 2));
	Seve__Record *rec;

	if (!authz_sees(&g->rights, k, (Seve__Level)pg_get_int2(res, row, 6),
			pg_get_bytes(res, row, 7)))
		return;
	if (g->n == g->room)
		return; /* an id asked for twice comes once for each */
	rec = &g->store[g->n];
	seve__record__init(rec);
	rec->has_id = rec->has_kind = rec->has_rev = true;
	rec->id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)pg_get_bytes(res, row, 1).at};
	rec->kind = (uint32_t)pg_get_int2(res, row, 2);
	rec->rev = (uint64_t)pg_get_int8(res, row, 3);
	rec->has_deleted = rec->deleted = pg_get_bool(res, row, 4);
	rec->has_body = body.at != NULL && body.len;
	rec->body = (ProtobufCBinaryData){body.len, (uint8_t *)(uintptr_t)body.at};
	g->records[g->n++] = rec;
}

static void get_collect(struct get_batch *b, const struct pg_stmt *s)
{
	for (int row = 0; s && row < PQntuples(s->result); row++)
		get_add(b->list[pg_get_int4(s->result, row, 0)], s->result, row);
}

static void get_reply(struct get *g)
{
	Seve__GetReply get = SEVE__GET_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;

	get.n_records = g->n;
	get.records = g->records;
	reply.body_case = SEVE__REPLY__BODY_GET;
	reply.get = &get;
	request_reply(g->request, &reply);
}

static void get_turn(uv_check_t *handle);

static void batch_free(struct getter *getter, struct get_batch *b)
{
	arena_reset(&b->arena);
	b->next = getter->idle;
	getter->idle = b;
}

static void get_done(struct pg_unit *u)
{
	struct get_batch *b = u->owner;
	struct getter *getter = b->server->getter;

	if (!u->err.code) {
		get_collect(b, b->by_id);
		get_collect(b, b->by_ref);
	}
	/* The next ones first: the database works on them while these are being answered. */
	getter->under_way--;
	if (getter->first)
		get_turn(&getter->turn);
	for (size_t i = 0; i < b->n; i++) {
		if (u->err.code)
			request_fail(b->list[i]->request, &u->err);
		else
			get_reply(b->list[i]);
	}
	pg_unit_clear(u);
	batch_free(getter, b);
}

/* ---- asking
 * --------------------------------------------------------------------------------------- */

struct get_columns {
	struct pg_array n, territory, id, kind, ref;
	size_t rows;
};

static void columns_init(struct get_columns *c, struct arena *a)
{
	pg_array_init(&c->n, a, PG_INT4);
	pg_array_init(&c->territory, a, PG_INT4);
	pg_array_init(&c->id, a, PG_UUID);
	pg_array_init(&c->kind, a, PG_INT2);
	pg_array_init(&c->ref, a, PG_INT4);
	c->rows = 0;
}

static void columns_common(struct get_columns *c, size_t i, const struct get *g)
{
	pg_array_int4(&c->n, (int32_t)i);
	pg_array_int4(&c->territory, (int32_t)g->request->body->get->territory);
	c->rows++;
}

/* `scope`: what row-level security lets through. */
static struct pg_stmt *ask_common(struct pg_unit *u, struct pg_query q, const char *scope,
				  struct get_columns *c)
{
	struct pg_stmt *s = pg_unit_add(u, q);

	if (!s)
		return NULL;
	pg_params_text(&s->params, scope);
	pg_params_array(&s->params, &c->n);
	pg_params_array(&s->params, &c->territory);
	return s;
}

static struct pg_stmt *ask_ids(struct pg_unit *u, struct pg_query q, const char *scope,
			       struct get_columns *c)
{
	struct pg_stmt *s = ask_common(u, q, scope, c);

	if (!s)
		return NULL;
	pg_params_array(&s->params, &c->id);
	return pg_params_bad(&s->params) ? NULL : s;
}

static struct pg_stmt *ask_refs(struct pg_unit *u, struct pg_query q, const char *scope,
				struct get_columns *c)
{
	struct pg_stmt *s = ask_common(u, q, scope, c);

	if (!s)
		return NULL;
	pg_params_array(&s->params, &c->kind);
	pg_params_array(&s->params, &c->ref);
	return pg_params_bad(&s->params) ? NULL : s;
}

static size_t add_territory(uint32_t *list, size_t n, uint32_t territory)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == territory)
			return n;
	list[n] = territory;
	return n + 1;
}

static int batch_ask(struct getter *getter, struct get_batch *b)
{
	struct pg_unit *u = pg_unit_new(&b->arena, b, get_done);
	uint32_t territories[GET_MERGED_MAX];
	struct get_columns ids, refs;
	const char *scope;
	size_t n = 0;

	columns_init(&ids, &b->arena);
	columns_init(&refs, &b->arena);
	for (size_t i = 0; i < b->n; i++) {
		const Seve__GetRequest *q = b->list[i]->request->body->get;

		n = add_territory(territories, n, q->territory);
		for (size_t k = 0; k < q->n_ids; k++) {
			columns_common(&ids, i, b->list[i]);
			pg_array_uuid(&ids.id, q->ids[k].data);
		}
		for (size_t k = 0; k < q->n_refs; k++) {
			const struct kind *kind;
			uint32_t ref;

			if (kind_parse_ref(q->refs[k], &kind, &ref, NULL))
				continue; /* checked when it came */
			columns_common(&refs, i, b->list[i]);
			pg_array_int2(&refs.kind, (int16_t)kind->number);
			pg_array_int4(&refs.ref, (int32_t)ref);
		}
	}
	scope = u ? load_territories_text(&b->arena, territories, n) : NULL;
	if (!scope)
		return -ERR_NOMEM;
	b->by_id = ids.rows ? ask_ids(u, getter->by_id, scope, &ids) : NULL;
	b->by_ref = refs.rows ? ask_refs(u, getter->by_ref, scope, &refs) : NULL;
	if ((ids.rows && !b->by_id) || (refs.rows && !b->by_ref))
		return -ERR_NOMEM;
	getter->under_way++;
	pg_pool_submit(getter->server->readers, u);
	return 0;
}

static struct get_batch *batch_new(struct getter *getter)
{
	struct get_batch *b = getter->idle;

	if (b) {
		getter->idle = b->next;
		b->n = 0;
		return b;
	}
	b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	b->list = calloc(GET_MERGED_MAX, sizeof *b->list);
	if (!b->list) {
		free(b);
		return NULL;
	}
	b->server = getter->server;
	arena_init(&b->arena, GET_ARENA_MAX);
	return b;
}

static void fail_waiting(struct getter *getter, struct get *g)
{
	struct err e;

	(void)getter;
	err_set(&e, ERR_NOMEM, "get");
	request_fail(g->request, &e);
}

/* Sends at once: what the loop does next is write the answers of others. */
static void get_turn(uv_check_t *handle)
{
	struct getter *getter = handle->data;

	uv_check_stop(handle);
	while (getter->first && getter->under_way < GET_UNDER_WAY_MAX) {
		struct get_batch *b = batch_new(getter);
		size_t records = 0;

		while (getter->first && b && b->n < GET_MERGED_MAX && records < GET_RECORDS_MAX) {
			records += getter->first->room;
			b->list[b->n++] = getter->first;
			getter->first = getter->first->next;
		}
		if (!b) {
			fail_waiting(getter, getter->first);
			getter->first = getter->first->next;
		} else if (batch_ask(getter, b)) {
			for (size_t i = 0; i < b->n; i++)
				fail_waiting(getter, b->list[i]);
			batch_free(getter, b);
		}
	}
	if (!getter->first)
		getter->last = NULL;
	pg_pool_send(getter->server->readers);
}

/* ---- taking requests in
 * ------------------------------------------------------------------------------ */

static int get_check(const Seve__GetRequest *q, struct err *e)
{
	const struct kind *k;
	uint32_t ref;

	if (!(q->n_ids + q->n_refs) || q->n_ids + q->n_refs > GET_RECORDS_MAX)
		return err_set(e, ERR_INVALID, "a get names 1 to %d records, this one %zu",
			       GET_RECORDS_MAX, q->n_ids + q->n_refs);
	for (size_t i = 0; i < q->n_ids; i++)
		if (!uuid_is_record_id(q->ids[i].data, q->ids[i].len))
			return err_set(e, ERR_INVALID,
				       "ids[%zu]: a record id is 16 bytes, UUID version 7 or 8", i);
	for (size_t i = 0; i < q->n_refs; i++)
		if (kind_parse_ref(q->refs[i], &k, &ref, e))
			return err_prefix(e, "refs[%zu]", i);
	return 0;
}

void handle_get(struct request *r)
{
	struct getter *getter = r->server->getter;
	const Seve__GetRequest *q = r->body->get;
	struct rights rights;
	struct get *g;
	struct err e;

	if (authz_read(r->who, q->territory, &rights, &e) || get_check(q, &e)) {
		request_fail(r, &e);
		return;
	}
	g = arena_zalloc(&r->arena, sizeof *g);
	if (g) {
		*g = (struct get){.request = r, .rights = rights, .room = q->n_ids + q->n_refs};
		g->records = arena_array(&r->arena, g->room, sizeof *g->records);
		g->store = arena_array(&r->arena, g->room, sizeof *g->store);
	}
	if (!g || !g->records || !g->store) {
		err_set(&e, ERR_NOMEM, "get of %zu records", q->n_ids + q->n_refs);
		request_fail(r, &e);
		return;
	}
	if (getter->last)
		getter->last->next = g;
	else
		getter->first = g;
	getter->last = g;
	uv_check_start(&getter->turn, get_turn);
}

/* ---- opening and closing
 * ---------------------------------------------------------------------------------- */

int getter_open(struct server *s, struct err *e)
{
	struct getter *g = calloc(1, sizeof *g);

	if (!g)
		return err_set(e, ERR_NOMEM, "get");
	g->server = s;
	g->by_id = pg_sql("get_by_id");
	g->by_ref = pg_sql("get_by_ref");
	uv_check_init(s->loop, &g->turn);
	g->turn.data = g;
	s->getter = g;
	return 0;
}

static void getter_gone(uv_handle_t *h)
{
	struct getter *g = h->data;

	while (g->idle) {
		struct get_batch *b = g->idle;

		g->idle = b->next;
		arena_fini(&b->arena);
		free(b->list);
		free(b);
	}
	free(g);
}

void getter_close(struct server *s)
{
	struct getter *g = s->getter;

	if (!g)
		return;
	s->getter = NULL;
	uv_close((uv_handle_t *)&g->turn, getter_gone);
}

/* history.c -- the versions of a record: what it was, who changed it when, and why. */
#include "dispatch.h"
#include "pg/load.h"
#include "server.h"

enum { HISTORY_DEFAULT = 50, HISTORY_MAX = 500 };

struct history {
	struct request *request;
	struct pg_stmt *current, *versions;
	struct rights rights;
	int limit;
};

/* What the reader may see of the record as it is now. */
static bool sees_now(const struct history *h)
{
	const PGresult *now = h->current->result;

	return PQntuples(now) &&
	       authz_sees(&h->rights, kind_by_number((uint32_t)pg_get_int2(now, 0, 4)),
			  (Seve__Level)pg_get_int2(now, 0, 1), pg_get_bytes(now, 0, 5));
}

/* A version above the reader's level is the own actor's if the record is, and was not another's
 * then. */
static bool sees_version(const struct history *h, const PGresult *res, int row)
{
	const PGresult *now = h->current->result;

	return pg_get_int2(res, row, 1) <= (int)h->rights.reads ||
	       (pg_get_int8(res, row, 0) >= pg_get_int8(now, 0, 6) &&
		authz_sees(&h->rights, kind_by_number((uint32_t)pg_get_int2(now, 0, 4)),
			   SEVE__LEVEL__LEVEL_TEAM, pg_get_bytes(now, 0, 5)));
}

static ProtobufCBinaryData binary(struct span s)
{
	return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.at};
}

/* The change that made a version is told by the row of the body that it replaced; the first one
 * tells of itself. */
static void entry_origin(const PGresult *older, int row, Seve__HistoryEntry *h, struct arena *a)
{
	ProtobufCAllocator al = arena_protobuf(a);
	const Seve__Body *body;

	if (row < PQntuples(older)) {
		h->has_at = true;
		h->at = pg_get_int8(older, row, 8);
		h->by = (char *)(uintptr_t)pg_get_text(older, row, 5);
		h->reason = pg_is_null(older, row, 6)
				    ? NULL
				    : (char *)(uintptr_t)pg_get_text(older, row, 6);
		h->has_client_time_ms = !pg_is_null(older, row, 7);
		h->client_time_ms = pg_get_int8(older, row, 7);
		return;
	}
	body = h->has_body ? seve__body__unpack(&al, h->body.len, h->body.data) : NULL;
	if (!body || !body->meta)
		return;
	h->has_at = body->meta->has_created_at;
	h->at = body->meta->created_at;
	h->by = body->meta->created_by;
}

/* Columns 0 rev, 1 level, 2 deleted, 3 body are the same in both results. */
static Seve__HistoryEntry *entry_make(struct history *h, const PGresult *res, int row,
				      int older_row)
{
	struct arena *a = &h->request->arena;
	Seve__HistoryEntry *e;

	if (!sees_version(h, res, row))
		return NULL;
	e = arena_alloc(a, sizeof *e);
	if (!e)
		return NULL;
	seve__history_entry__init(e);
	e->has_rev = true;
	e->rev = (uint64_t)pg_get_int8(res, row, 0);
	e->has_deleted = true;
	e->deleted = pg_get_bool(res, row, 2);
	e->has_body = !pg_is_null(res, row, 3);
	e->body = binary(pg_get_bytes(res, row, 3));
	entry_origin(h->versions->result, older_row, e, a);
	return e;
}

static void history_reply(struct history *h)
{
	Seve__HistoryReply history = SEVE__HISTORY_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	const PGresult *now = h->current->result, *old = h->versions->result;
	int n = PQntuples(old);
	struct err e;

	history.entries = arena_array(&h->request->arena, (size_t)n + 1, sizeof *history.entries);
	if (!history.entries || !sees_now(h)) {
		err_set(&e, history.entries ? ERR_NOT_FOUND : ERR_NOMEM,
			"there is no such record in this territory");
		request_fail(h->request, &e);
		return;
	}
	for (int i = -1; i < n && i + 1 < h->limit; i++) {
		Seve__HistoryEntry *entry = entry_make(h, i < 0 ? now : old, i < 0 ? 0 : i, i + 1);

		if (entry)
			history.entries[history.n_entries++] = entry;
	}
	reply.body_case = SEVE__REPLY__BODY_HISTORY;
	reply.history = &history;
	request_reply(h->request, &reply);
}

static void history_done(struct pg_unit *u)
{
	struct history *h = u->owner;
	struct err e = u->err;

	if (e.code) {
		pg_unit_clear(u);
		request_fail(h->request, &e);
		return;
	}
	/* The reply borrows from the results, which the request's end does not free: the unit lives
	 * in its arena, so they go first. */
	PGresult *now = h->current->result, *old = h->versions->result;

	h->current->result = h->versions->result = NULL;
	pg_unit_clear(u);
	struct pg_stmt current = {.result = now}, versions = {.result = old};
	struct history copy = {h->request, &current, &versions, h->rights, h->limit};

	history_reply(&copy);
	PQclear(now);
	PQclear(old);
}

static int history_ask(struct history *h, uint32_t territory, const uint8_t *id)
{
	struct pg_unit *u = pg_unit_new(&h->request->arena, h, history_done);

	if (!u || load_territories(u, &territory, 1))
		return -ERR_NOMEM;
	h->current = pg_unit_add(u, pg_sql("history_current"));
	h->versions = pg_unit_add(u, pg_sql("history"));
	if (!h->current || !h->versions)
		return -ERR_NOMEM;
	pg_params_int4(&h->current->params, (int32_t)territory);
	pg_params_uuid(&h->current->params, id);
	pg_params_int4(&h->versions->params, (int32_t)territory);
	pg_params_uuid(&h->versions->params, id);
	pg_params_int4(&h->versions->params,
		       h->limit); /* the last of them may only tell who made the one before */
	if (pg_params_bad(&h->current->params) || pg_params_bad(&h->versions->params))
		return -ERR_NOMEM;
	pg_pool_submit(h->request->server->readers, u);
	return 0;
}

void handle_history(struct request *r)
{
	const Seve__HistoryRequest *q = r->body->history;
	struct history *h = arena_zalloc(&r->arena, sizeof *h);
	struct rights rights;
	struct err e;

	if (authz_read(r->who, q->territory, &rights, &e)) {
		request_fail(r, &e);
		return;
	}
	if (!uuid_is_record_id(q->id.data, q->id.len)) {
		err_set(&e, ERR_INVALID, "id: a record id is 16 bytes");
		request_fail(r, &e);
		return;
	}
	if (h) {
		*h = (struct history){.request = r, .rights = rights};
		h->limit = !q->limit                ? HISTORY_DEFAULT
			   : q->limit > HISTORY_MAX ? HISTORY_MAX
						    : (int)q->limit;
	}
	if (!h || history_ask(h, q->territory, q->id.data)) {
		err_set(&e, ERR_NOMEM, "history");
		request_fail(r, &e);
	}
}

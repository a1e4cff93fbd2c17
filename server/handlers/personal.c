/* personal.c -- what is held on a person, and taking it out: GDPR, articles 15 and 17.
 *
 * An erasure is two transactions.  The writer's gives the record its new, empty content, from which
 * moment nobody can write it again, and makes it travel to every replica; the second scrubs the
 * places of places.def, where nothing new can come meanwhile.  A crash in between is mended by
 * asking again: both do what is left to do.  The log says who was erased: a restored backup that is
 * older brings them back. */
#include <string.h>

#include "dispatch.h"
#include "kind.h"
#include "log.h"
#include "pg/load.h"
#include "pg/writer.h"
#include "server.h"

enum { HELD_ROWS = 200, HELD_BYTES = 512 * 1024, CURSOR = 4 + 8 + 16 };

/* Whoever answers for a territory's contacts: its facilitators. */
static int personal_allowed(struct request *r, uint32_t territory, ProtobufCBinaryData id,
			    struct err *e)
{
	struct rights rights;

	if (authz_read(r->who, territory, &rights, e))
		return -(int)e->code;
	if (!uuid_is_record_id(id.data, id.len))
		return err_set(e, ERR_INVALID, "id: a record id is 16 bytes");
	if (rights.reads < SEVE__LEVEL__LEVEL_TEAM || !(rights.writes & KIND_BY_F))
		return err_set(e, ERR_DENIED,
			       "territory %u: what is held on a person is told, and erased, by its "
			       "facilitators",
			       territory);
	return 0;
}

/* ---- erasing ----------------------------------------------------------------------------------
 */

struct erasure {
	struct request *request;
	struct apply_erase what;
	struct writer_job job;
};

static const char *const scrubs[] = {
#define PLACE(name, table, columns, statement) statement,
#include "pg/places.def"
};

static void erased(struct pg_unit *u)
{
	struct erasure *x = u->owner;
	Seve__Empty done = SEVE__EMPTY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;
	char id[UUID_TEXT];

	pg_unit_clear(u);
	if (e.code) {
		request_fail(x->request, &e);
		return;
	}
	uuid_format(&x->what.id, id);
	log_event(LOG_INFO, "erased", "territory=%u id=%s account=%s",
		  x->request->body->erase->territory, id, x->request->who->account);
	reply.body_case = SEVE__REPLY__BODY_DONE;
	reply.done = &done;
	request_reply(x->request, &reply);
}

static int scrub(struct erasure *x, struct err *e)
{
	const uint32_t territory = x->request->body->erase->territory;
	struct pg_unit *u = pg_unit_new(&x->request->arena, x, erased);
	struct pg_stmt *s;

	if (!u || load_territories(u, &territory, 1))
		return err_set(e, ERR_NOMEM, "erasing");
	for (size_t i = 0; i < sizeof scrubs / sizeof *scrubs; i++) {
		if (!scrubs[i])
			continue;
		s = pg_unit_add(u, pg_sql(scrubs[i]));
		if (!s)
			return err_set(e, ERR_NOMEM, "erasing");
		pg_params_int4(&s->params, (int32_t)territory);
		pg_params_uuid(&s->params, x->what.id.b);
		if (pg_params_bad(&s->params))
			return err_set(e, ERR_NOMEM, "erasing");
	}
	pg_pool_submit(x->request->server->readers, u);
	return 0;
}

static void emptied(struct writer_job *j)
{
	struct erasure *x = j->owner;
	const Seve__RowVerdict *row = j->work.row;
	struct err e = j->err;

	if (!e.code && row->code == SEVE__ROW_VERDICT__CODE__REJECTED) {
		const Seve__Violation *v = row->n_violations ? row->violations[0] : NULL;
		const bool gone = v && v->code && !strcmp(v->code, "GONE");

		err_set(&e, gone ? ERR_NOT_FOUND : ERR_PRECONDITION, "%s",
			v && v->text ? v->text : "the record cannot be erased");
	}
	if (e.code || scrub(x, &e))
		request_fail(x->request, &e);
}

static int erase_start(struct request *r, struct err *e)
{
	const Seve__EraseRequest *q = r->body->erase;
	struct erasure *x = arena_zalloc(&r->arena, sizeof *x);
	const struct rights rights = authz_rights(r->who, q->territory);

	if (!x)
		return err_set(e, ERR_NOMEM, "erasing");
	if (personal_allowed(r, q->territory, q->id, e))
		return -(int)e->code;
	x->request = r;
	memcpy(x->what.id.b, q->id.data, sizeof x->what.id.b);
	x->job.work = (struct apply_job){
		.territory = q->territory,
		.author = {.account = r->who->account,
			   .client = r->who->client_id,
			   .client_short = r->who->client_short,
			   .reads = rights.reads,
			   .writes = rights.writes},
		.erase = &x->what,
	};
	x->job.bytes = 1024;
	x->job.owner = x;
	x->job.done = emptied;
	return writer_submit(r->server->writer, &x->job, e);
}

void handle_erase(struct request *r)
{
	struct err e = {.code = ERR_OK};

	if (erase_start(r, &e))
		request_fail(r, &e);
}

/* ---- telling ----------------------------------------------------------------------------------
 */

struct held {
	struct request *request;
	struct pg_stmt *rows;
	uint8_t next[CURSOR];
};

enum column { PART, NUMBER, ID, NAME, KIND, REV, AT, BY, REASON, SOURCE, KEY, BODY, REMARK };

static char *text_at(const PGresult *res, int row, int column)
{
	return pg_is_null(res, row, column) ? NULL
					    : (char *)(uintptr_t)pg_get_text(res, row, column);
}

static ProtobufCBinaryData bytes_at(const PGresult *res, int row, int column)
{
	const struct span s = pg_get_bytes(res, row, column);

	return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.at};
}

static void item_make(const PGresult *res, int row, Seve__HeldItem *i)
{
	seve__held_item__init(i);
	i->place = text_at(res, row, NAME);
	i->has_id = true;
	i->id = bytes_at(res, row, ID);
	i->has_kind = !pg_is_null(res, row, KIND);
	i->kind = i->has_kind ? (uint32_t)pg_get_int4(res, row, KIND) : 0;
	i->has_rev = !pg_is_null(res, row, REV);
	i->rev = i->has_rev ? (uint64_t)pg_get_int8(res, row, REV) : 0;
	i->has_at = !pg_is_null(res, row, AT);
	i->at = i->has_at ? pg_get_int8(res, row, AT) : 0;
	i->by = text_at(res, row, BY);
	i->reason = text_at(res, row, REASON);
	i->source = text_at(res, row, SOURCE);
	i->key = text_at(res, row, KEY);
	i->has_body = !pg_is_null(res, row, BODY);
	i->body = bytes_at(res, row, BODY);
	i->has_remark = !pg_is_null(res, row, REMARK);
	i->remark = bytes_at(res, row, REMARK);
}

static void cursor_make(const PGresult *res, int row, uint8_t out[static CURSOR])
{
	const int32_t part = pg_get_int4(res, row, PART);
	const int64_t number = pg_get_int8(res, row, NUMBER);
	const struct uuid id = pg_get_uuid(res, row, ID);

	memcpy(out, &part, sizeof part);
	memcpy(out + 4, &number, sizeof number);
	memcpy(out + 12, id.b, sizeof id.b);
}

static int held_fill(struct held *h, const PGresult *res, Seve__HeldReply *out)
{
	const int n = PQntuples(res);
	Seve__HeldItem *list = arena_array(&h->request->arena, (size_t)n + 1, sizeof *list);
	size_t bytes = 0;

	out->items = arena_array(&h->request->arena, (size_t)n + 1, sizeof *out->items);
	if (!list || !out->items)
		return -ERR_NOMEM;
	for (int i = 0; i < n && bytes < HELD_BYTES; i++) {
		item_make(res, i, &list[i]);
		out->items[out->n_items++] = &list[i];
		bytes += seve__held_item__get_packed_size(&list[i]);
	}
	if ((int)out->n_items < n || n == HELD_ROWS) {
		cursor_make(res, (int)out->n_items - 1, h->next);
		out->has_next = true;
		out->next = (ProtobufCBinaryData){CURSOR, h->next};
	}
	return 0;
}

static void held_done(struct pg_unit *u)
{
	struct held *h = u->owner;
	Seve__HeldReply held = SEVE__HELD_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;
	PGresult *res = h->rows->result;

	h->rows->result = NULL; /* the reply borrows from it */
	pg_unit_clear(u);
	if (!e.code && !PQntuples(res) && !h->request->body->held->has_after)
		err_set(&e, ERR_NOT_FOUND, "there is no such record in this territory");
	if (!e.code && held_fill(h, res, &held))
		err_set(&e, ERR_NOMEM, "what is held");
	reply.body_case = SEVE__REPLY__BODY_HELD;
	reply.held = &held;
	if (e.code)
		request_fail(h->request, &e);
	else
		request_reply(h->request, &reply);
	PQclear(res);
}

static int held_start(struct request *r, struct err *e)
{
	const Seve__HeldRequest *q = r->body->held;
	struct held *h = arena_zalloc(&r->arena, sizeof *h);
	struct pg_unit *u = h ? pg_unit_new(&r->arena, h, held_done) : NULL;
	uint8_t after[CURSOR] = {0};
	int32_t part;
	int64_t number;

	if (personal_allowed(r, q->territory, q->id, e))
		return -(int)e->code;
	if (q->has_after && q->after.len != CURSOR)
		return err_set(e, ERR_INVALID, "after: from the previous reply");
	if (q->has_after)
		memcpy(after, q->after.data, CURSOR);
	memcpy(&part, after, sizeof part);
	memcpy(&number, after + 4, sizeof number);
	if (!u || load_territories(u, &q->territory, 1))
		return err_set(e, ERR_NOMEM, "what is held");
	h->request = r;
	h->rows = pg_unit_add(u, pg_sql("held"));
	if (!h->rows)
		return err_set(e, ERR_NOMEM, "what is held");
	pg_params_int4(&h->rows->params, (int32_t)q->territory);
	pg_params_uuid(&h->rows->params, q->id.data);
	pg_params_int4(&h->rows->params, part);
	pg_params_int8(&h->rows->params, number);
	pg_params_uuid(&h->rows->params, after + 12);
	pg_params_int4(&h->rows->params, HELD_ROWS);
	if (pg_params_bad(&h->rows->params))
		return err_set(e, ERR_NOMEM, "what is held");
	pg_pool_submit(r->server->readers, u);
	return 0;
}

void handle_held(struct request *r)
{
	struct err e = {.code = ERR_OK};

	if (held_start(r, &e))
		request_fail(r, &e);
}

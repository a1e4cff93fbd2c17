/* import_keep.c -- batches are kept: opened before their first row, closed with their counts, told
 * later with the remarks on their rows. */
#include <string.h>

#include "clock.h"
#include "handlers/import.h"
#include "server.h"
#include "wire.h"

enum {
	LABEL_MAX = 200,
	BATCHES_DEFAULT = 20,
	BATCHES_MAX = 500,
	NOTES_PAGE = 500,
	ANY_BATCH = 0,
};

/* ---- opening ----------------------------------------------------------------------------------
 */

struct opening {
	struct request *request;
	struct run *run;
	struct pg_stmt *stmt;
	void (*opened)(struct request *r, struct run *run, const struct err *err);
};

static void opening_done(struct pg_unit *u)
{
	struct opening *o = u->owner;
	struct err e = u->err;

	if (!e.code && PQntuples(o->stmt->result) == 0) {
		err_set(&e, ERR_NOT_FOUND, "there is no import of yours to go on with");
		err_remedy(&e, "start it again: what was written stays and will be unchanged");
	}
	pg_unit_clear(u);
	o->opened(o->request, o->run, e.code ? &e : NULL);
}

int keep_open(struct request *r, struct run *run, const Seve__ImportBegin *q,
	      void (*opened)(struct request *r, struct run *run, const struct err *err))
{
	struct opening *o = arena_zalloc(&r->arena, sizeof *o);
	struct pg_unit *u = o ? pg_unit_new(&r->arena, o, opening_done) : NULL;
	struct pg_params *p;

	if (!u || load_territories(u, &run->territory, 1))
		return -ERR_NOMEM;
	*o = (struct opening){.request = r, .run = run, .opened = opened};
	o->stmt = pg_unit_add(u, pg_sql("import_open"));
	if (!o->stmt)
		return -ERR_NOMEM;
	p = &o->stmt->params;
	pg_params_int4(p, (int32_t)run->territory);
	pg_params_uuid(p, run->batch.b);
	pg_params_int4(p, (int32_t)run->kind->number);
	pg_params_text(p, run->source);
	pg_params_text(p, r->who->account);
	pg_params_text(p, q->label && strlen(q->label) <= LABEL_MAX ? q->label : "");
	pg_params_int8(p, clock_wall_ms());
	if (pg_params_bad(p))
		return -ERR_NOMEM;
	pg_pool_submit(r->server->readers, u);
	return 0;
}

/* ---- remarks ----------------------------------------------------------------------------------
 */

struct noting {
	void (*kept)(void *ctx, const struct err *err);
	void *ctx;
};

static void noting_done(struct pg_unit *u)
{
	struct noting *n = u->owner;
	const struct err e = u->err;

	pg_unit_clear(u);
	n->kept(n->ctx, e.code ? &e : NULL);
}

static size_t add_notes(struct arena *a, struct pg_array *list, Seve__RowVerdict *const *rows,
			size_t n)
{
	size_t added = 0;

	for (size_t i = 0; i < n; i++) {
		struct span bytes;

		if (!rows[i] || (!rows[i]->n_violations && !rows[i]->n_warnings))
			continue;
		bytes = wire_pack(a, &rows[i]->base);
		pg_array_bytes(list, bytes.at, bytes.len);
		added++;
	}
	return added;
}

int keep_notes(struct request *r, const struct run *run, Seve__RowVerdict *const *rows, size_t n,
	       void (*kept)(void *ctx, const struct err *err), void *ctx)
{
	struct noting *w = arena_zalloc(&r->arena, sizeof *w);
	struct pg_unit *u = w ? pg_unit_new(&r->arena, w, noting_done) : NULL;
	struct pg_array list;
	struct pg_stmt *s;

	pg_array_init(&list, &r->arena, PG_BYTEA);
	if (run->dry_run || !add_notes(&r->arena, &list, rows, n)) {
		kept(ctx, NULL);
		return 0;
	}
	if (!u || load_territories(u, &run->territory, 1))
		return -ERR_NOMEM;
	*w = (struct noting){kept, ctx};
	s = pg_unit_add(u, pg_sql("import_notes"));
	if (!s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)run->territory);
	pg_params_uuid(&s->params, run->batch.b);
	pg_params_array(&s->params, &list);
	if (pg_params_bad(&s->params))
		return -ERR_NOMEM;
	pg_pool_submit(r->server->readers, u);
	return 0;
}

/* ---- closing ----------------------------------------------------------------------------------
 */

struct closing {
	struct request *request;
	struct run *run;
	struct pg_stmt *stmt;
	Seve__RowVerdict **rows;
	size_t n;
};

static void fill_counts(Seve__ImportCounts *c, const uint32_t n[static IMPORT_CODES])
{
	c->has_created = c->has_updated = c->has_unchanged = c->has_attached = c->has_skipped =
		c->has_deleted = c->has_rejected = true;
	c->created = n[SEVE__ROW_VERDICT__CODE__CREATED];
	c->updated = n[SEVE__ROW_VERDICT__CODE__UPDATED];
	c->unchanged = n[SEVE__ROW_VERDICT__CODE__UNCHANGED];
	c->attached = n[SEVE__ROW_VERDICT__CODE__ATTACHED];
	c->skipped = n[SEVE__ROW_VERDICT__CODE__SKIPPED];
	c->deleted = n[SEVE__ROW_VERDICT__CODE__DELETED];
	c->rejected = n[SEVE__ROW_VERDICT__CODE__REJECTED];
}

/* Seven counts in the order of the codes, from `col` on. */
static void read_counts(Seve__ImportCounts *c, const PGresult *res, int row, int col)
{
	uint32_t n[IMPORT_CODES] = {0};

	for (int code = 1; code < IMPORT_CODES; code++)
		n[code] = (uint32_t)pg_get_int4(res, row, col + code - 1);
	fill_counts(c, n);
}

static void closing_done(struct pg_unit *u)
{
	struct closing *c = u->owner;
	struct request *r = c->request;
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;
	Seve__ImportCounts counts = SEVE__IMPORT_COUNTS__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct run *run = c->run;
	const PGresult *res = c->stmt->result;
	struct err e = u->err;

	fill_counts(&counts, run->counts);
	if (!e.code && PQntuples(res)) {
		import.has_head_rev = true;
		import.head_rev = (uint64_t)pg_get_int8(res, 0, 0);
		if (!run->dry_run)
			read_counts(&counts, res, 0, 1);
	}
	pg_unit_clear(u);
	if (e.code) {
		run->ending = false; /* it may be asked for again */
		request_fail(r, &e);
		return;
	}
	import.has_run = true;
	import.run = run->id;
	import.counts = &counts;
	import.has_batch = !run->dry_run;
	import.batch = (ProtobufCBinaryData){16, run->batch.b};
	import.rows = c->rows;
	import.n_rows = c->n;
	reply.body_case = SEVE__REPLY__BODY_IMPORT;
	reply.import = &import;
	request_reply(r, &reply);
	run_drop(r->server->imports, run);
}

static int closing_ask(struct closing *c, struct pg_unit *u)
{
	const struct run *run = c->run;
	struct pg_params *p;

	if (load_territories(u, &run->territory, 1))
		return -ERR_NOMEM;
	c->stmt = pg_unit_add(u, pg_sql(run->dry_run ? "head" : "import_close"));
	if (!c->stmt)
		return -ERR_NOMEM;
	p = &c->stmt->params;
	pg_params_int4(p, (int32_t)run->territory);
	if (!run->dry_run) {
		pg_params_uuid(p, run->batch.b);
		pg_params_text(p, run->source);
		pg_params_int4(p, (int32_t)run->kind->number);
		pg_params_int8(p, clock_wall_ms());
		pg_params_int4(p, (int32_t)run->counts[SEVE__ROW_VERDICT__CODE__UNCHANGED]);
		pg_params_int4(p, (int32_t)run->counts[SEVE__ROW_VERDICT__CODE__SKIPPED]);
		pg_params_int4(p, (int32_t)run->counts[SEVE__ROW_VERDICT__CODE__REJECTED]);
	}
	if (pg_params_bad(p))
		return -ERR_NOMEM;
	pg_pool_submit(c->request->server->readers, u);
	return 0;
}

void keep_close(struct request *r, struct run *run, Seve__RowVerdict **rows, size_t n)
{
	struct closing *c = arena_zalloc(&r->arena, sizeof *c);
	struct pg_unit *u = c ? pg_unit_new(&r->arena, c, closing_done) : NULL;
	struct err e;

	if (c)
		*c = (struct closing){.request = r, .run = run, .rows = rows, .n = n};
	if (!u || closing_ask(c, u)) {
		run->ending = false;
		err_set(&e, ERR_NOMEM, "the end of an import");
		request_fail(r, &e);
	}
}

/* ---- telling of batches ------------------------------------------------------------------------
 */

struct telling {
	struct request *request;
	struct pg_stmt *batches, *notes;
};

static char *borrowed(const PGresult *res, int row, int col)
{
	return pg_is_null(res, row, col) ? NULL : (char *)(uintptr_t)pg_get_text(res, row, col);
}

static void fill_batch(Seve__ImportBatch *b, const PGresult *res, int row)
{
	const struct span id = pg_get_bytes(res, row, 0);

	b->has_batch = b->has_kind = b->has_began_at = true;
	b->batch = (ProtobufCBinaryData){id.len, (uint8_t *)(uintptr_t)id.at};
	b->kind = (uint32_t)pg_get_int2(res, row, 1);
	b->source = borrowed(res, row, 2);
	b->account = borrowed(res, row, 3);
	b->label = borrowed(res, row, 4);
	b->began_at = pg_get_int8(res, row, 5);
	b->has_ended_at = !pg_is_null(res, row, 6);
	b->ended_at = pg_get_int8(res, row, 6);
	b->has_reverted_at = !pg_is_null(res, row, 7);
	b->reverted_at = pg_get_int8(res, row, 7);
	b->reverted_by = borrowed(res, row, 8);
	b->has_head_rev = !pg_is_null(res, row, 9);
	b->head_rev = (uint64_t)pg_get_int8(res, row, 9);
}

static Seve__ImportBatch *batch_make(struct arena *a, const PGresult *res, int row)
{
	Seve__ImportBatch *b = arena_alloc(a, sizeof *b);
	Seve__ImportCounts *c = arena_alloc(a, sizeof *c);

	if (!b || !c)
		return NULL;
	seve__import_batch__init(b);
	seve__import_counts__init(c);
	fill_batch(b, res, row);
	if (b->has_ended_at) {
		read_counts(c, res, row, 10);
		b->counts = c;
	}
	return b;
}

/* An importer is told of its own source; others of all. */
static int ask_batches(struct telling *t, struct pg_unit *u, uint32_t territory,
		       const struct uuid *batch, uint32_t limit, const struct rights *rights)
{
	struct pg_params *p;

	t->batches = pg_unit_add(u, pg_sql("import_batches"));
	if (!t->batches)
		return -ERR_NOMEM;
	p = &t->batches->params;
	pg_params_int4(p, (int32_t)territory);
	if (batch)
		pg_params_uuid(p, batch->b);
	else
		pg_params_null(p, PG_UUID);
	pg_params_text(p, rights->source);
	pg_params_int4(p, (int32_t)limit);
	return pg_params_bad(p) ? -ERR_NOMEM : 0;
}

/* What an import did is for those who may write what it wrote. */
static int may_see(const struct request *r, uint32_t territory, struct rights *rights,
		   struct err *e)
{
	int rc = authz_read(r->who, territory, rights, e);

	if (!rc && !rights->writes) {
		err_set(e, ERR_DENIED, "imports are told to those who may write here");
		rc = err_remedy(e, "ask a facilitator of that territory");
	}
	return rc;
}

static void list_done(struct pg_unit *u)
{
	struct telling *t = u->owner;
	struct request *r = t->request;
	Seve__ImportListReply list = SEVE__IMPORT_LIST_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	PGresult *res = t->batches->result;
	struct err e = u->err;
	int n = e.code ? 0 : PQntuples(res);

	t->batches->result = NULL; /* the reply borrows from it */
	pg_unit_clear(u);
	list.batches = arena_array(&r->arena, (size_t)n + 1, sizeof *list.batches);
	for (int i = 0; list.batches && i < n; i++)
		if ((list.batches[i] = batch_make(&r->arena, res, i)))
			list.n_batches++;
	if (!e.code && list.n_batches != (size_t)n)
		err_set(&e, ERR_NOMEM, "imports");
	reply.body_case = SEVE__REPLY__BODY_IMPORT_LIST;
	reply.import_list = &list;
	if (e.code)
		request_fail(r, &e);
	else
		request_reply(r, &reply);
	PQclear(res);
}

void handle_import_list(struct request *r)
{
	const Seve__ImportListRequest *q = r->body->import_list;
	struct telling *t = arena_zalloc(&r->arena, sizeof *t);
	struct pg_unit *u = t ? pg_unit_new(&r->arena, t, list_done) : NULL;
	const uint32_t limit = !q->limit                ? BATCHES_DEFAULT
			       : q->limit > BATCHES_MAX ? BATCHES_MAX
							: q->limit;
	struct rights rights;
	struct err e;

	if (may_see(r, q->territory, &rights, &e)) {
		request_fail(r, &e);
		return;
	}
	if (t)
		t->request = r;
	if (!u || load_territories(u, &q->territory, 1) ||
	    ask_batches(t, u, q->territory, NULL, limit, &rights)) {
		err_set(&e, ERR_NOMEM, "imports");
		request_fail(r, &e);
		return;
	}
	pg_pool_submit(r->server->readers, u);
}

/* As many remarks as fit a frame. */
static int report_rows(struct arena *a, const PGresult *res, Seve__ImportReportReply *out,
		       struct err *e)
{
	int n = PQntuples(res), row;
	size_t bytes = 0;

	out->rows = arena_array(a, (size_t)n + 1, sizeof *out->rows);
	if (!out->rows)
		return err_set(e, ERR_NOMEM, "report");
	for (row = 0; row < n; row++) {
		const struct span v = pg_get_bytes(res, row, 1);
		ProtobufCMessage *m;

		bytes += v.len;
		if (row && bytes > FRAME_MAX / 2)
			break;
		if (wire_unpack(a, &seve__row_verdict__descriptor, v.at, v.len, &m, e))
			return -(int)e->code;
		out->rows[out->n_rows++] = (Seve__RowVerdict *)m;
	}
	if (row == NOTES_PAGE || row < n) {
		out->has_next = true;
		out->next = (uint64_t)pg_get_int8(res, row - 1, 0);
	}
	return 0;
}

static void report_done(struct pg_unit *u)
{
	struct telling *t = u->owner;
	struct request *r = t->request;
	Seve__ImportReportReply report = SEVE__IMPORT_REPORT_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;

	if (!e.code && PQntuples(t->batches->result) == 0)
		err_set(&e, ERR_NOT_FOUND, "there is no such import in this territory");
	if (!e.code) {
		report.batch = batch_make(&r->arena, t->batches->result, 0);
		if (!report.batch)
			err_set(&e, ERR_NOMEM, "report");
		else
			report_rows(&r->arena, t->notes->result, &report, &e);
	}
	PGresult *batches = t->batches->result;
	t->batches->result = NULL;
	pg_unit_clear(u);
	reply.body_case = SEVE__REPLY__BODY_IMPORT_REPORT;
	reply.import_report = &report;
	if (e.code)
		request_fail(r, &e);
	else
		request_reply(r, &reply);
	PQclear(batches);
}

static int report_ask(struct request *r, const struct rights *rights)
{
	const Seve__ImportReportRequest *q = r->body->import_report;
	struct telling *t = arena_zalloc(&r->arena, sizeof *t);
	struct pg_unit *u = t ? pg_unit_new(&r->arena, t, report_done) : NULL;
	struct uuid batch;

	if (!u || load_territories(u, &q->territory, 1))
		return -ERR_NOMEM;
	t->request = r;
	memcpy(batch.b, q->batch.data, sizeof batch.b);
	if (ask_batches(t, u, q->territory, &batch, 1, rights))
		return -ERR_NOMEM;
	t->notes = pg_unit_add(u, pg_sql("import_noted"));
	if (!t->notes)
		return -ERR_NOMEM;
	pg_params_int4(&t->notes->params, (int32_t)q->territory);
	pg_params_uuid(&t->notes->params, batch.b);
	pg_params_int8(&t->notes->params, (int64_t)q->after);
	pg_params_int4(&t->notes->params, NOTES_PAGE);
	if (pg_params_bad(&t->notes->params))
		return -ERR_NOMEM;
	pg_pool_submit(r->server->readers, u);
	return 0;
}

void handle_import_report(struct request *r)
{
	const Seve__ImportReportRequest *q = r->body->import_report;
	struct rights rights;
	struct err e;

	if (may_see(r, q->territory, &rights, &e)) {
		request_fail(r, &e);
		return;
	}
	if (q->batch.len != 16 || q->after > INT64_MAX) {
		err_set(&e, ERR_INVALID, "batch: 16 bytes; after: from the previous reply");
		request_fail(r, &e);
		return;
	}
	if (report_ask(r, &rights)) {
		err_set(&e, ERR_NOMEM, "report");
		request_fail(r, &e);
	}
}

/* import_revert.c -- a batch taken back, latest rows first, one page of them a request: what has
 * been edited since, or brought again by a later import, stays and is told. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "handlers/import.h"
#include "server.h"
#include "wire.h"

enum { PAGE = 500, KEY_MAX = 200, CURSOR_MAX = 8 + KEY_MAX };

struct revert {
	struct request *request;
	struct rights rights;
	struct uuid batch;
	const struct kind *kind;
	const char *source;
	struct pg_stmt *found, *effects;
	struct writer_job *jobs;
	size_t n, left;
	Seve__RowVerdict **told;
	size_t n_told;
	uint8_t next[CURSOR_MAX];
	size_t next_len;
	uint32_t counts[IMPORT_CODES];
	struct err err;
};

static void revert_fail(struct revert *v)
{
	request_fail(v->request, &v->err);
}

/* ---- the answer -------------------------------------------------------------------------------
 */

static void revert_reply(struct revert *v)
{
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;
	Seve__ImportCounts counts = SEVE__IMPORT_COUNTS__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;

	counts.has_updated = counts.has_unchanged = counts.has_skipped = counts.has_deleted =
		counts.has_rejected = true;
	counts.updated = v->counts[SEVE__ROW_VERDICT__CODE__UPDATED];
	counts.unchanged = v->counts[SEVE__ROW_VERDICT__CODE__UNCHANGED];
	counts.skipped = v->counts[SEVE__ROW_VERDICT__CODE__SKIPPED];
	counts.deleted = v->counts[SEVE__ROW_VERDICT__CODE__DELETED];
	counts.rejected = v->counts[SEVE__ROW_VERDICT__CODE__REJECTED];
	import.counts = &counts;
	import.has_batch = true;
	import.batch = (ProtobufCBinaryData){16, v->batch.b};
	import.rows = v->told;
	import.n_rows = v->n_told;
	import.has_next = v->next_len != 0;
	import.next = (ProtobufCBinaryData){v->next_len, v->next};
	reply.body_case = SEVE__REPLY__BODY_IMPORT;
	reply.import = &import;
	request_reply(v->request, &reply);
}

static void marked(struct pg_unit *u)
{
	struct revert *v = u->owner;

	v->err = u->err;
	pg_unit_clear(u);
	if (v->err.code)
		revert_fail(v);
	else
		revert_reply(v);
}

/* After the last page: the batch is known as taken back. */
static int mark(struct revert *v)
{
	struct pg_unit *u = pg_unit_new(&v->request->arena, v, marked);
	const uint32_t territory = v->request->body->import_revert->territory;
	struct pg_stmt *s;

	if (!u || load_territories(u, &territory, 1))
		return -ERR_NOMEM;
	s = pg_unit_add(u, pg_sql("import_reverted"));
	if (!s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)territory);
	pg_params_uuid(&s->params, v->batch.b);
	pg_params_int8(&s->params, clock_wall_ms());
	pg_params_text(&s->params, v->request->who->account);
	if (pg_params_bad(&s->params))
		return -ERR_NOMEM;
	pg_pool_submit(v->request->server->readers, u);
	return 0;
}

static void page_end(struct revert *v)
{
	if (!v->err.code && !v->next_len && mark(v))
		err_set(&v->err, ERR_NOMEM, "taking an import back");
	else if (!v->err.code && !v->next_len)
		return; /* marked() answers */
	if (v->err.code)
		revert_fail(v);
	else
		revert_reply(v);
}

/* ---- one page ---------------------------------------------------------------------------------
 */

static void undone(struct writer_job *j)
{
	struct revert *v = j->owner;
	const Seve__RowVerdict *row = j->work.row;

	if (j->err.code && !v->err.code)
		v->err = j->err;
	if (!j->err.code) {
		v->counts[row->code]++;
		if (row->n_violations || row->n_warnings)
			v->told[v->n_told++] =
				(Seve__RowVerdict *)wire_dup(&v->request->arena, &row->base);
		if (v->n_told && !v->told[v->n_told - 1])
			v->n_told--; /* the counts tell of it */
	}
	if (!--v->left)
		page_end(v);
}

/* The row's input, copied: the result goes before the job is done. */
static int job_make(struct revert *v, const PGresult *res, int row)
{
	struct arena *a = &v->request->arena;
	const uint32_t territory = v->request->body->import_revert->territory;
	struct apply_revert *in = arena_zalloc(a, sizeof *in);
	const struct span body = pg_get_bytes(res, row, 4);
	struct writer_job *j = &v->jobs[row];
	ProtobufCMessage *before = NULL;

	if (!in || (body.len &&
		    wire_unpack(a, &seve__body__descriptor, body.at, body.len, &before, &v->err)))
		return -ERR_NOMEM;
	in->kind = v->kind;
	in->source = v->source;
	in->key = arena_strdup(a, pg_get_text(res, row, 0));
	in->batch = v->batch;
	in->id = pg_get_uuid(res, row, 1);
	in->effect = (uint8_t)pg_get_int2(res, row, 2);
	in->rev = (uint64_t)pg_get_int8(res, row, 3);
	in->own_rev = (uint64_t)pg_get_int8(res, row, 5);
	in->before = (const Seve__Body *)before;
	j->work.territory = territory;
	j->work.author = run_author(v->request, territory);
	j->work.revert = in;
	j->batch_key = v;
	j->owner = v;
	j->done = undone;
	return in->key ? 0 : -ERR_NOMEM;
}

static void next_make(struct revert *v, const PGresult *res, int row)
{
	const uint64_t rev = (uint64_t)pg_get_int8(res, row, 3);
	const char *key = pg_get_text(res, row, 0);
	const size_t n = strlen(key);

	if (n > KEY_MAX)
		return;
	memcpy(v->next, &rev, sizeof rev);
	memcpy(v->next + sizeof rev, key, n);
	v->next_len = sizeof rev + n;
}

static int page_jobs(struct revert *v, const PGresult *res)
{
	const int n = PQntuples(res);

	v->jobs = arena_array(&v->request->arena, (size_t)n + 1, sizeof *v->jobs);
	v->told = arena_array(&v->request->arena, (size_t)n + 1, sizeof *v->told);
	if (!v->jobs || !v->told)
		return err_set(&v->err, ERR_NOMEM, "taking an import back");
	for (int i = 0; i < n; i++)
		if (job_make(v, res, i))
			return v->err.code ? -(int)v->err.code
					   : err_set(&v->err, ERR_NOMEM, "taking an import back");
	if (n == PAGE)
		next_make(v, res, n - 1);
	v->n = v->left = (size_t)n;
	return 0;
}

static void effects_done(struct pg_unit *u)
{
	struct revert *v = u->owner;

	v->err = u->err;
	if (!v->err.code)
		page_jobs(v, v->effects->result);
	pg_unit_clear(u);
	if (v->err.code || !v->n) {
		page_end(v);
		return;
	}
	if (writer_submit_all(v->request->server->writer, v->jobs, v->n, &v->err))
		revert_fail(v);
}

/* ---- what there is to take back ----------------------------------------------------------------
 */

static int ask_effects(struct revert *v)
{
	const Seve__ImportRevert *q = v->request->body->import_revert;
	struct arena *a = &v->request->arena;
	struct pg_unit *u = pg_unit_new(a, v, effects_done);
	uint64_t rev = INT64_MAX;
	const char *key = "";
	struct pg_params *p;

	if (q->has_after) {
		memcpy(&rev, q->after.data, sizeof rev);
		key = arena_strndup(a, (const char *)q->after.data + sizeof rev,
				    q->after.len - sizeof rev);
	}
	if (!u || !key || load_territories(u, &q->territory, 1))
		return -ERR_NOMEM;
	v->effects = pg_unit_add(u, pg_sql("import_effects"));
	if (!v->effects)
		return -ERR_NOMEM;
	p = &v->effects->params;
	pg_params_int4(p, (int32_t)q->territory);
	pg_params_text(p, v->source);
	pg_params_int4(p, (int32_t)v->kind->number);
	pg_params_uuid(p, v->batch.b);
	pg_params_int8(p, (int64_t)(rev > INT64_MAX ? INT64_MAX : rev));
	pg_params_text(p, key);
	pg_params_int4(p, PAGE);
	pg_params_text(p, arena_printf(a, APPLY_REASON_REVERT, v->source));
	pg_params_text(p, arena_printf(a, APPLY_REASON_IMPORT, v->source));
	if (pg_params_bad(p))
		return -ERR_NOMEM;
	pg_pool_submit(v->request->server->readers, u);
	return 0;
}

/* The batch as it was opened: kind and source. */
static int batch_read(struct revert *v)
{
	const PGresult *res = v->found->result;
	const struct kind *k;

	if (PQntuples(res) == 0)
		return err_set(&v->err, ERR_NOT_FOUND, "there is no such import in this territory");
	k = kind_by_number((uint32_t)pg_get_int2(res, 0, 1));
	if (!pg_is_null(res, 0, 7) && !v->request->body->import_revert->has_after)
		return err_set(&v->err, ERR_PRECONDITION,
			       "this import has been taken back already");
	if (!k)
		return err_set(&v->err, ERR_INVALID, "this server does not know its kind");
	v->kind = k;
	v->source = arena_strdup(&v->request->arena, pg_get_text(res, 0, 2));
	if (!v->source)
		return err_set(&v->err, ERR_NOMEM, "taking an import back");
	return authz_write(v->request->who, v->request->body->import_revert->territory, k, &v->err);
}

static void found(struct pg_unit *u)
{
	struct revert *v = u->owner;

	v->err = u->err;
	if (!v->err.code)
		batch_read(v);
	pg_unit_clear(u);
	if (!v->err.code && ask_effects(v))
		err_set(&v->err, ERR_NOMEM, "taking an import back");
	if (v->err.code)
		revert_fail(v);
}

static int find(struct revert *v)
{
	const uint32_t territory = v->request->body->import_revert->territory;
	struct pg_unit *u = pg_unit_new(&v->request->arena, v, found);
	struct pg_params *p;

	if (!u || load_territories(u, &territory, 1))
		return -ERR_NOMEM;
	v->found = pg_unit_add(u, pg_sql("import_batches"));
	if (!v->found)
		return -ERR_NOMEM;
	p = &v->found->params;
	pg_params_int4(p, (int32_t)territory);
	pg_params_uuid(p, v->batch.b);
	pg_params_text(p, v->rights.source);
	pg_params_int4(p, 1);
	if (pg_params_bad(p))
		return -ERR_NOMEM;
	pg_pool_submit(v->request->server->readers, u);
	return 0;
}

void handle_import_revert(struct request *r)
{
	const Seve__ImportRevert *q = r->body->import_revert;
	struct revert *v = arena_zalloc(&r->arena, sizeof *v);
	struct rights rights;
	struct err e;

	if (authz_read(r->who, q->territory, &rights, &e)) {
		request_fail(r, &e);
		return;
	}
	if (q->batch.len != 16 ||
	    (q->has_after && (q->after.len < 8 || q->after.len > CURSOR_MAX ||
			      memchr(q->after.data + 8, 0, q->after.len - 8)))) {
		err_set(&e, ERR_INVALID, "batch: 16 bytes; after: from the previous reply");
		request_fail(r, &e);
		return;
	}
	if (v) {
		v->request = r;
		v->rights = rights;
		memcpy(v->batch.b, q->batch.data, sizeof v->batch.b);
	}
	if (!v || find(v)) {
		err_set(&e, ERR_NOMEM, "taking an import back");
		request_fail(r, &e);
	}
}

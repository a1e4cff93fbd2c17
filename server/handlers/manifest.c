/* manifest.c -- what a replica compares itself with when its cursor is of no use, and how far the
 * server has come with a client's mutations. */
#include "manifest.h"

#include <string.h>

#include "dispatch.h"
#include "pg/load.h"
#include "server.h"

struct manifest {
	struct request *request;
	uint32_t territory;
	size_t limit;
	struct pg_stmt *page;
};

/* ---- the manifest
 * -------------------------------------------------------------------------------- */

static int read_entries(struct manifest *m, Seve__ManifestReply *out, struct err *e)
{
	const PGresult *res = m->page->result;
	size_t n = (size_t)PQntuples(res);
	uint8_t *at;

	if (!n)
		return err_set(e, ERR_NOT_FOUND, "there is no territory %u", m->territory);
	at = arena_alloc(&m->request->arena, n * MANIFEST_ENTRY);
	if (!at)
		return err_set(e, ERR_NOMEM, "manifest of %zu records", n);
	out->head_rev = (uint64_t)pg_get_int8(res, 0, 0);
	out->entries.data = at;
	for (int row = 0; row < (int)n && !pg_is_null(res, row, 1); row++) {
		struct span check = pg_get_bytes(res, row, 2);

		if (check.len != MANIFEST_CHECK)
			return err_set(e, ERR_DATA_LOSS, "a record without content");
		memcpy(at, pg_get_bytes(res, row, 1).at, MANIFEST_ID);
		memcpy(at + MANIFEST_ID, check.at, MANIFEST_CHECK);
		at += MANIFEST_ENTRY;
	}
	out->entries.len = (size_t)(at - out->entries.data);
	out->more = out->entries.len == m->limit * MANIFEST_ENTRY;
	return 0;
}

static void manifest_done(struct pg_unit *u)
{
	struct manifest *m = u->owner;
	struct request *r = m->request;
	Seve__ManifestReply manifest = SEVE__MANIFEST_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;

	if (!e.code)
		read_entries(m, &manifest, &e);
	pg_unit_clear(u);
	if (e.code) {
		request_fail(r, &e);
		return;
	}
	manifest.has_territory = manifest.has_epoch = manifest.has_view = manifest.has_head_rev =
		manifest.has_entries = manifest.has_more = true;
	manifest.territory = m->territory;
	manifest.epoch = r->server->epoch;
	manifest.view = authz_view(r->who, m->territory);
	reply.body_case = SEVE__REPLY__BODY_MANIFEST;
	reply.manifest = &manifest;
	request_reply(r, &reply);
}

static int manifest_ask(struct manifest *m, const uint8_t after[16], const struct rights *rights)
{
	struct pg_unit *u = pg_unit_new(&m->request->arena, m, manifest_done);

	if (!u || load_territories(u, &m->territory, 1))
		return -ERR_NOMEM;
	m->page = pg_unit_add(u, pg_sql("manifest_page"));
	if (!m->page)
		return -ERR_NOMEM;
	pg_params_int4(&m->page->params, (int32_t)m->territory);
	pg_params_uuid(&m->page->params, after);
	pg_params_int8(&m->page->params, (int64_t)m->limit);
	load_reader(&m->page->params, rights);
	if (pg_params_bad(&m->page->params))
		return -ERR_NOMEM;
	pg_pool_submit(m->request->server->readers, u);
	return 0;
}

static int manifest_start(struct request *r, struct err *e)
{
	static const uint8_t beginning[16];
	const Seve__ManifestRequest *q = r->body->manifest;
	struct manifest *m = arena_zalloc(&r->arena, sizeof *m);
	struct rights rights;
	int rc = authz_read(r->who, q->territory, &rights, e);

	if (rc)
		return rc;
	if ((q->has_after && q->after.len != 16) || q->limit > MANIFEST_PAGE_MAX)
		return err_set(e, ERR_INVALID,
			       "a manifest goes on after an id of 16 bytes, %d entries at most",
			       MANIFEST_PAGE_MAX);
	if (!m)
		return err_set(e, ERR_NOMEM, "manifest");
	m->request = r;
	m->territory = q->territory;
	m->limit = q->limit ? q->limit : MANIFEST_PAGE;
	if (manifest_ask(m, q->has_after ? q->after.data : beginning, &rights))
		return err_set(e, ERR_NOMEM, "manifest");
	return 0;
}

void handle_manifest(struct request *r)
{
	struct err e = {0};

	if (manifest_start(r, &e))
		request_fail(r, &e);
}

/* ---- how far a client has come
 * ------------------------------------------------------------------- */

static void resume_done(struct pg_unit *u)
{
	struct request *r = u->owner;
	Seve__ResumeReply resume = SEVE__RESUME_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	uint8_t hash[64];

	if (u->err.code) {
		struct err e = u->err;

		pg_unit_clear(u);
		request_fail(r, &e);
		return;
	}
	resume.has_epoch = resume.has_last_mid = true;
	resume.epoch = r->server->epoch;
	if (PQntuples(u->last->result)) {
		struct span bytes = pg_get_bytes(u->last->result, 0, 1);

		resume.last_mid = (uint64_t)pg_get_int8(u->last->result, 0, 0);
		resume.has_hash = bytes.len <= sizeof hash;
		resume.hash = (ProtobufCBinaryData){resume.has_hash ? bytes.len : 0, hash};
		memcpy(hash, bytes.at, resume.hash.len);
	}
	pg_unit_clear(u);
	reply.body_case = SEVE__REPLY__BODY_RESUME;
	reply.resume = &resume;
	request_reply(r, &reply);
}

/* From the primary, never from a standby that lags: what it does not know yet would be taken for
 * lost. */
static int resume_start(struct request *r, struct err *e)
{
	uint32_t territory = r->body->resume->territory;
	struct pg_unit *u = pg_unit_new(&r->arena, r, resume_done);
	struct rights rights;
	struct pg_stmt *s;
	int rc = authz_read(r->who, territory, &rights, e);

	if (rc)
		return rc;
	s = u && !load_territories(u, &territory, 1) ? pg_unit_add(u, pg_sql("resume_point"))
						     : NULL;
	if (!s)
		return err_set(e, ERR_NOMEM, "resume");
	pg_params_int4(&s->params, (int32_t)territory);
	pg_params_uuid(&s->params, r->who->client_id.b);
	if (pg_params_bad(&s->params))
		return err_set(e, ERR_NOMEM, "resume");
	pg_pool_submit(r->server->readers, u);
	return 0;
}

void handle_resume(struct request *r)
{
	struct err e = {0};

	if (resume_start(r, &e))
		request_fail(r, &e);
}

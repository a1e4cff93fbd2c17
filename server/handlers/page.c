/* page.c -- see page.h. */
#include "handlers/page.h"

#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "frame.h"
#include "pg/load.h"
#include "server_private.h"
#include "wire.h"

enum {
	READ_ARENA = 64 * 1024,
	RECORD_HEAD = 64, /* most that surrounds a body */
	ENDING = 48,      /* what closes a page: to_rev, start, head_rev */
};

enum column { COL_REV, COL_ID, COL_KIND, COL_DELETED, COL_BODY, COL_HEAD, COL_PURGED, COL_HIDDEN };

/* ---- reading
 * ---------------------------------------------------------------------------------------------- */

void page_read_init(struct page_read *r, struct server *s, uint32_t territory,
		    const struct rights *rights, void *owner, void (*done)(struct page_read *r))
{
	*r = (struct page_read){.server = s,
				.territory = territory,
				.rights = *rights,
				.most = PAGE_ROWS,
				.owner = owner,
				.done = done};
	arena_init(&r->arena, READ_ARENA);
}

void page_read_clear(struct page_read *r)
{
	if (r->unit)
		pg_unit_clear(r->unit);
	r->unit = NULL;
	r->rows = NULL;
	r->n = 0;
	r->err = (struct err){0};
	arena_reset(&r->arena);
}

void page_read_fini(struct page_read *r)
{
	page_read_clear(r);
	arena_fini(&r->arena);
}

static void read_answer(struct page_read *r)
{
	if (r->err.code)
		return;
	r->rows = r->stmt->result;
	r->n = PQntuples(r->rows);
	if (r->standby) {
		r->head = (uint64_t)pg_get_int8(r->seen->result, 0, 0);
		r->purged = (uint64_t)pg_get_int8(r->seen->result, 0, 1);
	}
	if (r->to) {
		r->end = r->to;
		r->whole = false;
		return;
	}
	if (!r->n) {
		err_set(&r->err, ERR_NOT_FOUND, "there is no territory %u", r->territory);
		return;
	}
	r->head = (uint64_t)pg_get_int8(r->rows, 0, COL_HEAD);
	r->purged = (uint64_t)pg_get_int8(r->rows, 0, COL_PURGED);
	r->whole = r->n < r->most;
	/* A head without rows is one row of NULLs. */
	if (pg_is_null(r->rows, 0, COL_REV))
		r->n = 0;
	r->end = r->whole ? r->head : (uint64_t)pg_get_int8(r->rows, r->n - 1, COL_REV);
}

static void read_end(struct page_read *r)
{
	struct metrics *m = &r->server->priv->metrics;
	if (r->standby)
		m->pages_standby++;
	else
		m->pages_primary++;
	read_answer(r);
	r->done(r);
}

static int ask(struct page_read *r);

/* The standby has not answered, or not soon enough. */
static void ask_primary(struct page_read *r)
{
	struct server *s = r->server;
	page_read_clear(r);
	r->standby = false;
	s->priv->metrics.replica_missed++;
	if (s->priv->state >= SERVER_STOPPING)
		err_set(&r->err, ERR_UNAVAILABLE, "the server is stopping");
	else if (ask(r) < 0)
		err_set(&r->err, ERR_NOMEM, "page");
	if (r->err.code)
		r->done(r);
}

static void on_wait_over(struct replica_wait *w, bool caught_up)
{
	struct page_read *r = (struct page_read *)((char *)w - offsetof(struct page_read, wait));
	if (!caught_up || !replica_serves(r->server) || ask(r) < 0)
		ask_primary(r);
}

static bool is_behind(const struct page_read *r)
{
	const PGresult *seen = r->seen->result;
	return PQntuples(seen) == 0 || (uint64_t)pg_get_int8(seen, 0, 0) < r->least;
}

/* Of a standby: the answer stands, or the read goes on. */
static void standby_done(struct page_read *r)
{
	if (r->err.code)
		replica_failed(r->server, &r->err);
	if (r->err.code || !replica_is_ours(r->server, r->epoch->result)) {
		ask_primary(r);
	} else if (is_behind(r)) {
		page_read_clear(r);
		replica_await(r->server, &r->wait);
	} else {
		read_end(r);
	}
}

static void read_done(struct pg_unit *u)
{
	struct page_read *r = u->owner;
	r->err = u->err;
	if (r->standby)
		standby_done(r);
	else
		read_end(r);
}

/* What a standby tells of itself is of the page's own snapshot, but for its timeline: that is asked
 * last, so that a promotion on the way shows. */
static int ask(struct page_read *r)
{
	struct pg_unit *u = pg_unit_new(&r->arena, r, read_done);
	if (!u || load_territories(u, &r->territory, 1) < 0)
		return -ERR_NOMEM;
	r->seen = r->standby ? pg_unit_add(u, pg_sql("head")) : NULL;
	if (r->seen)
		pg_params_int4(&r->seen->params, (int32_t)r->territory);
	else if (r->standby)
		return -ERR_NOMEM;
	r->stmt = pg_unit_add(u, pg_sql(r->to ? "pull_window" : "pull_tail"));
	if (!r->stmt)
		return -ERR_NOMEM;
	pg_params_int4(&r->stmt->params, (int32_t)r->territory);
	pg_params_int8(&r->stmt->params, (int64_t)r->from);
	pg_params_int8(&r->stmt->params, r->to ? (int64_t)r->to : r->most);
	load_reader(&r->stmt->params, &r->rights);
	r->epoch = r->standby ? pg_unit_add(u, pg_sql("server_epoch")) : NULL;
	if (pg_params_bad(&r->stmt->params) || (r->standby && !r->epoch))
		return -ERR_NOMEM;
	r->unit = u;
	if (r->standby)
		replica_submit(r->server, u);
	else
		pg_pool_submit(r->server->readers, u);
	return 0;
}

int page_ask(struct page_read *r)
{
	r->standby = r->standby && replica_serves(r->server);
	if (r->standby)
		r->wait = (struct replica_wait){.territory = r->territory,
						.least = r->least,
						.until_ms = replica_patience(r->server),
						.ready = on_wait_over};
	return ask(r);
}

/* ---- writing
 * --------------------------------------------------------------------------------------------- */

static void page_begin(struct page_writer *w, uint64_t from)
{
	uint8_t *const start = w->bytes + PAGE_HEADROOM;
	uint8_t *at = wire_put_number(start, 2, w->territory);
	at = wire_put_number(at, 3, from);
	w->n = w->empty = (size_t)(at - start);
	w->from = from;
}

int page_writer_init(struct page_writer *w, uint32_t territory, uint64_t from, size_t max)
{
	*w = (struct page_writer){.territory = territory, .max = max};
	w->bytes = malloc(PAGE_HEADROOM + max + FRAME_MAX + ENDING);
	if (!w->bytes)
		return -ERR_NOMEM;
	page_begin(w, from);
	return 0;
}

void page_writer_fini(struct page_writer *w)
{
	free(w->bytes);
	w->bytes = NULL;
}

/* `head`: the rev that the reader then is in step with, 0: it is not. */
static int page_end(struct page_writer *w, uint64_t to, const uint64_t *head)
{
	uint8_t *at = w->bytes + PAGE_HEADROOM + w->n;
	at = wire_put_number(at, 4, to);
	if (w->start)
		at = wire_put_number(at, 10, w->start);
	if (head) {
		at = wire_put_varint(at, 20 << 3);
		at = wire_put_varint(at, *head);
	}
	w->n = (size_t)(at - w->bytes) - PAGE_HEADROOM;
	const int rc = w->send(w, to);
	page_begin(w, to);
	return rc;
}

/* A record as a page holds it. */
struct page_row {
	const uint8_t *id;
	uint64_t kind, rev;
	bool gone;
	struct span body;
};

static size_t record_head(uint8_t out[static RECORD_HEAD], const struct page_row *r)
{
	uint8_t *at = wire_put_bytes(out, 1, r->id, 16);
	at = wire_put_number(at, 2, r->kind);
	at = wire_put_number(at, 3, r->rev);
	if (r->gone) {
		at = wire_put_number(at, 4, 1);
		return (size_t)(at - out);
	}
	at = wire_put_varint(at, 5 << 3 | 2);
	at = wire_put_varint(at, r->body.len);
	return (size_t)(at - out);
}

static int page_add(struct page_writer *w, const struct page_row *r)
{
	uint8_t head[RECORD_HEAD];
	const size_t n = record_head(head, r);
	const struct span body = {r->body.at, r->gone ? 0 : r->body.len};
	const struct cursor load = {.start = w->start};
	if (r->gone && cursor_skips(&load, r->rev))
		return 0;
	if (w->n > w->empty && w->n + n + body.len > w->max) {
		const int rc = page_end(w, r->rev - 1, NULL);
		if (rc < 0)
			return rc;
	}
	uint8_t *at = w->bytes + PAGE_HEADROOM + w->n;
	at = wire_put_varint(at, 5 << 3 | 2);
	at = wire_put_varint(at, n + body.len);
	memcpy(at, head, n);
	if (body.len)
		memcpy(at + n, body.at, body.len);
	w->n = (size_t)(at - w->bytes) - PAGE_HEADROOM + n + body.len;
	w->records++;
	return 0;
}

int page_write(struct page_writer *w, const struct page_read *r)
{
	for (int row = 0; row < r->n; row++) {
		if (!r->to && pg_get_bool(r->rows, row, COL_HIDDEN))
			continue;
		const struct page_row x = {
			.id = pg_get_bytes(r->rows, row, COL_ID).at,
			.kind = (uint64_t)pg_get_int2(r->rows, row, COL_KIND),
			.rev = (uint64_t)pg_get_int8(r->rows, row, COL_REV),
			.gone = pg_get_bool(r->rows, row, COL_DELETED),
			.body = pg_get_bytes(r->rows, row, COL_BODY),
		};
		const int rc = page_add(w, &x);
		if (rc < 0)
			return rc;
	}
	return page_end(w, r->end, r->whole ? &r->head : NULL);
}

/* The same as pull_tail.sql has the database decide. */
int page_write_news(struct page_writer *w, const struct news *news, const struct rights *rights)
{
	for (size_t i = 0; i < news->n; i++) {
		const struct news_row *r = &news->rows[i];
		const struct span owner = {r->owner.b, r->owned ? sizeof r->owner.b : 0};
		const bool sees = authz_sees(rights, r->kind, r->level, owner);
		if (!sees && !r->narrowed_rev)
			continue;
		const struct page_row x = {
			.id = r->id.b,
			.kind = (uint64_t)r->kind->number,
			.rev = r->rev,
			.gone = r->deleted || !sees,
			.body = r->body,
		};
		const int rc = page_add(w, &x);
		if (rc < 0)
			return rc;
	}
	return page_end(w, news->to, &news->to);
}

struct span page_address(uint8_t *bytes, size_t n, uint64_t request)
{
	uint8_t prefix[PAGE_HEADROOM];
	const size_t len = (size_t)(wire_put_number(prefix, 1, request) - prefix);
	uint8_t *const at = bytes + PAGE_HEADROOM - len;
	memcpy(at, prefix, len);
	return (struct span){at, len + n};
}

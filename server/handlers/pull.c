/* pull.c -- what changed in a territory since a cursor; from rev 0 that is the snapshot.
 *
 *   TAIL ─full page─► WINDOWS (three asked ahead) ─near the head─► TAIL ─not full─► reply
 *
 * A tail reads head and page in one statement, so the last page and the head agree.  Windows are
 * ranges of revs, so the next can be asked for before this one has come.  Rows that move past a
 * window while it is read come again later.  Each tail looks whether deletions have been purged
 * that the windows before it should have told. */
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "dispatch.h"
#include "pg/load.h"
#include "server.h"
#include "wire.h"

enum {
	PULL_ROWS = 2048, /* of a tail, revs of a window */
	PULL_AHEAD = 3,
	PULL_FRAME = 128 * 1024, /* bytes of a page before it is sent */
	PULL_RECORD_HEAD = 64,   /* most that surrounds a body */
};

struct pull;

/* A query on its way or waiting to be sent on. */
struct slot {
	struct pull *pull;
	struct arena arena;
	struct pg_unit *unit;
	struct pg_stmt *stmt;
	uint64_t to; /* of a window; 0: a tail */
	bool ready;
};

struct pull {
	struct request *request;
	uint32_t territory;
	struct rights rights;
	struct cursor cursor;       /* the client's; its `start` is set here where a load begins */
	uint64_t sent, asked, head; /* revs: sent so far; asked for; the head when last seen */
	uint64_t sound;             /* up to here it is known that no deletion was missed */
	uint64_t records, withheld;
	bool count;
	struct arena counting;
	struct pg_unit *counted; /* under way, or NULL */
	struct slot slots[PULL_AHEAD];
	unsigned first, busy; /* ring of slots */
	uint8_t *page;
	size_t page_len, page_from;
	bool waiting, ended, complete;
};

static void pull_step(struct pull *p);

/* ---- ending
 * ----------------------------------------------------------------------------------------- */

/* Slots whose answers are still on their way end later, by themselves. */
static void pull_free(struct pull *p)
{
	if (p->busy || p->counted)
		return;
	for (unsigned i = 0; i < PULL_AHEAD; i++)
		arena_fini(&p->slots[i].arena);
	arena_fini(&p->counting);
	free(p->page);
	free(p);
}

static void slot_drop(struct slot *s)
{
	pg_unit_clear(s->unit);
	arena_reset(&s->arena);
	s->ready = false;
	s->pull->busy--;
}

static void pull_end(struct pull *p)
{
	p->ended = true;
	p->request = NULL;
	for (unsigned i = 0; i < PULL_AHEAD; i++)
		if (p->slots[i].ready)
			slot_drop(&p->slots[i]);
	pull_free(p);
}

static void pull_fail(struct pull *p, const struct err *e)
{
	struct request *r = p->request;

	pull_end(p);
	request_fail(r, e);
}

static void pull_reply(struct pull *p)
{
	Seve__PullReply pull = SEVE__PULL_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct request *r = p->request;

	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_head_rev = pull.has_records =
		true;
	pull.territory = p->territory;
	pull.epoch = r->server->epoch;
	pull.view = authz_view(r->who, p->territory);
	pull.head_rev = p->head;
	pull.records = p->records;
	pull.has_withheld = p->count;
	pull.withheld = p->withheld;
	reply.body_case = SEVE__REPLY__BODY_PULL;
	reply.pull = &pull;
	pull_end(p);
	request_reply(r, &reply);
}

/* ---- pages: written by hand, bodies copied unopened
 * -------------------------------------------------------- */

static void page_begin(struct pull *p, uint64_t from)
{
	uint8_t *at = p->page;

	at = wire_put_number(at, 1, p->request->id);
	at = wire_put_number(at, 2, p->territory);
	at = wire_put_number(at, 3, from);
	p->page_len = (size_t)(at - p->page);
	p->page_from = p->page_len;
}

/* Sends what the page holds; `to` is the cursor to store with it. */
static int page_send(struct pull *p, uint64_t to)
{
	uint8_t *at = p->page + p->page_len;
	int rc;

	at = wire_put_number(at, 4, to);
	if (p->cursor.start)
		at = wire_put_number(at, 10, p->cursor.start);
	rc = request_send(p->request, FRAME_PAGE, p->page, (size_t)(at - p->page));
	p->sent = to;
	page_begin(p, to);
	return rc;
}

static size_t record_head(uint8_t out[static PULL_RECORD_HEAD], const PGresult *res, int row,
			  struct span body)
{
	uint8_t *at = wire_put_bytes(out, 1, pg_get_bytes(res, row, 1).at, 16);

	at = wire_put_number(at, 2, (uint64_t)pg_get_int2(res, row, 2));
	at = wire_put_number(at, 3, (uint64_t)pg_get_int8(res, row, 0));
	if (pg_get_bool(res, row, 3)) {
		at = wire_put_number(at, 4, 1);
		return (size_t)(at - out);
	}
	at = wire_put_varint(at, 5 << 3 | 2);
	at = wire_put_varint(at, body.len);
	return (size_t)(at - out);
}

static int page_add(struct pull *p, const PGresult *res, int row)
{
	struct span body = pg_get_bytes(res, row, 4);
	uint8_t head[PULL_RECORD_HEAD], *at;
	bool gone = pg_get_bool(res, row, 3);
	size_t n = record_head(head, res, row, body), m = gone ? 0 : body.len;

	if (gone && cursor_skips(&p->cursor, (uint64_t)pg_get_int8(res, row, 0)))
		return 0;
	if (p->page_len > p->page_from && p->page_len + n + m > PULL_FRAME) {
		int rc = page_send(p, (uint64_t)pg_get_int8(res, row, 0) - 1);

		if (rc)
			return rc;
	}
	at = p->page + p->page_len;
	at = wire_put_varint(at, 5 << 3 | 2);
	at = wire_put_varint(at, n + m);
	memcpy(at, head, n);
	if (m)
		memcpy(at + n, body.at, m);
	p->page_len = (size_t)(at - p->page) + n + m;
	p->records++;
	return 0;
}

/* ---- asking
 * -------------------------------------------------------------------------------------------------
 */

static void slot_done(struct pg_unit *u);

static int slot_ask(struct pull *p, uint64_t to)
{
	struct slot *s = &p->slots[(p->first + p->busy) % PULL_AHEAD];
	struct pg_unit *u = pg_unit_new(&s->arena, s, slot_done);

	s->to = to;
	s->unit = u;
	if (!u || load_territories(u, &p->territory, 1))
		return -ERR_NOMEM;
	s->stmt = pg_unit_add(u, pg_sql(to ? "pull_window" : "pull_tail"));
	if (!s->stmt)
		return -ERR_NOMEM;
	pg_params_int4(&s->stmt->params, (int32_t)p->territory);
	pg_params_int8(&s->stmt->params, (int64_t)p->asked);
	pg_params_int8(&s->stmt->params, to ? (int64_t)to : PULL_ROWS);
	load_reader(&s->stmt->params, &p->rights);
	if (pg_params_bad(&s->stmt->params))
		return -ERR_NOMEM;
	p->asked = to ? to : p->asked;
	p->busy++;
	pg_pool_submit(p->request->server->readers, u);
	return 0;
}

/* ---- the answers
 * -----------------------------------------------------------------------------------------------
 */

static int pull_fault(enum cursor_fault f, uint64_t rev, struct err *e)
{
	err_set(e, ERR_RESET_REQUIRED, "the cursor %llu is %s", (unsigned long long)rev,
		cursor_fault_text(f));
	return err_remedy(e, "compare with the manifest, or synchronise from the beginning; edits "
			     "that wait are kept");
}

/* Looks at head and purged_rev as this snapshot has them. */
static int tail_check(struct pull *p, uint64_t purged, struct err *e)
{
	enum cursor_fault f;

	if (cursor_is_fresh(&p->cursor) && !p->sound)
		p->cursor.start = p->head; /* a load begins */
	f = cursor_check_read(&p->cursor, p->sound, p->head, purged);
	if (f)
		return pull_fault(f, p->cursor.rev, e);
	p->sound = p->asked;
	return 0;
}

/* 1: the pull is complete; 0: there is more; negative: an error. */
static int tail_read(struct pull *p, struct slot *s, struct err *e)
{
	const PGresult *res = s->stmt->result;
	int n = PQntuples(res), rc;
	uint64_t to;

	if (!n)
		return err_set(e, ERR_NOT_FOUND, "there is no territory %u", p->territory);
	p->head = (uint64_t)pg_get_int8(res, 0, 5);
	rc = tail_check(p, (uint64_t)pg_get_int8(res, 0, 6), e);
	for (int row = 0; !rc && row < n && !pg_is_null(res, row, 0); row++)
		if (!pg_get_bool(res, row, 7) && page_add(p, res, row))
			rc = err_set(e, ERR_UNAVAILABLE, "the connection is gone");
	if (rc)
		return rc;
	if (n < PULL_ROWS)
		return page_send(p, p->head) ? err_set(e, ERR_UNAVAILABLE, "the connection is gone")
					     : 1;
	to = (uint64_t)pg_get_int8(res, n - 1, 0);
	p->asked = p->sound = to;
	return page_send(p, to) ? err_set(e, ERR_UNAVAILABLE, "the connection is gone") : 0;
}

static int window_read(struct pull *p, struct slot *s, struct err *e)
{
	const PGresult *res = s->stmt->result;
	int n = PQntuples(res);

	for (int row = 0; row < n; row++)
		if (page_add(p, res, row))
			return err_set(e, ERR_UNAVAILABLE, "the connection is gone");
	return page_send(p, s->to) ? err_set(e, ERR_UNAVAILABLE, "the connection is gone") : 0;
}

static void slot_done(struct pg_unit *u)
{
	struct slot *s = u->owner;
	struct pull *p = s->pull;

	s->ready = true;
	if (p->ended) {
		slot_drop(s);
		pull_free(p);
		return;
	}
	pull_step(p);
}

/* Sends the oldest answer on.  1: the pull is complete. */
static int pull_take(struct pull *p, struct err *e)
{
	struct slot *s = &p->slots[p->first];
	int rc;

	if (s->unit->err.code) {
		*e = s->unit->err;
		rc = -(int)e->code;
	} else {
		rc = s->to ? window_read(p, s, e) : tail_read(p, s, e);
	}
	slot_drop(s);
	p->first = (p->first + 1) % PULL_AHEAD;
	return rc;
}

static int pull_ask_more(struct pull *p)
{
	/* Windows while the head is far, and only then a tail, alone. */
	while (p->busy < PULL_AHEAD && p->asked + PULL_ROWS < p->head) {
		int rc = slot_ask(p, p->asked + PULL_ROWS);

		if (rc)
			return rc;
	}
	return p->busy ? 0 : slot_ask(p, 0);
}

static void pull_drained(struct request *r)
{
	struct pull *p = r->handler;

	p->waiting = false;
	pull_step(p);
}

/* What is withheld is counted beside the pages; the count is waited for at the end. */
static void counted(struct pg_unit *u)
{
	struct pull *p = u->owner;

	if (!u->err.code && PQntuples(u->last->result))
		p->withheld = (uint64_t)pg_get_int8(u->last->result, 0, 0);
	else
		p->count = false; /* the pull is none the worse for it */
	pg_unit_clear(u);
	p->counted = NULL;
	if (p->ended)
		pull_free(p);
	else if (p->complete)
		pull_reply(p);
}

static void count_ask(struct pull *p)
{
	struct pg_unit *u;
	struct pg_stmt *s;

	if (!p->count || p->rights.reads >= SEVE__LEVEL__LEVEL_TEAM)
		return; /* nothing is above the highest */
	u = pg_unit_new(&p->counting, p, counted);
	p->count = u && !load_territories(u, &p->territory, 1);
	s = p->count ? pg_unit_add(u, pg_sql("pull_withheld")) : NULL;
	p->count = s != NULL;
	if (!s)
		return;
	pg_params_int4(&s->params, (int32_t)p->territory);
	load_reader(&s->params, &p->rights);
	p->counted = u;
	pg_pool_submit(p->request->server->readers, u);
}

static void pull_step(struct pull *p)
{
	struct err e;
	int rc = 0;

	while (!rc && !p->waiting && p->busy && p->slots[p->first].ready) {
		if (!request_may_send(p->request)) {
			p->waiting = true;
			request_wait_drain(p->request, pull_drained);
			return;
		}
		rc = pull_take(p, &e);
		if (!rc && pull_ask_more(p))
			rc = err_set(&e, ERR_NOMEM, "pull");
	}
	p->complete = rc > 0;
	if (rc > 0 && !p->counted)
		pull_reply(p);
	else if (rc < 0)
		pull_fail(p, &e);
}

/* ---- starting
 * ------------------------------------------------------------------------------------------------------
 */

static int pull_check(const struct request *r, const Seve__PullRequest *q, struct err *e)
{
	const struct cursor c = {q->epoch, q->view, q->rev, q->start};
	enum cursor_fault f = cursor_check(&c, r->server->epoch, authz_view(r->who, q->territory));

	return f ? pull_fault(f, q->rev, e) : 0;
}

static struct pull *pull_new(struct request *r, const struct rights *rights)
{
	const Seve__PullRequest *q = r->body->pull;
	struct pull *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->page = malloc(PULL_FRAME + FRAME_MAX);
	if (!p->page) {
		free(p);
		return NULL;
	}
	p->request = r;
	p->territory = q->territory;
	p->rights = *rights;
	p->cursor = (struct cursor){q->epoch, q->view, q->rev, q->start};
	p->sent = p->asked = p->sound = q->rev;
	p->count = q->count;
	arena_init(&p->counting, 64 * 1024);
	for (unsigned i = 0; i < PULL_AHEAD; i++) {
		p->slots[i].pull = p;
		arena_init(&p->slots[i].arena, 64 * 1024);
	}
	page_begin(p, q->rev);
	return p;
}

void handle_pull(struct request *r)
{
	struct rights rights;
	struct pull *p;
	struct err e;

	if (authz_read(r->who, r->body->pull->territory, &rights, &e) ||
	    pull_check(r, r->body->pull, &e)) {
		request_fail(r, &e);
		return;
	}
	p = pull_new(r, &rights);
	r->handler = p;
	if (!p || slot_ask(p, 0)) {
		err_set(&e, ERR_NOMEM, "pull");
		if (p)
			pull_fail(p, &e);
		else
			request_fail(r, &e);
		return;
	}
	count_ask(p);
}

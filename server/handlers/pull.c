/* pull.c -- what changed in a territory since a cursor; from rev 0 that is the snapshot.
 *
 *   TAIL ─full page─► WINDOWS (three asked ahead) ─near the head─► TAIL ─not full─► reply
 *
 * A tail reads head and page in one statement, so the last page and the head agree.  Windows are
 * ranges of revs, so the next can be asked for before this one has come.  Rows that move past a
 * window while it is read come again later.  Each tail looks whether deletions have been purged
 * that the windows before it should have told.
 *
 * Where there is a standby, the primary is asked for the head alone, and what the standby answers
 * has seen at least that: all that anybody was told before the pull began, this reader or others,
 * by whichever server.  Neither may an answer be older than one before it in the same pull.  A
 * purge moves no head, so what a primary has answered once is not gone on with by a standby. */
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "dispatch.h"
#include "handlers/handlers.h"
#include "handlers/page.h"
#include "pg/load.h"
#include "server.h"

enum {
	PULL_AHEAD = 3,
	PULL_FRAME = 128 * 1024, /* bytes of a page before it is sent */
};

struct pull;

/* A query on its way or waiting to be sent on. */
struct slot {
	struct pull *pull;
	struct page_read read;
	bool ready;
};

struct pull {
	struct request *request;
	uint32_t territory;
	struct rights rights;
	uint64_t epoch;
	struct cursor cursor; /* the client's; its `start` is set here where a load begins */
	uint64_t asked, head; /* revs: asked for; the head when last seen */
	uint64_t sound;       /* up to here it is known that no deletion was missed */
	uint64_t withheld;
	bool count;
	struct arena arena;
	struct pg_unit *heading; /* under way, or NULL: the head, for a standby */
	struct pg_unit *counted; /* the same: what is withheld */
	bool standby;            /* will do */
	uint64_t least;          /* if it has seen this rev */
	struct slot slots[PULL_AHEAD];
	unsigned first, busy; /* ring of slots */
	struct page_writer page;
	bool waiting, ended, complete;
};

static void pull_step(struct pull *p);

/* ---- ending
 * ----------------------------------------------------------------------------------------- */

/* Slots whose answers are still on their way end later, by themselves. */
static void pull_free(struct pull *p)
{
	if (p->busy || p->counted || p->heading)
		return;
	for (unsigned i = 0; i < PULL_AHEAD; i++)
		page_read_fini(&p->slots[i].read);
	arena_fini(&p->arena);
	page_writer_fini(&p->page);
	free(p);
}

static void slot_drop(struct slot *s)
{
	page_read_clear(&s->read);
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

/* The database may have become another one meanwhile: what was read is then of neither. */
static int same_epoch(const struct pull *p, struct err *e)
{
	if (p->epoch == p->request->server->epoch)
		return 0;
	err_set(e, ERR_RESET_REQUIRED, "the database was replaced while it was read");
	return err_remedy(e, "synchronise again; edits that wait are kept");
}

static void pull_reply(struct pull *p)
{
	Seve__PullReply pull = SEVE__PULL_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct request *r = p->request;

	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_head_rev = pull.has_records =
		true;
	pull.territory = p->territory;
	pull.epoch = p->epoch;
	pull.view = authz_view(r->who, p->territory);
	pull.head_rev = p->head;
	pull.records = p->page.records;
	pull.has_withheld = p->count;
	pull.withheld = p->withheld;
	reply.body_case = SEVE__REPLY__BODY_PULL;
	reply.pull = &pull;
	pull_end(p);
	request_reply(r, &reply);
}

static int pull_send(struct page_writer *w, uint64_t to)
{
	struct pull *p = w->ctx;
	const struct span s = page_address(w->bytes, w->n, p->request->id);

	(void)to;
	return request_send(p->request, FRAME_PAGE, s.at, s.len);
}

/* ---- asking
 * -------------------------------------------------------------------------------------------------
 */

static int slot_ask(struct pull *p, uint64_t to)
{
	struct slot *s = &p->slots[(p->first + p->busy) % PULL_AHEAD];

	s->read.from = p->asked;
	s->read.to = to;
	s->read.standby = p->standby;
	s->read.least = p->least;
	if (page_ask(&s->read))
		return -ERR_NOMEM;
	p->asked = to ? to : p->asked;
	p->busy++;
	return 0;
}

/* ---- the answers
 * -----------------------------------------------------------------------------------------------
 */

int cursor_refuse(enum cursor_fault f, uint64_t rev, struct err *e)
{
	if (!f)
		return 0;
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
	p->page.start = p->cursor.start;
	f = cursor_check_read(&p->cursor, p->sound, p->head, purged);
	p->sound = p->asked;
	return cursor_refuse(f, p->cursor.rev, e);
}

/* A window of a standby: deletions in it may be purged there already. */
static int window_check(const struct pull *p, const struct page_read *r, struct err *e)
{
	return cursor_refuse(cursor_check_read(&p->cursor, r->from, r->head, r->purged),
			     p->cursor.rev, e);
}

/* Sends the answer on.  1: the pull is complete; 0: there is more; negative: an error. */
static int answer_send(struct pull *p, struct page_read *r, struct err *e)
{
	if (r->err.code) {
		*e = r->err;
		return -(int)e->code;
	}
	if (r->head > p->least)
		p->least = r->head;
	if (r->to && r->standby && window_check(p, r, e))
		return -(int)e->code;
	if (!r->to) {
		p->head = r->head;
		if (tail_check(p, r->purged, e))
			return -(int)e->code;
		if (!r->whole)
			p->asked = p->sound = r->end;
	}
	if (page_write(&p->page, r))
		return err_set(e, ERR_UNAVAILABLE, "the connection is gone");
	return r->whole ? 1 : 0;
}

static void slot_done(struct page_read *r)
{
	struct slot *s = r->owner;
	struct pull *p = s->pull;

	s->ready = true;
	p->standby = p->standby && r->standby;
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
	int rc = same_epoch(p, e);

	if (!rc)
		rc = answer_send(p, &s->read, e);
	slot_drop(s);
	p->first = (p->first + 1) % PULL_AHEAD;
	return rc;
}

static int pull_ask_more(struct pull *p)
{
	/* Windows while the head is far, and only then a tail, alone. */
	while (p->busy < PULL_AHEAD && p->asked + PAGE_ROWS < p->head) {
		int rc = slot_ask(p, p->asked + PAGE_ROWS);

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
	u = pg_unit_new(&p->arena, p, counted);
	p->count = u && !load_territories(u, &p->territory, 1);
	s = p->count ? pg_unit_add(u, pg_sql("pull_withheld")) : NULL;
	p->count = s != NULL;
	if (!s)
		return;
	pg_params_int4(&s->params, (int32_t)p->territory);
	load_reader(&s->params, &p->rights);
	p->counted = u;
	if (p->standby && replica_serves(p->request->server))
		replica_submit(p->request->server, u);
	else
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

int cursor_begin(const struct server *s, const struct principal *who, const Seve__PullRequest *q,
		 struct err *e)
{
	const struct cursor c = {q->epoch, q->view, q->rev, q->start};

	return cursor_refuse(cursor_check(&c, s->epoch, authz_view(who, q->territory)), q->rev, e);
}

static struct pull *pull_new(struct request *r, const struct rights *rights)
{
	const Seve__PullRequest *q = r->body->pull;
	struct pull *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	if (page_writer_init(&p->page, q->territory, q->rev, PULL_FRAME)) {
		free(p);
		return NULL;
	}
	p->page.send = pull_send;
	p->page.ctx = p;
	p->page.start = q->start;
	p->epoch = r->server->epoch;
	p->request = r;
	p->territory = q->territory;
	p->rights = *rights;
	p->cursor = (struct cursor){q->epoch, q->view, q->rev, q->start};
	p->asked = p->sound = q->rev;
	p->count = q->count;
	p->standby = replica_serves(r->server);
	p->least = q->start > q->rev ? q->start : q->rev;
	arena_init(&p->arena, 64 * 1024);
	for (unsigned i = 0; i < PULL_AHEAD; i++) {
		p->slots[i].pull = p;
		page_read_init(&p->slots[i].read, r->server, q->territory, rights, &p->slots[i],
			       slot_done);
	}
	return p;
}

static int pull_begin(struct pull *p)
{
	const int rc = slot_ask(p, 0);

	if (!rc)
		count_ask(p);
	return rc;
}

static void headed(struct pg_unit *u)
{
	struct pull *p = u->owner;
	const PGresult *rows = u->last->result;
	struct err e = u->err;

	if (!e.code && !PQntuples(rows))
		err_set(&e, ERR_NOT_FOUND, "there is no territory %u", p->territory);
	if (!e.code && (uint64_t)pg_get_int8(rows, 0, 0) > p->least)
		p->least = (uint64_t)pg_get_int8(rows, 0, 0);
	pg_unit_clear(u);
	p->heading = NULL;
	if (p->ended) {
		pull_free(p);
		return;
	}
	if (!e.code && pull_begin(p))
		err_set(&e, ERR_NOMEM, "pull");
	if (e.code)
		pull_fail(p, &e);
}

static int head_ask(struct pull *p)
{
	struct pg_unit *u = pg_unit_new(&p->arena, p, headed);
	struct pg_stmt *s;

	if (!u || load_territories(u, &p->territory, 1))
		return -ERR_NOMEM;
	s = pg_unit_add(u, pg_sql("head"));
	if (!s)
		return -ERR_NOMEM;
	pg_params_int4(&s->params, (int32_t)p->territory);
	p->heading = u;
	pg_pool_submit(p->request->server->readers, u);
	return 0;
}

void handle_pull(struct request *r)
{
	struct rights rights;
	struct pull *p;
	struct err e;

	if (authz_read(r->who, r->body->pull->territory, &rights, &e) ||
	    cursor_begin(r->server, r->who, r->body->pull, &e)) {
		request_fail(r, &e);
		return;
	}
	p = pull_new(r, &rights);
	r->handler = p;
	if (p && (p->standby ? head_ask(p) : pull_begin(p)) == 0)
		return;
	err_set(&e, ERR_NOMEM, "pull");
	if (p)
		pull_fail(p, &e);
	else
		request_fail(r, &e);
}

/* watch.c -- what changes behind cursors, page after page, until the client has enough.
 *
 *   IN STEP ─a head moved─► DIRTY ─may send─► a page is read, or shared ─sent─► IN STEP, or DIRTY
 *                             └─ no credit, or the connection is full: it stays so, and costs
 * nothing
 *
 * Level-triggered: a watcher is a cursor and a dirty bit.  Nothing is queued for a slow reader:
 * what it gets when it reads again is what lies behind its cursor then. */
#include <stdlib.h>
#include <utlist.h>

#include "clock.h"
#include "dispatch.h"
#include "failure.h"
#include "handlers/handlers.h"
#include "handlers/page.h"
#include "handlers/shared.h"
#include "heads.h"
#include "server_private.h"

enum {
	WATCH_TERRITORIES_MAX = 1024, /* of a request */
	WATCH_OUT_LOW = 64 * 1024, /* bytes that wait for the socket: above them nothing is added */
	WATCH_CREDIT = 1024 * 1024,          /* where the client names none */
	WATCH_CREDIT_MAX = 64 * 1024 * 1024, /* what is granted beyond is forgotten */
};

struct watch;

struct watcher {
	struct shared_waiter waiter; /* first */
	struct watcher *prev, *next; /* of the territory */
	struct watch *watch;
	uint64_t view, rev, start;
	uint32_t territory;
	bool dirty;  /* behind what is known, or not told yet that it is in step */
	bool told;   /* it was in step once */
	bool later;  /* something failed: tried again by the sweep */
	bool listed; /* among the watchers of the territory */
	bool ended;
};

struct watch {
	struct request *request;
	struct principal *who;
	struct watch *prev, *next; /* of the server */
	int64_t credit;            /* bytes; the last page may go below zero */
	uint64_t starved_ms;       /* since when there is something to send and no credit; 0 */
	size_t n, left;
	struct watcher at[];
};

struct watches {
	struct watch *all;
	size_t n;
	struct shared_pages *pages;
};

int watches_open(struct server *s, struct err *e)
{
	s->watches = calloc(1, sizeof *s->watches);
	if (!s->watches)
		return err_set(e, ERR_NOMEM, "watches");
	return shared_open(s, &s->watches->pages, e);
}

void watches_close(struct server *s)
{
	if (s->watches)
		shared_close(s->watches->pages);
	free(s->watches);
	s->watches = NULL;
}

size_t watches_count(const struct server *s)
{
	return s->watches ? s->watches->n : 0;
}

size_t watches_bytes(const struct server *s)
{
	return s->watches ? shared_bytes(s->watches->pages) : 0;
}

/* ---- ending
 * -----------------------------------------------------------------------------------------------
 */

static void leave(struct watcher *w)
{
	struct server *s = w->watch->request->server;
	if (w->ended)
		return;
	shared_leave(&w->waiter);
	if (w->listed)
		DL_DELETE(*heads_watchers(s, w->territory), w);
	w->listed = false;
	w->ended = true;
	w->watch->left--;
}

static struct request *watch_free(struct watch *x)
{
	struct request *r = x->request;
	for (size_t i = 0; i < x->n; i++)
		leave(&x->at[i]);
	DL_DELETE(r->server->watches->all, x);
	r->server->watches->n--;
	principal_unref(x->who);
	free(x);
	r->handler = NULL;
	r->on_gone = NULL;
	r->on_drain = NULL;
	r->on_credit = NULL;
	return r;
}

static void watch_fail(struct watch *x, const struct err *e)
{
	request_fail(watch_free(x), e);
}

static void watch_reply(struct watch *x)
{
	Seve__Reply reply = SEVE__REPLY__INIT;
	Seve__Empty nothing = SEVE__EMPTY__INIT;
	reply.body_case = SEVE__REPLY__BODY_WATCH;
	reply.watch = &nothing;
	request_reply(watch_free(x), &reply);
}

/* Cancelled, or the connection is gone. */
static void watch_gone(struct request *r)
{
	watch_reply(r->handler);
}

/* One territory ends; the caller calls watch_reply() when none is left. */
static void end_one(struct watcher *w, const struct err *why)
{
	struct request *r = w->watch->request;
	Seve__WatchNote note = SEVE__WATCH_NOTE__INIT;
	Seve__Error error;
	failure_fill(&error, why);
	note.has_request = note.has_territory = 1;
	note.request = r->id;
	note.territory = w->territory;
	note.error = &error;
	leave(w);
	if (!request_gone(r))
		conn_send(r->conn, FRAME_WATCH, &note.base);
}

/* ---- sending
 * ---------------------------------------------------------------------------------------------- */

static void serve(struct watcher *w);

static void drained(struct request *r)
{
	struct watch *x = r->handler;
	for (size_t i = 0; i < x->n; i++)
		serve(&x->at[i]);
}

static bool may_send(struct watch *x)
{
	struct request *r = x->request;
	if (request_gone(r))
		return false;
	if (x->credit <= 0) {
		x->starved_ms = x->starved_ms ? x->starved_ms : clock_mono_ms();
		return false;
	}
	if (conn_pending(r->conn) < WATCH_OUT_LOW)
		return true;
	request_wait_below(r, WATCH_OUT_LOW, drained);
	return false;
}

static void send_page(struct watcher *w, const struct shared_page *p)
{
	struct watch *x = w->watch;
	struct request *r = x->request;
	const bool behind = heads_known(r->server, w->territory) > p->head;
	if (p->to > w->rev || !w->told) {
		const struct span s = page_address(p->bytes, p->n, r->id);
		if (request_send(r, FRAME_PAGE, s.at, s.len) < 0)
			return;
		x->credit -= (int64_t)s.len;
		r->server->priv->metrics.watch_pages++;
	} else {
		/* What is known cannot be read yet. */
		w->later = behind;
	}
	w->rev = p->to;
	w->start = p->whole ? 0 : p->start; /* whoever is in step loads no more */
	w->told |= p->whole;
	w->dirty = !p->whole || behind;
	/* Each leaves as soon as it is made: the first do not wait for the last. */
	if (!request_gone(r))
		conn_flush(r->conn);
}

static void failed(struct watcher *w, const struct err *why)
{
	struct watch *x = w->watch;
	if (err_class(why->code) != ERR_PERMANENT) {
		w->later = true;
		return;
	}
	end_one(w, why);
	if (x->left == 0)
		watch_reply(x);
}

static void on_ready(struct shared_waiter *waiter, struct shared_page *page, const struct err *why)
{
	struct watcher *w = (struct watcher *)waiter;
	if (why) {
		failed(w, why);
		return;
	}
	if (may_send(w->watch))
		send_page(w, page);
	serve(w);
}

static void serve(struct watcher *w)
{
	struct watch *x = w->watch;
	struct shared_pages *pages = x->request->server->watches->pages;
	while (w->dirty && !w->later && !w->ended && !w->waiter.read && may_send(x)) {
		const struct rights rights = authz_rights(x->who, w->territory);
		const struct shared_key key = {.epoch = x->request->server->epoch,
					       .from = w->rev,
					       .start = w->start,
					       .territory = w->territory,
					       .reads = rights.reads,
					       .actor = rights.actor};
		struct shared_page *page;
		const int rc = shared_take(pages, &key, &rights, &w->waiter, &page);
		if (rc == 0)
			return;
		if (rc < 0) {
			w->later = true;
			return;
		}
		send_page(w, page);
		shared_unref(pages, page);
	}
}

void watch_moved(struct server *s, struct watcher *list)
{
	struct watcher *w, *next;
	(void)s;
	DL_FOREACH_SAFE(list, w, next)
	{
		w->dirty = true;
		serve(w);
	}
}

void watches_offer(struct server *s, const struct news *news)
{
	if (s->watches)
		shared_offer(s->watches->pages, news);
}

static void credited(struct request *r, uint64_t bytes)
{
	struct watch *x = r->handler;
	const int64_t more = bytes > WATCH_CREDIT_MAX ? WATCH_CREDIT_MAX : (int64_t)bytes;
	x->credit = x->credit + more > WATCH_CREDIT_MAX ? WATCH_CREDIT_MAX : x->credit + more;
	if (x->credit > 0)
		x->starved_ms = 0;
	drained(r);
}

/* ---- all of them
 * ------------------------------------------------------------------------------------------ */

static void sweep_one(struct watch *x, uint64_t now)
{
	const struct server *s = x->request->server;
	const uint64_t limit = (uint64_t)config_number(s->conf, CONFIG_STALL_TIMEOUT);
	if (x->starved_ms && now - x->starved_ms > limit) {
		struct err e = {0};
		err_set(&e, ERR_DEADLINE, "the reader of a watch has asked for nothing for %llu ms",
			(unsigned long long)limit);
		err_remedy(&e, "watch again from the last cursor");
		x->request->server->priv->metrics.watch_cut++;
		watch_fail(x, &e);
		return;
	}
	for (size_t i = 0; i < x->n; i++) {
		if (!x->at[i].later)
			continue;
		x->at[i].later = false;
		serve(&x->at[i]);
	}
}

void watches_sweep(struct server *s)
{
	struct watch *x, *next;
	const uint64_t now = clock_mono_ms();
	DL_FOREACH_SAFE(s->watches->all, x, next)
	sweep_one(x, now);
	shared_sweep(s->watches->pages);
}

static void follow_one(struct watch *x)
{
	struct principal *who = x->request->conn->who;
	struct rights rights;
	struct err e = {0};
	principal_ref(who);
	principal_unref(x->who);
	x->who = who;
	for (size_t i = 0; i < x->n; i++) {
		struct watcher *w = &x->at[i];
		if (w->ended || authz_view(who, w->territory) == w->view)
			continue;
		if (authz_read(who, w->territory, &rights, &e) == 0) {
			err_set(&e, ERR_RESET_REQUIRED, "the cursor was made with other rights");
			err_remedy(&e, "synchronise from the beginning; edits that wait are kept");
		}
		end_one(w, &e);
	}
	if (x->left == 0)
		watch_reply(x);
}

void watches_follow(struct server *s)
{
	struct watch *x, *next;
	if (!s->watches)
		return;
	DL_FOREACH_SAFE(s->watches->all, x, next)
	if (!request_gone(x->request) && x->request->conn->who != x->who)
		follow_one(x);
}

void watches_drain(struct server *s)
{
	struct err e = {0};
	err_set(&e, ERR_GOING_AWAY, "the server is stopping");
	err_remedy(&e, "connect again and watch from the last cursor");
	while (s->watches->all)
		watch_fail(s->watches->all, &e);
}

/* ---- starting
 * --------------------------------------------------------------------------------------------- */

static void start_one(struct watch *x, size_t i, const Seve__PullRequest *q)
{
	struct server *s = x->request->server;
	struct watcher *w = &x->at[i], **list;
	const struct cursor c = {q->epoch, q->view, q->rev, q->start};
	struct rights rights;
	struct err e = {0};
	*w = (struct watcher){.waiter.ready = on_ready,
			      .watch = x,
			      .territory = q->territory,
			      .rev = q->rev,
			      .start = cursor_is_fresh(&c) ? SHARED_FRESH : q->start,
			      .dirty = true,
			      .view = authz_view(x->who, q->territory)};
	x->left++;
	if (authz_read(x->who, q->territory, &rights, &e) < 0 ||
	    cursor_begin(s, x->who, q, &e) < 0) {
		end_one(w, &e);
		return;
	}
	/* Only now: what is kept of a territory stays. */
	list = heads_watchers(s, q->territory);
	if (!list) {
		err_set(&e, ERR_NOMEM, "watch of territory %u", q->territory);
		end_one(w, &e);
		return;
	}
	DL_APPEND(*list, w);
	w->listed = true;
}

/* Watches that stand on the connection that asks. */
static size_t watches_beside(const struct request *r)
{
	size_t n = 0;
	for (const struct request *x = r->conn->requests; x; x = x->next)
		n += x->on_credit != NULL;
	return n;
}

static int check_request(const struct request *r, struct err *e)
{
	const Seve__WatchRequest *q = r->body->watch;
	if (q->n_territories < 1 || q->n_territories > WATCH_TERRITORIES_MAX)
		return err_set(e, ERR_INVALID, "a watch is of 1 to %d territories, not of %zu",
			       WATCH_TERRITORIES_MAX, q->n_territories);
	if (watches_beside(r) >= WATCHES_OF_CONN_MAX) {
		err_set(e, ERR_EXHAUSTED, "%d watches stand on this connection already",
			WATCHES_OF_CONN_MAX);
		return err_remedy(e, "name several territories in one watch, or cancel another");
	}
	for (size_t i = 0; i < q->n_territories; i++)
		for (size_t k = 0; k < i; k++)
			if (q->territories[i]->territory == q->territories[k]->territory)
				return err_set(e, ERR_INVALID,
					       "territory %u is named twice in one watch",
					       q->territories[i]->territory);
	return 0;
}

void handle_watch(struct request *r)
{
	const Seve__WatchRequest *q = r->body->watch;
	struct err e = {0};
	if (check_request(r, &e) < 0) {
		request_fail(r, &e);
		return;
	}
	struct watch *x = calloc(1, sizeof *x + q->n_territories * sizeof x->at[0]);
	if (!x) {
		err_set(&e, ERR_NOMEM, "watch");
		request_fail(r, &e);
		return;
	}
	x->request = r;
	x->who = principal_ref(r->who);
	x->n = q->n_territories;
	x->credit = q->has_credit ? 0 : WATCH_CREDIT;
	DL_APPEND(r->server->watches->all, x);
	r->server->watches->n++;
	r->server->priv->metrics.watches++;
	r->handler = x;
	r->on_gone = watch_gone;
	r->on_credit = credited;
	r->deadline_ms = UINT64_MAX; /* it lasts as long as it is wanted */
	for (size_t i = 0; i < x->n; i++)
		start_one(x, i, q->territories[i]);
	if (x->left == 0)
		watch_reply(x);
	else
		credited(r, q->has_credit ? q->credit : 0);
}

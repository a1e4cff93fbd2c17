/* watch_pages.c -- the request of a watch that lasts, and the pages that it brings: see
 * watch_run.h.
 */
#include "clock.h"
#include "replica.h"
#include "watch_run.h"

enum { WATCH_CREDIT = 1024 * 1024 }; /* bytes of pages that may be on their way */

/* ---- pages
 * -------------------------------------------------------------------------------------------------
 */

/* Rows, cursor and, in step, the time of it, in one transaction.  1: the replica has moved on by
 * itself, nothing was done. */
static int apply(struct watch *x, const struct watch_item *it, const Seve__Page *p, struct err *e)
{
	struct store *st = x->s->store;
	struct replica rep;
	int rc = store_begin(st, e);

	if (rc)
		return rc;
	rc = replica_get(st, it->territory, &rep, e);
	if (!rc && (!rep.complete || rep.sweep || rep.verify_epoch || rep.epoch != it->epoch ||
		    rep.view != it->view || rep.rev != p->from_rev)) {
		store_end(st, 0, e);
		return 1;
	}
	if (!rc)
		rc = replica_apply(st, p, it->epoch, it->view, e);
	if (!rc && p->has_head_rev) {
		Seve__PullReply done = SEVE__PULL_REPLY__INIT;

		done.territory = p->territory;
		done.epoch = it->epoch;
		done.view = it->view;
		done.head_rev = p->head_rev;
		rc = replica_complete(st, &done, clock_wall_ms(), e);
	}
	return store_end(st, rc, e);
}

/* Another program, or another run of this handle, may be in the middle of a synchronisation: its
 * pages are not to be mixed with ours. */
static int take_in(struct watch *x, struct watch_item *it, const Seve__Page *p,
		   struct seve_change **changes, struct err *e)
{
	struct store *st = x->s->store;
	int rc;

	arena_reset(&x->arena);
	if (!it->carried) {
		rc = it->rev == p->from_rev ? 0 : 1;
		return rc ? rc : watch_changes(st, &x->arena, p, false, changes, e);
	}
	if (x->s->run || store_lock(st, 0, e))
		return 1;
	rc = watch_changes(st, &x->arena, p, true, changes, e);
	if (!rc)
		rc = apply(x, it, p, e);
	store_unlock(st);
	return rc;
}

static void tell_changes(struct watch *x, struct seve_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!x->stop && x->want.changed && x->want.changed(x->want.ctx, &changes[i]))
			x->stop = true;
		watch_change_fini(&changes[i]);
	}
}

static void grant(struct watch *x, size_t bytes)
{
	x->used += bytes;
	if (x->used < WATCH_CREDIT / 4 || !x->call)
		return;
	session_grant(&x->s->session, x->call, x->used);
	x->used = 0;
}

static int begin_anew(struct watch *x, struct err *e)
{
	x->again = true;
	return err_set(e, ERR_UNAVAILABLE, "the watch begins anew");
}

static int watch_page(void *ctx, const Seve__Page *p, struct err *e)
{
	struct watch *x = ctx;
	struct watch_item *it = watch_item_of(x, p->territory);
	struct seve_change *changes = NULL;
	int rc;

	if (!it || p->to_rev < p->from_rev)
		return err_set(e, ERR_PROTOCOL, "a page of territory %u that was not asked for",
			       p->territory);
	rc = take_in(x, it, p, &changes, e);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return begin_anew(x, e);
	it->rev = p->to_rev;
	x->tries = 0;
	if (x->lost)
		watch_tell(x, NULL, SEVE_WATCH_BACK, 0, NULL);
	x->lost = false;
	tell_changes(x, changes, p->n_records);
	if (p->has_head_rev && !it->in_step) {
		it->in_step = true;
		watch_tell(x, it, SEVE_WATCH_IN_STEP, p->head_rev, NULL);
	}
	grant(x, seve__page__get_packed_size(p));
	return x->stop ? begin_anew(x, e) : 0;
}

static int watch_note(void *ctx, const Seve__WatchNote *n, struct err *e)
{
	struct watch *x = ctx;
	struct watch_item *it = watch_item_of(x, n->territory);
	struct err why = {0};

	if (!it || !n->error)
		return 0;
	error_from_wire(&why, n->error);
	if (why.code != ERR_NOT_FOUND && why.code != ERR_RESET_REQUIRED) {
		*e = why;
		return -(int)why.code;
	}
	/* What to do is decided with the rights and heads of now. */
	it->behind = it->carried;
	it->in_step = false;
	it->epoch = 0;
	return begin_anew(x, e);
}

static void watch_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct watch *x = ctx;

	(void)reply;
	x->call = 0;
	if (x->stop) {
		watch_end(x, NULL);
	} else if (x->again || !failure) {
		x->again = false;
		watch_pause(x, WATCH_BUSY_MS);
	} else {
		watch_lost(x, failure);
	}
}

/* ---- asking for them
 * ----------------------------------------------------------------------------------------
 */

/* The cursor that the request names; a replica's may have moved meanwhile. */
static int cursor(struct watch *x, struct watch_item *it, Seve__PullRequest *q, struct err *e)
{
	struct replica rep;
	int rc = it->carried ? replica_get(x->s->store, it->territory, &rep, e) : 0;

	if (rc)
		return rc;
	if (it->carried) {
		it->epoch = rep.epoch;
		it->view = rep.view;
		it->rev = rep.rev;
	}
	seve__pull_request__init(q);
	q->has_territory = q->has_epoch = q->has_view = q->has_rev = true;
	q->territory = it->territory;
	q->epoch = it->epoch;
	q->view = it->view;
	q->rev = it->rev;
	return 0;
}

static int request(struct watch *x, struct err *e)
{
	const struct call_want want = {.done = watch_done,
				       .page = watch_page,
				       .note = watch_note,
				       .ctx = x,
				       .lasts = true};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__WatchRequest q = SEVE__WATCH_REQUEST__INIT;
	int rc = client_online(x->s, e);

	arena_reset(&x->arena);
	q.territories = arena_array(&x->arena, x->n, sizeof *q.territories);
	Seve__PullRequest *list = arena_array(&x->arena, x->n, sizeof *list);
	if (!rc && (!q.territories || !list))
		rc = err_set(e, ERR_NOMEM, "watch");
	for (size_t i = 0; !rc && i < x->n; i++) {
		if (x->items[i].over)
			continue;
		q.territories[q.n_territories] = &list[i];
		rc = cursor(x, &x->items[i], q.territories[q.n_territories++], e);
	}
	q.has_credit = true;
	q.credit = WATCH_CREDIT;
	x->used = 0;
	req.body_case = SEVE__REQUEST__BODY_WATCH;
	req.watch = &q;
	return rc ? rc : session_submit(&x->s->session, &req, &want, &x->call, e);
}

void watch_go_on(struct watch *x)
{
	struct err e = {0};
	bool left = false;

	for (size_t i = 0; i < x->n; i++)
		left |= !x->items[i].over;
	if (!left)
		watch_end(x, NULL);
	else if (request(x, &e))
		watch_lost(x, &e);
}

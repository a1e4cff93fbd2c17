/* watch.c -- see watch.h. */
#include "watch.h"

#include <sys/random.h>

#include "clock.h"
#include "replica.h"
#include "sync.h"

enum {
	WATCH_CREDIT = 1024 * 1024, /* bytes of pages that may be on their way */
	WATCH_BACKOFF_MS = 500,     /* ceiling of the first wait; doubles */
	WATCH_BACKOFF_MAX_MS = 60000,
	WATCH_BUSY_MS = 300, /* another program writes to the store */
	WATCH_ARENA_MAX = 32 * 1024 * 1024,
};

enum watch_phase { WATCH_ASK, WATCH_CATCH_UP, WATCH_ON, WATCH_ENDED };

struct watch_item {
	uint32_t territory;
	bool carried;  /* has a replica: pages are applied to it */
	bool behind;   /* the replica needs a synchronisation before it can be watched */
	bool unplaced; /* no replica, and no cursor: from now on */
	bool over;     /* not watched any more */
	bool in_step;  /* told so */
	uint64_t epoch, view, rev;
};

struct watch {
	struct seve *s;
	struct seve_watcher want;
	enum watch_phase phase;
	uint64_t not_before_ms; /* the back-off's end */
	unsigned tries;
	uint64_t call; /* under way, 0: none */
	bool syncing;  /* the run of the handle is ours */
	bool again;    /* the request was ended by us, to begin anew */
	bool lost;     /* told so */
	bool stop;     /* the caller has enough */
	uint64_t used; /* bytes that came since credit was last granted */
	struct err err;
	struct arena arena;
	size_t n;
	struct watch_item items[];
};

/* ---- telling
 * --------------------------------------------------------------------------------------------------
 */

static void tell(struct watch *x, const struct watch_item *it, enum seve_watch_state state,
		 uint64_t rev, const struct err *why)
{
	struct seve_error *err = NULL;

	if (!x->want.state || x->stop)
		return;
	if (why)
		error_out(&err, why);
	if (x->want.state(x->want.ctx, it ? it->territory : 0, state, rev, err))
		x->stop = true;
	seve_error_free(err);
}

static void watch_end(struct watch *x, const struct err *why)
{
	if (why)
		x->err = *why;
	x->phase = WATCH_ENDED;
}

/* ---- losses
 * -------------------------------------------------------------------------------------------------
 */

/* Full jitter: many clients of one server do not come back in one moment. */
static uint32_t backoff_ms(unsigned n, const struct err *why)
{
	uint64_t ceiling = (uint64_t)WATCH_BACKOFF_MS << (n > 8 ? 8 : n);
	uint32_t random = 0;

	if (ceiling > WATCH_BACKOFF_MAX_MS)
		ceiling = WATCH_BACKOFF_MAX_MS;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint32_t)clock_mono_ms();
	random %= (uint32_t)ceiling + 1;
	return random > why->retry_after_ms ? random : why->retry_after_ms;
}

static void pause_until(struct watch *x, uint64_t ms)
{
	x->phase = WATCH_ASK;
	x->not_before_ms = clock_mono_ms() + ms;
}

static void watch_lost(struct watch *x, const struct err *why)
{
	if (!client_retryable(why)) {
		watch_end(x, why);
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		x->items[i].in_step = false;
	pause_until(x, backoff_ms(x->tries++, why));
	if (!x->lost)
		tell(x, NULL, SEVE_WATCH_LOST, 0, why);
	x->lost = true;
}

/* Not one's own loss: begins anew from the cursors, soon. */
static void watch_again(struct watch *x, uint64_t ms)
{
	if (x->call)
		session_cancel(&x->s->session, x->call);
	x->call = 0;
	pause_until(x, ms);
}

/* ---- ASK
 * ----------------------------------------------------------------------------------------------------
 */

/* Rights as they are now, which the Welcome of a long session may not tell any more. */
static int remember(struct seve *s, const Seve__StatusReply *r, struct err *e)
{
	Seve__Welcome w = SEVE__WELCOME__INIT;
	char account[sizeof s->account];

	memcpy(account, s->account, sizeof account); /* it is written to */
	w.account = account;
	w.server = r->server;
	w.epoch = r->epoch;
	w.clock_ms = r->clock_ms;
	w.n_grants = r->n_grants;
	w.grants = r->grants;
	return client_remember(s, &w, e);
}

static uint64_t granted(const Seve__StatusReply *r, uint32_t territory)
{
	for (size_t i = 0; i < r->n_grants; i++)
		if (r->grants[i]->territory == territory && r->grants[i]->view)
			return r->grants[i]->view;
	return 0;
}

static uint64_t head_of(const Seve__StatusReply *r, uint32_t territory)
{
	for (size_t i = 0; i < r->n_heads; i++)
		if (r->heads[i]->territory == territory)
			return r->heads[i]->rev;
	return 0;
}

static void item_over(struct watch *x, struct watch_item *it)
{
	struct err why = {0};

	err_set(&why, ERR_NOT_FOUND, "territory %u is not among yours any more", it->territory);
	err_remedy(&why, "`seve territory list` shows them; an admin gives access");
	it->over = true;
	tell(x, it, SEVE_WATCH_REVOKED, 0, &why);
	if (!x->err.code)
		x->err = why;
}

static int place(struct watch *x, struct watch_item *it, const Seve__StatusReply *r, struct err *e)
{
	const uint64_t view = granted(r, it->territory);
	struct replica rep;
	int rc = replica_get(x->s->store, it->territory, &rep, e);

	if (rc)
		return rc;
	it->carried = rep.exists;
	if (it->carried) {
		it->behind |= !rep.complete || rep.sweep || rep.verify_epoch ||
			      rep.epoch != r->epoch || rep.view != view;
		return 0;
	}
	if (!view) {
		item_over(x, it);
	} else if (it->unplaced || it->epoch != r->epoch || it->view != view) {
		if (!it->unplaced)
			tell(x, it, SEVE_WATCH_RESET, head_of(r, it->territory), NULL);
		it->unplaced = false;
		it->epoch = r->epoch;
		it->view = view;
		it->rev = head_of(r, it->territory);
	}
	return 0;
}

static void asked(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct watch *x = ctx;
	struct err e = {0};
	int rc;

	x->call = 0;
	if (failure) {
		watch_lost(x, failure);
		return;
	}
	rc = reply->body_case == SEVE__REPLY__BODY_STATUS
		     ? remember(x->s, reply->status, &e)
		     : err_set(&e, ERR_PROTOCOL, "the answer to a status is of another kind");
	for (size_t i = 0; !rc && i < x->n; i++)
		if (!x->items[i].over)
			rc = place(x, &x->items[i], reply->status, &e);
	if (rc)
		watch_end(x, &e);
	else
		x->phase = WATCH_CATCH_UP;
}

static void ask(struct watch *x)
{
	struct call_want want = {.done = asked, .ctx = x, .timeout_ms = x->s->options.timeout_ms};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__StatusRequest status = SEVE__STATUS_REQUEST__INIT;
	struct err e = {0};
	int rc = client_online(x->s, &e);

	req.body_case = SEVE__REQUEST__BODY_STATUS;
	req.status = &status;
	if (!rc)
		rc = session_submit(&x->s->session, &req, &want, &x->call, &e);
	if (rc)
		watch_lost(x, &e);
}

/* ---- CATCH UP
 * -----------------------------------------------------------------------------------------------
 */

static struct watch_item *next_behind(struct watch *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->items[i].behind && !x->items[i].over)
			return &x->items[i];
	return NULL;
}

static void caught_up(struct watch *x)
{
	struct watch_item *it = next_behind(x);
	struct seve_table *report = NULL;
	struct err e = {0};
	bool partial;
	int rc = sync_collect(x->s, &report, &partial, &e);

	x->syncing = false;
	seve_table_free(report);
	if (!it)
		return;
	if (!rc) {
		it->behind = false;
		tell(x, it, SEVE_WATCH_RESET, 0, NULL);
	} else if (e.code == ERR_NOT_FOUND) {
		item_over(x, it);
	} else {
		watch_lost(x, &e);
	}
}

static void catch_up(struct watch *x)
{
	struct watch_item *it = next_behind(x);
	struct err e = {0};

	if (x->syncing) {
		if (sync_finished(x->s))
			caught_up(x);
		return;
	}
	if (!it) {
		x->phase = WATCH_ON;
		return;
	}
	const struct sync_want want = {.territory = it->territory, .pull = true};
	if (x->s->run || sync_start(x->s, &want, &e))
		watch_again(x, WATCH_BUSY_MS);
	else
		x->syncing = true;
}

void watch_yield(struct seve *s)
{
	struct watch *x = s->watch;

	if (!x || !x->syncing)
		return;
	x->syncing = false;
	sync_drop(s);
	watch_again(x, WATCH_BUSY_MS);
}

/* ---- ON: pages
 * ---------------------------------------------------------------------------------------------- */

static struct watch_item *item_of(struct watch *x, uint32_t territory)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->items[i].territory == territory && !x->items[i].over)
			return &x->items[i];
	return NULL;
}

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
	struct watch_item *it = item_of(x, p->territory);
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
		tell(x, NULL, SEVE_WATCH_BACK, 0, NULL);
	x->lost = false;
	tell_changes(x, changes, p->n_records);
	if (p->has_head_rev && !it->in_step) {
		it->in_step = true;
		tell(x, it, SEVE_WATCH_IN_STEP, p->head_rev, NULL);
	}
	grant(x, seve__page__get_packed_size(p));
	return x->stop ? begin_anew(x, e) : 0;
}

static int watch_note(void *ctx, const Seve__WatchNote *n, struct err *e)
{
	struct watch *x = ctx;
	struct watch_item *it = item_of(x, n->territory);
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
		pause_until(x, WATCH_BUSY_MS);
	} else {
		watch_lost(x, failure);
	}
}

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

static void go_on(struct watch *x)
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

/* ---- going on
 * -----------------------------------------------------------------------------------------------
 */

void watch_poke(struct seve *s)
{
	struct watch *x = s->watch;

	if (!x)
		return;
	if (x->stop && !x->call && !x->syncing) {
		x->err = (struct err){0};
		watch_end(x, NULL);
	}
	while (x->phase != WATCH_ENDED && !x->stop && !x->call &&
	       clock_mono_ms() >= x->not_before_ms) {
		const enum watch_phase before = x->phase;

		if (before == WATCH_ASK)
			ask(x);
		else if (before == WATCH_CATCH_UP)
			catch_up(x);
		else
			go_on(x);
		if (x->syncing && !sync_finished(s))
			break;
	}
}

uint64_t watch_wake_ms(const struct seve *s)
{
	const struct watch *x = s->watch;

	if (!x)
		return UINT64_MAX;
	if (x->phase == WATCH_ENDED || (x->stop && !x->call && !x->syncing))
		return 0;
	return x->call || (x->syncing && !sync_finished(s)) ? UINT64_MAX : x->not_before_ms;
}

void watch_drop(struct seve *s)
{
	struct watch *x = s->watch;

	if (!x)
		return;
	if (x->call)
		session_cancel(&s->session, x->call);
	if (x->syncing)
		sync_drop(s);
	arena_fini(&x->arena);
	free(x);
	s->watch = NULL;
}

/* ---- public
 * -------------------------------------------------------------------------------------------------
 */

static int start(struct seve *s, const uint32_t *territories, size_t n,
		 const struct seve_watcher *want, struct err *e)
{
	if (s->watch) {
		err_set(e, ERR_USAGE, "a watch is under way on this handle");
		return err_remedy(e, "stop it, or name all territories at once");
	}
	if (!n || n > SEVE_WATCH_MAX)
		return err_set(e, ERR_USAGE, "a watch is of 1 to %d territories", SEVE_WATCH_MAX);
	struct watch *x = calloc(1, sizeof *x + n * sizeof x->items[0]);
	if (!x)
		return err_set(e, ERR_NOMEM, "watch");
	x->s = s;
	x->want = *want;
	arena_init(&x->arena, WATCH_ARENA_MAX);
	for (size_t i = 0; i < n; i++)
		if (!item_of(x, territories[i]))
			x->items[x->n++] =
				(struct watch_item){.territory = territories[i], .unplaced = true};
	s->watch = x;
	return 0;
}

int seve_watch_start(struct seve *s, const uint32_t *territories, size_t n,
		     const struct seve_watcher *want, struct seve_error **err)
{
	struct err e = {0};

	start(s, territories, n, want, &e);
	return error_out(err, &e);
}

void seve_watch_stop(struct seve *s)
{
	watch_drop(s);
}

bool watch_ended(const struct seve *s)
{
	return s->watch && s->watch->phase == WATCH_ENDED;
}

void watch_tell_end(struct seve *s)
{
	const struct seve_watcher want = s->watch->want;
	const struct err e = s->watch->err;
	struct seve_error *err = NULL;
	int status;

	watch_drop(s);
	status = error_out(&err, &e);
	if (want.ended)
		want.ended(want.ctx, status, err);
	seve_error_free(err);
}

int seve_watch(struct seve *s, const uint32_t *territories, size_t n,
	       const struct seve_watcher *want, struct seve_error **err)
{
	struct err e = {0};

	if (start(s, territories, n, want, &e))
		return error_out(err, &e);
	watch_poke(s);
	while (!watch_ended(s)) {
		const uint64_t wake = watch_wake_ms(s), other = sync_wake_ms(s);

		client_wait(s, wake < other ? wake : other);
	}
	e = s->watch->err;
	watch_drop(s);
	return error_out(err, &e);
}

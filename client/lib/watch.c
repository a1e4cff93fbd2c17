/* watch.c -- the course of a watch, and what it does before pages come and after a loss: see
 * watch.h. */
#include <sys/random.h>

#include "clock.h"
#include "replica.h"
#include "sync.h"
#include "watch_run.h"

enum {
	WATCH_BACKOFF_MS = 500, /* ceiling of the first wait; doubles */
	WATCH_BACKOFF_MAX_MS = 60000,
	WATCH_ARENA_MAX = 32 * 1024 * 1024,
};

/* ---- telling
 * --------------------------------------------------------------------------------------------------
 */

void watch_tell(struct watch *x, const struct watch_item *it, enum seve_watch_state state,
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

void watch_end(struct watch *x, const struct err *why)
{
	if (why)
		x->err = *why;
	x->phase = WATCH_ENDED;
}

struct watch_item *watch_item_of(struct watch *x, uint32_t territory)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->items[i].territory == territory && !x->items[i].over)
			return &x->items[i];
	return NULL;
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

void watch_pause(struct watch *x, uint64_t ms)
{
	x->phase = WATCH_ASK;
	x->not_before_ms = clock_mono_ms() + ms;
}

void watch_lost(struct watch *x, const struct err *why)
{
	if (!client_retryable(why)) {
		watch_end(x, why);
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		x->items[i].in_step = false;
	watch_pause(x, backoff_ms(x->tries++, why));
	if (!x->lost)
		watch_tell(x, NULL, SEVE_WATCH_LOST, 0, why);
	x->lost = true;
}

/* Not one's own loss: begins anew from the cursors, soon. */
static void watch_again(struct watch *x, uint64_t ms)
{
	if (x->call)
		session_cancel(&x->s->session, x->call);
	x->call = 0;
	watch_pause(x, ms);
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
	char slug[REPLICA_NAME];
	struct err why = {0};

	err_set(&why, ERR_NOT_FOUND, "the territory %s is not among yours any more",
		replica_name(x->s->store, it->territory, slug));
	err_remedy(&why, "`seve territory list` shows them; an admin gives access");
	it->over = true;
	watch_tell(x, it, SEVE_WATCH_REVOKED, 0, &why);
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
			watch_tell(x, it, SEVE_WATCH_RESET, head_of(r, it->territory), NULL);
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
		watch_tell(x, it, SEVE_WATCH_RESET, 0, NULL);
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
			watch_go_on(x);
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
		if (!watch_item_of(x, territories[i]))
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

/* sync.c -- see sync.h.
 *
 *   BEGIN ─► PUSH ⟲ verdicts ─nothing waits─► PULL ─reply─► the next territory
 *     │       ▲ │ numbers that do not fit        │ RESET_REQUIRED
 *     └─another epoch─► RESUME ─► VERIFY ⟲ FETCH ◄┘   (sync_verify.c)
 *
 * Waits: for the reply of a call, or for the end of a back-off.  A loss leads to the same phase
 * again, CLIENT_TRIES times. */
#include "sync.h"

#include "clock.h"
#include "queue.h"
#include "replica.h"
#include "sync_run.h"
#include "watch.h"
#include "wire.h"

enum { BATCH_ROWS = 50000, BATCH_MS = 500, RUN_ARENA_MAX = 32 * 1024 * 1024 };

static struct sync_item *item_now(struct sync_run *r)
{
	return &r->items[r->at];
}

/* ---- the batch of pages
 * ---------------------------------------------------------------------------------- */

static int batch_begin(struct sync_run *r, struct err *e)
{
	int rc;

	if (r->batch)
		return 0;
	rc = store_begin(r->s->store, e);
	r->batch = !rc;
	r->batch_until_ms = clock_mono_ms() + BATCH_MS;
	return rc;
}

static int batch_end(struct sync_run *r, int rc, struct err *e)
{
	if (!r->batch)
		return rc;
	r->batch = false;
	r->batch_rows = 0;
	return store_end(r->s->store, rc, e);
}

/* ---- one territory ends
 * -------------------------------------------------------------------------------------- */

void sync_item_end(struct sync_run *r, const struct err *why)
{
	struct sync_item *it = item_now(r);

	if (why)
		it->err = *why;
	it->ended = true;
	r->at++;
	r->phase = SYNC_BEGIN;
	r->tries = r->resets = r->resumes = 0;
	r->refused = false;
	r->point = (struct resume_point){0};
	r->n_fetch = r->fetched = 0;
}

/* The account may not read the territory any more: the replica forgets it, what waited is kept as
 * rejected. */
static void item_revoked(struct sync_run *r, const struct err *why)
{
	struct sync_item *it = item_now(r);
	struct store *st = r->s->store;
	struct err err = *why;
	struct replica rep;
	uint64_t rejected = 0;
	int rc = replica_get(st, it->territory, &rep, &err);

	if (!rc)
		rc = store_begin(st, &err);
	if (!rc) {
		rc = queue_reject_all(st, it->territory, SYNC_REVOKED, &rejected, &err);
		if (!rc)
			rc = replica_purge(st, it->territory, &err);
		rc = store_end(st, rc, &err);
	}
	if (!rc) {
		it->counts.rejected += rejected;
		it->revoked = rep.complete || rejected;
		err = *why;
	}
	sync_item_end(r, &err);
}

void sync_item_failed(struct sync_run *r, const struct err *err)
{
	if (err->code == ERR_NOT_FOUND) {
		item_revoked(r, err);
		return;
	}
	/* The next session may be with another history. */
	if (r->s->session.state == SESSION_CLOSED)
		r->phase = SYNC_BEGIN;
	if (client_retryable(err) && ++r->tries < CLIENT_TRIES) {
		r->not_before_ms = clock_mono_ms() + client_backoff_ms(r->tries, err);
		return;
	}
	sync_item_end(r, err);
	/* Without a session the other territories fare no better. */
	while (r->s->session.state == SESSION_CLOSED && r->at < r->n)
		sync_item_end(r, err);
}

/* ---- pushing
 * ------------------------------------------------------------------------------------------------------
 */

/* The view that the server told with the grant: a cursor is good only under the view it was made
 * with. */
int sync_granted_view(struct sync_run *r, uint64_t *view, struct err *e)
{
	sqlite3_stmt *q = store_query(r->s->store, e, STORE_territory_slug, "i",
				      (int64_t)item_now(r)->territory);
	int rc = store_step(r->s->store, q, e);

	if (rc < 0)
		return rc;
	*view = rc ? (uint64_t)store_int(q, 2) : 0;
	store_done(q);
	return 0;
}

/* Verdicts bring records as the rights of this session show them: a cursor of other rights, or of
 * another epoch, does not stand for them, even if the next pull has its rights again. */
static int fit_cursor(struct sync_run *r, struct err *e)
{
	uint32_t territory = item_now(r)->territory;
	struct replica rep;
	uint64_t view = 0;
	int rc = replica_get(r->s->store, territory, &rep, e);

	if (!rc)
		rc = sync_granted_view(r, &view, e);
	if (rc || (!rep.epoch && !rep.view) || (rep.epoch == r->s->epoch && rep.view == view))
		return rc;
	return replica_verify(r->s->store, territory, r->s->epoch, view, e);
}

static int keep_verdict(struct sync_run *r, const Seve__PushReply *reply, struct err *e)
{
	for (size_t i = 0; r->want.mid && i < reply->n_verdicts; i++) {
		if (reply->verdicts[i]->mid != r->want.mid)
			continue;
		*r->want.verdict = (const Seve__Verdict *)wire_dup(r->want.verdict_arena,
								   &reply->verdicts[i]->base);
		if (!*r->want.verdict)
			return err_set(e, ERR_NOMEM, "verdict");
	}
	return 0;
}

static void push_failed(struct sync_run *r, const struct err *failure)
{
	/* They are in effect, but the records that the verdicts bring along fill more than a frame:
	 * asked again in smaller parts, each is answered from its verdict. */
	if (failure->code == ERR_TOO_BIG && r->push.n_mutations > 1) {
		r->chunk = r->push.n_mutations / 2;
	} else if ((failure->code == ERR_OUT_OF_ORDER || failure->code == ERR_MID_REUSED) &&
		   r->resumes++ < SYNC_RESUMES_MAX) {
		r->refused = failure->code == ERR_MID_REUSED;
		r->phase = SYNC_RESUME;
	} else {
		sync_item_failed(r, failure);
	}
}

static void push_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct sync_run *r = ctx;
	struct sync_item *it = item_now(r);
	struct err e = {0};

	r->call = 0;
	if (failure) {
		push_failed(r, failure);
		return;
	}
	if (reply->body_case != SEVE__REPLY__BODY_PUSH)
		err_set(&e, ERR_PROTOCOL, "the answer to a push is of another kind");
	else if (!fit_cursor(r, &e) &&
		 !queue_settle(r->s->store, it->territory, &r->push, reply->push, r->s->account,
			       client_now_ms(r->s), r->s->epoch, &it->counts, &e)) {
		it->pushed += r->push.n_mutations;
		r->tries = 0;
		keep_verdict(r, reply->push, &e);
		if (r->want.progress)
			r->want.progress(r->want.ctx, it->territory, "push", it->pushed,
					 it->to_push);
	}
	if (e.code)
		sync_item_end(r, &e);
}

int sync_submit(struct sync_run *r, Seve__Request *req, const struct call_want *want, struct err *e)
{
	int rc = client_online(r->s, e);

	return rc ? rc : session_submit(&r->s->session, req, want, &r->call, e);
}

static void push_step(struct sync_run *r)
{
	struct sync_item *it = item_now(r);
	struct call_want want = {.done = push_done,
				 .ctx = r,
				 .timeout_ms = r->s->options.timeout_ms,
				 .writes = true};
	Seve__Request req = SEVE__REQUEST__INIT;
	struct err e = {0};
	int rc;

	arena_reset(&r->arena);
	seve__push_request__init(&r->push);
	rc = queue_take(r->s->store, &r->arena, it->territory, r->chunk, &r->push, &e);
	if (rc) {
		sync_item_end(r, &e);
		return;
	}
	if (!r->push.n_mutations) {
		if (r->want.pull && it->carried)
			r->phase = SYNC_PULL;
		else
			sync_item_end(r, NULL);
		return;
	}
	req.body_case = SEVE__REQUEST__BODY_PUSH;
	req.push = &r->push;
	if (sync_submit(r, &req, &want, &e))
		sync_item_failed(r, &e);
}

/* ---- pulling
 * ------------------------------------------------------------------------------------------------------
 */

static int pull_page(void *ctx, const Seve__Page *page, struct err *e)
{
	struct sync_run *r = ctx;
	struct sync_item *it = item_now(r);
	uint64_t view = 0;
	int rc;

	if (page->territory != it->territory)
		return err_set(e, ERR_PROTOCOL, "a page of territory %u where %u was asked",
			       page->territory, it->territory);
	rc = sync_granted_view(r, &view, e);
	if (!rc)
		rc = batch_begin(r, e);
	if (!rc)
		rc = replica_apply(r->s->store, page, r->s->epoch, view, e);
	if (rc)
		return batch_end(r, rc, e);
	it->pulled += page->n_records;
	r->batch_rows += page->n_records;
	r->tries = 0;
	if (r->want.progress)
		r->want.progress(r->want.ctx, it->territory, "pull", it->pulled, 0);
	return r->batch_rows >= BATCH_ROWS ? batch_end(r, 0, e) : 0;
}

static void pull_failed(struct sync_run *r, const struct err *failure)
{
	struct err e = *failure;

	if (e.code == ERR_RESET_REQUIRED && r->resets++ < SYNC_RESETS_MAX) {
		if (sync_reset(r, SYNC_PULL, &e))
			sync_item_end(r, &e);
		return;
	}
	sync_item_failed(r, &e);
}

static void pull_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct sync_run *r = ctx;
	struct sync_item *it = item_now(r);
	struct err e = {0};
	int rc = 0;

	r->call = 0;
	if (failure) {
		/* What has come is whole pages: it stays. */
		if (batch_end(r, 0, &e))
			sync_item_end(r, &e);
		else
			pull_failed(r, failure);
		return;
	}
	if (reply->body_case != SEVE__REPLY__BODY_PULL || reply->pull->territory != it->territory)
		rc = err_set(&e, ERR_PROTOCOL, "the answer to a pull is of another kind");
	if (!rc)
		rc = replica_complete(r->s->store, reply->pull, clock_wall_ms(), &e);
	if (!rc)
		rc = client_remember_withheld(r->s, it->territory, reply->pull, &e);
	rc = batch_end(r, rc, &e);
	if (!rc) {
		it->rev = reply->pull->head_rev;
		it->counted = reply->pull->has_withheld;
		it->withheld = reply->pull->withheld;
	}
	sync_item_end(r, rc ? &e : NULL);
}

static void pull_step(struct sync_run *r)
{
	struct sync_item *it = item_now(r);
	struct call_want want = {.done = pull_done,
				 .page = pull_page,
				 .ctx = r,
				 .timeout_ms = r->s->options.timeout_ms,
				 .streams = true};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__PullRequest pull = SEVE__PULL_REQUEST__INIT;
	struct replica rep;
	struct err e = {0};

	if (replica_get(r->s->store, it->territory, &rep, &e)) {
		sync_item_end(r, &e);
		return;
	}
	/* A comparison that is under way comes first. */
	if (rep.verify_epoch) {
		r->after = SYNC_PULL;
		r->phase = SYNC_VERIFY;
		return;
	}
	pull.has_territory = pull.has_epoch = pull.has_view = pull.has_rev = pull.has_start =
		pull.has_count = true;
	pull.start = rep.start;
	pull.count = true;
	pull.territory = it->territory;
	pull.epoch = rep.epoch;
	pull.view = rep.view;
	pull.rev = rep.rev;
	req.body_case = SEVE__REQUEST__BODY_PULL;
	req.pull = &pull;
	if (sync_submit(r, &req, &want, &e))
		sync_item_failed(r, &e);
}

/* ---- going on
 * -----------------------------------------------------------------------------------------------------
 */

static void run_finish(struct sync_run *r)
{
	r->finished = true;
	store_unlock(r->s->store);
}

/* Whether there is something to do before anything more is heard. */
static bool run_may_step(const struct sync_run *r)
{
	if (r->call || r->at == r->n || clock_mono_ms() < r->not_before_ms)
		return false;
	return !r->knocked || r->s->welcome || r->s->session.state == SESSION_CLOSED;
}

static void run_step(struct sync_run *r)
{
	static void (*const steps[])(struct sync_run *) = {
		[SYNC_BEGIN] = sync_begin_step,   [SYNC_RESUME] = sync_resume_step,
		[SYNC_VERIFY] = sync_verify_step, [SYNC_FETCH] = sync_fetch_step,
		[SYNC_PUSH] = push_step,          [SYNC_PULL] = pull_step,
	};

	if (r->rejoin) {
		r->rejoin = false;
		client_hang_up(r->s);
		r->phase = SYNC_BEGIN;
	}
	steps[r->phase](r);
}

void sync_commit(struct seve *s)
{
	struct sync_run *r = s->run;
	struct err e = {0};

	if (!r || !batch_end(r, 0, &e))
		return;
	session_cancel(&s->session, r->call);
	r->call = 0;
	sync_item_end(r, &e);
}

void sync_poke(struct seve *s)
{
	struct sync_run *r = s->run;

	if (!r || r->finished)
		return;
	if (r->batch && clock_mono_ms() >= r->batch_until_ms)
		sync_commit(s);
	while (run_may_step(r))
		run_step(r);
	if (r->at == r->n)
		run_finish(r);
}

uint64_t sync_wake_ms(const struct seve *s)
{
	const struct sync_run *r = s->run;

	if (!r)
		return UINT64_MAX;
	if (r->finished)
		return 0;
	if (!r->call && r->knocked && !s->welcome && s->session.state != SESSION_CLOSED)
		return UINT64_MAX;
	if (!r->call)
		return r->not_before_ms;
	return r->batch ? r->batch_until_ms : UINT64_MAX;
}

bool sync_finished(const struct seve *s)
{
	return s->run && s->run->finished;
}

void sync_drop(struct seve *s)
{
	struct sync_run *r = s->run;
	struct err ignored;

	if (!r)
		return;
	if (r->call)
		session_cancel(&s->session, r->call);
	(void)batch_end(r, 0, &ignored); /* if it fails, the rows come again */
	if (!r->finished)
		store_unlock(s->store);
	arena_fini(&r->arena);
	free(r->fetch);
	free(r->items);
	free(r);
	s->run = NULL;
}

int sync_wait(struct seve *s, const struct sync_want *want, struct seve_table **report,
	      bool *partial, struct err *e)
{
	int rc = sync_start(s, want, e);

	if (rc)
		return rc;
	sync_poke(s);
	while (!sync_finished(s)) {
		client_wait(s, sync_wake_ms(s));
		sync_poke(s);
	}
	return sync_collect(s, report, partial, e);
}

/* ---- starting
 * --------------------------------------------------------------------------------------------------------
 */

static int start_in(struct seve *s, struct sync_run *r, struct err *e)
{
	const struct sync_want *want = &r->want;
	int rc = 0;

	if (want->territory && want->pull)
		rc = replica_make(s->store, want->territory, e);
	return rc ? rc : sync_items(s, r, e);
}

int sync_start(struct seve *s, const struct sync_want *want, struct err *e)
{
	struct sync_run *r;
	int rc;

	watch_yield(s);
	if (s->run) {
		err_set(e, ERR_USAGE, "a synchronisation is under way on this handle");
		return err_remedy(e, "wait for its end: call seve_process() until it is told");
	}
	rc = store_lock(s->store, want->lock_ms, e);
	if (rc)
		return rc;
	r = calloc(1, sizeof *r);
	if (!r) {
		store_unlock(s->store);
		return err_set(e, ERR_NOMEM, "synchronisation");
	}
	r->s = s;
	r->want = *want;
	r->chunk = QUEUE_CHUNK_MUTATIONS;
	r->fetch_chunk = MANIFEST_FETCH;
	arena_init(&r->arena, RUN_ARENA_MAX);
	s->run = r;
	rc = start_in(s, r, e);
	if (rc)
		sync_drop(s);
	return rc;
}

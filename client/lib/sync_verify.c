/* sync_verify.c -- see sync_run.h: how a synchronisation begins, and how it finds back when the
 * server's history or the account's rights are not those of the replica. */
#include "cursor.h"
#include "reoffer.h"
#include "replica.h"
#include "sync_run.h"

static struct sync_item *item_now(struct sync_run *r)
{
	return &r->items[r->at];
}

static void item_replaced(struct sync_run *r)
{
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "the server's database was replaced meanwhile");
	r->rejoin = true; /* the next Welcome tells what is there now */
	r->phase = SYNC_BEGIN;
	sync_item_failed(r, &e);
}

/* ---- beginning
 * --------------------------------------------------------------------------------------- */

static void knock(struct sync_run *r)
{
	struct err e = {0};

	if (r->knocked) { /* and nobody opened */
		r->knocked = false;
		e = r->s->session.last;
		sync_item_failed(r, &e);
		return;
	}
	if (client_online(r->s, &e))
		sync_item_failed(r, &e);
	else
		r->knocked = true;
}

static int history_changed(struct sync_run *r, bool *out, struct err *e)
{
	struct replica rep;
	struct reoffer o;
	int rc = replica_get(r->s->store, item_now(r)->territory, &rep, e);

	if (!rc)
		rc = reoffer_state(r->s->store, item_now(r)->territory, &o, e);
	if (rc)
		return rc;
	const struct resume_state held = {o.epoch, rep.epoch, rep.verify_epoch, o.waiting != 0,
					  o.settled != 0};
	*out = resume_needed(&held, r->s->epoch);
	return 0;
}

void sync_begin_step(struct sync_run *r)
{
	struct err e = {0};
	bool changed = false;

	if (!r->s->welcome || r->s->session.state == SESSION_CLOSED) {
		knock(r);
		return;
	}
	r->knocked = false;
	if (history_changed(r, &changed, &e))
		sync_item_end(r, &e);
	else
		r->phase = changed ? SYNC_RESUME : SYNC_PUSH;
}

/* ---- numbers
 * ----------------------------------------------------------------------------------------- */

/* Part of the caller's transaction. */
static int number_anew(struct sync_run *r, const struct replica *rep, struct err *e)
{
	struct sync_item *it = item_now(r);
	struct reoffer o;
	int rc = reoffer_state(r->s->store, it->territory, &o, e);

	if (!rc)
		rc = reoffer(
			r->s->store, it->territory, &r->point, r->refused,
			resume_fork_bound(rep->exists ? &rep->fork : NULL, o.epoch, r->point.epoch),
			&it->again, e);
	return rc;
}

static void numbered(struct sync_run *r)
{
	r->point = (struct resume_point){0};
	r->refused = false;
	r->phase = SYNC_PUSH;
}

/* A replica of another history is compared first: that tells what its revs are worth. */
static void go_on_from(struct sync_run *r)
{
	struct sync_item *it = item_now(r);
	struct replica rep;
	struct err e = {0};
	int rc = replica_get(r->s->store, it->territory, &rep, &e);

	if (!rc && (rep.verify_epoch || (rep.epoch && rep.epoch != r->s->epoch))) {
		rc = sync_reset(r, SYNC_PUSH, &e);
	} else if (!rc) {
		rc = number_anew(r, &rep, &e);
		numbered(r);
	}
	if (rc)
		sync_item_end(r, &e);
}

static void resume_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct sync_run *r = ctx;
	struct err e = {0};

	r->call = 0;
	if (failure) {
		sync_item_failed(r, failure);
		return;
	}
	if (reply->body_case != SEVE__REPLY__BODY_RESUME)
		err_set(&e, ERR_PROTOCOL, "the answer to a resume is of another kind");
	else
		resume_read(reply->resume, &r->point, &e);
	if (e.code)
		sync_item_end(r, &e);
	else if (r->point.epoch != r->s->epoch)
		item_replaced(r);
	else
		go_on_from(r);
}

void sync_resume_step(struct sync_run *r)
{
	struct call_want want = {
		.done = resume_done, .ctx = r, .timeout_ms = r->s->options.timeout_ms};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ResumeRequest resume = SEVE__RESUME_REQUEST__INIT;
	struct err e = {0};

	resume.has_territory = true;
	resume.territory = item_now(r)->territory;
	req.body_case = SEVE__REQUEST__BODY_RESUME;
	req.resume = &resume;
	if (sync_submit(r, &req, &want, &e))
		sync_item_failed(r, &e);
}

/* ---- comparing
 * --------------------------------------------------------------------------------------- */

int sync_reset(struct sync_run *r, enum sync_phase after, struct err *e)
{
	const uint32_t territory = item_now(r)->territory;
	struct replica rep;
	uint64_t view = 0;
	int rc = replica_get(r->s->store, territory, &rep, e);

	r->after = after;
	r->n_fetch = r->fetched = 0;
	if (!rc)
		rc = sync_granted_view(r, &view, e);
	if (rc)
		return rc;
	if (cursor_way(rep.complete, rep.rev != 0 || rep.verify_epoch) == CURSOR_LOAD) {
		r->phase = SYNC_PULL;
		return replica_reset(r->s->store, territory, e);
	}
	r->phase = SYNC_VERIFY;
	if (rep.verify_epoch == r->s->epoch && rep.verify_view == view)
		return 0; /* it goes on where it was left */
	return replica_verify(r->s->store, territory, r->s->epoch, view, e);
}

static int verified(struct sync_run *r, struct err *e)
{
	const uint32_t territory = item_now(r)->territory;
	struct replica rep;
	int rc = store_begin(r->s->store, e);

	if (rc)
		return rc;
	rc = replica_get(r->s->store, territory, &rep, e);
	if (!rc && r->point.epoch)
		rc = number_anew(r, &rep, e);
	if (!rc)
		rc = replica_verified(r->s->store, territory, e);
	return store_end(r->s->store, rc, e);
}

static void page_end(struct sync_run *r)
{
	struct err e = {0};
	int rc;

	r->n_fetch = r->fetched = 0;
	if (r->page_more) {
		r->phase = SYNC_VERIFY;
		rc = replica_verified_to(r->s->store, item_now(r)->territory, r->page_last, &e);
	} else {
		r->phase = r->after;
		rc = verified(r, &e);
		if (r->point.epoch)
			numbered(r);
	}
	if (rc)
		sync_item_end(r, &e);
}

static int want_fetched(void *ctx, const uint8_t id[16])
{
	struct sync_run *r = ctx;

	if (!r->fetch)
		r->fetch = malloc((size_t)MANIFEST_PAGE_MAX * MANIFEST_ID);
	if (!r->fetch || r->n_fetch == MANIFEST_PAGE_MAX)
		return -ERR_NOMEM;
	memcpy(r->fetch + r->n_fetch++ * MANIFEST_ID, id, MANIFEST_ID);
	return 0;
}

static void compare(struct sync_run *r, const Seve__ManifestReply *m)
{
	const struct replica_fetch fetch = {r, want_fetched};
	struct sync_item *it = item_now(r);
	struct err e = {0};
	int rc;

	r->n_fetch = r->fetched = 0;
	rc = replica_compare(r->s->store, m, &fetch, &e);
	if (rc == -ERR_RESET_REQUIRED && r->resets++ < SYNC_RESETS_MAX &&
	    !replica_verify(r->s->store, it->territory, m->epoch, m->view, &e))
		return; /* from its beginning */
	if (rc) {
		if (!e.code)
			err_set(&e, ERR_NOMEM, "comparing with the manifest");
		sync_item_end(r, &e);
		return;
	}
	r->tries = 0;
	it->verified += m->entries.len / MANIFEST_ENTRY;
	r->page_more = m->more;
	if (m->entries.len)
		memcpy(r->page_last, manifest_last((struct span){m->entries.data, m->entries.len}),
		       sizeof r->page_last);
	if (r->want.progress)
		r->want.progress(r->want.ctx, it->territory, "verify", it->verified, 0);
	if (r->n_fetch)
		r->phase = SYNC_FETCH;
	else
		page_end(r);
}

static void verify_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct sync_run *r = ctx;
	struct err e = {0};

	r->call = 0;
	if (failure)
		sync_item_failed(r, failure);
	else if (reply->body_case != SEVE__REPLY__BODY_MANIFEST ||
		 reply->manifest->territory != item_now(r)->territory) {
		err_set(&e, ERR_PROTOCOL, "the answer to a manifest is of another kind");
		sync_item_end(r, &e);
	} else if (reply->manifest->epoch != r->s->epoch) {
		item_replaced(r);
	} else {
		compare(r, reply->manifest);
	}
}

void sync_verify_step(struct sync_run *r)
{
	struct call_want want = {
		.done = verify_done, .ctx = r, .timeout_ms = r->s->options.timeout_ms};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ManifestRequest m = SEVE__MANIFEST_REQUEST__INIT;
	struct replica rep;
	struct err e = {0};

	if (replica_get(r->s->store, item_now(r)->territory, &rep, &e)) {
		sync_item_end(r, &e);
		return;
	}
	m.has_territory = m.has_limit = true;
	m.territory = item_now(r)->territory;
	m.limit = MANIFEST_PAGE;
	m.has_after = rep.verify_begun;
	m.after = (ProtobufCBinaryData){sizeof rep.verify_after, rep.verify_after};
	req.body_case = SEVE__REQUEST__BODY_MANIFEST;
	req.manifest = &m;
	if (sync_submit(r, &req, &want, &e))
		sync_item_failed(r, &e);
}

/* ---- fetching
 * ---------------------------------------------------------------------------------------- */

static size_t fetch_now(const struct sync_run *r)
{
	const size_t left = r->n_fetch - r->fetched;

	return left < r->fetch_chunk ? left : r->fetch_chunk;
}

static void fetch_failed(struct sync_run *r, const struct err *failure)
{
	const size_t n = fetch_now(r);

	if (failure->code == ERR_TOO_BIG && n > 1)
		r->fetch_chunk = n / 2; /* long records: fewer at once */
	else
		sync_item_failed(r, failure);
}

static void fetch_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct sync_run *r = ctx;
	struct sync_item *it = item_now(r);
	struct err e = {0};

	r->call = 0;
	if (failure) {
		fetch_failed(r, failure);
		return;
	}
	if (reply->body_case != SEVE__REPLY__BODY_GET)
		err_set(&e, ERR_PROTOCOL, "the answer to a get is of another kind");
	else
		replica_fetched(r->s->store, it->territory, reply->get->records,
				reply->get->n_records, &e);
	if (e.code) {
		sync_item_end(r, &e);
		return;
	}
	r->tries = 0;
	it->pulled += reply->get->n_records;
	r->fetched += fetch_now(r);
	if (r->fetched == r->n_fetch)
		page_end(r);
}

void sync_fetch_step(struct sync_run *r)
{
	struct call_want want = {
		.done = fetch_done, .ctx = r, .timeout_ms = r->s->options.timeout_ms};
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	ProtobufCBinaryData ids[MANIFEST_FETCH];
	struct err e = {0};

	get.has_territory = true;
	get.territory = item_now(r)->territory;
	get.n_ids = fetch_now(r);
	get.ids = ids;
	for (size_t i = 0; i < get.n_ids; i++)
		ids[i] = (ProtobufCBinaryData){MANIFEST_ID,
					       r->fetch + (r->fetched + i) * MANIFEST_ID};
	req.body_case = SEVE__REQUEST__BODY_GET;
	req.get = &get;
	if (sync_submit(r, &req, &want, &e))
		sync_item_failed(r, &e);
}

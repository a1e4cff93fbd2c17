/* whole.c -- every record of whole territories, unopened: what views over many kinds are made of.
 * From the replica one statement a territory; from the server one pull from rev 0, so that what is
 * seen is the territory as of one revision. */
#include "client.h"
#include "clock.h"
#include "query.h"
#include "read.h"
#include "replica.h"

struct whole {
	struct seve *s;
	uint32_t territory;
	seve_each each;
	void *ctx;
	bool done;
	struct err err;
};

static int give(struct whole *w, const uint8_t id[16], uint64_t rev, struct span body,
		struct err *e)
{
	int rc = w->each(w->ctx, w->territory, id, rev, body.at, body.len);

	return rc ? err_set(e, ERR_CANCELLED, "the reader of territory %u wants no more",
			    w->territory)
		  : 0;
}

static int from_replica(struct whole *w, struct err *e)
{
	sqlite3_stmt *row =
		store_query(w->s->store, e, STORE_record_whole, "i", (int64_t)w->territory);
	int rc;

	while ((rc = store_step(w->s->store, row, e)) == 1) {
		struct span id = store_bytes(row, 0), body = store_bytes(row, 2);

		if (id.len != 16 || !body.at)
			rc = err_set(e, ERR_DATA_LOSS,
				     "a record of the store has no id or no body");
		else
			rc = give(w, id.at, (uint64_t)store_int(row, 1), body, e);
		if (rc)
			break;
	}
	store_done(row);
	return rc;
}

static int take_page(void *ctx, const Seve__Page *page, struct err *e)
{
	struct whole *w = ctx;
	int rc = 0;

	if (page->territory != w->territory)
		return err_set(e, ERR_PROTOCOL, "a page of territory %u where %u was asked",
			       page->territory, w->territory);
	for (size_t i = 0; !rc && i < page->n_records; i++) {
		const Seve__Record *r = page->records[i];

		if (r->id.len != 16 || (!r->deleted && !r->has_body))
			return err_set(e, ERR_PROTOCOL,
				       "the server sent a record without id or body");
		rc = give(w, r->id.data, r->rev,
			  r->deleted ? (struct span){NULL, 0}
				     : (struct span){r->body.data, r->body.len},
			  e);
	}
	return rc;
}

static void pulled(void *ctx, const Seve__Reply *reply, const struct err *err)
{
	struct whole *w = ctx;

	w->done = true;
	if (err)
		w->err = *err;
	else if (reply->body_case != SEVE__REPLY__BODY_PULL)
		err_set(&w->err, ERR_PROTOCOL, "the answer to a pull is of another kind");
	else
		client_remember_withheld(w->s, w->territory, reply->pull, &w->err);
}

static int pull_once(struct whole *w, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__PullRequest pull = SEVE__PULL_REQUEST__INIT;
	struct call_want want = {.done = pulled,
				 .page = take_page,
				 .ctx = w,
				 .timeout_ms = w->s->options.timeout_ms,
				 .streams = true};
	int rc = client_online(w->s, e);

	pull.has_territory = true;
	pull.territory = w->territory;
	pull.has_count = pull.count = true;
	req.body_case = SEVE__REQUEST__BODY_PULL;
	req.pull = &pull;
	w->done = false;
	w->err = (struct err){0};
	if (!rc)
		rc = session_submit(&w->s->session, &req, &want, NULL, e);
	if (rc)
		return rc;
	while (!w->done)
		client_wait(w->s, UINT64_MAX);
	*e = w->err;
	return -(int)e->code;
}

/* A pull that broke off begins again: what came twice has the same id. */
static int from_server(struct whole *w, struct err *e)
{
	for (unsigned try = 1;; try++) {
		int rc;

		*e = (struct err){0};
		rc = pull_once(w, e);
		if (!rc || try == CLIENT_TRIES || !client_retryable(e))
			return rc;
		for (uint64_t until = clock_mono_ms() + client_backoff_ms(try, e);
		     clock_mono_ms() < until;)
			client_wait(w->s, until);
	}
}

static int read_whole(struct whole *w, const uint32_t *territories, size_t n, enum seve_where where,
		      int64_t *age_ms, struct err *e)
{
	int64_t oldest = 0;
	int rc = where == SEVE_SERVER ? 0 : read_carried(w->s, territories, n, &oldest, e);
	const bool carried = rc == 1;

	if (rc < 0)
		return rc;
	if (!carried && where == SEVE_REPLICA)
		return e->code ? -(int)e->code
			       : err_set(e, ERR_NOT_FOUND, "there is no replica here");
	rc = 0;
	*e = (struct err){0};
	for (size_t i = 0; !rc && i < n; i++) {
		w->territory = territories[i];
		rc = carried ? from_replica(w, e) : from_server(w, e);
	}
	*age_ms = carried ? clock_wall_ms() - oldest : -1;
	if (carried && *age_ms < 0)
		*age_ms = 0;
	return rc;
}

int seve_each_record(struct seve *s, const uint32_t *territories, size_t n, enum seve_where where,
		     seve_each each, void *ctx, int64_t *age_ms, struct seve_error **err)
{
	struct whole w = {.s = s, .each = each, .ctx = ctx};
	struct err e = {0};
	int64_t age = -1;

	read_whole(&w, territories, n, where, &age, &e);
	if (!e.code && age_ms)
		*age_ms = age;
	return error_out(err, &e);
}

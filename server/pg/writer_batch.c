/* writer_batch.c -- a batch on its way: see writer_batch.h.
 *
 *   queue ─► LOAD ─► decide (pure) ─► STORE ─► done()           (waits in LOAD, EXPLAIN and STORE)
 *              │       │  ▲              │
 *              │       └──┴─ EXPLAIN: once, where a job clashes: what its author has not seen
 *              └─ error: all fail       └─ the database refuses: halves, then the culprit alone,
 * then its refusal as verdict
 *
 * A large batch is stored in portions, all in its one transaction: while the database stores one,
 * the next is decided.  The last one carries the heads and COMMIT.
 *
 * Two batches overlap: while the front one is being stored, the LOAD of the next stands behind its
 * COMMIT on the same connection, so it sees what the front one did.  When the front one's STORE
 * fails, nothing of the next has been decided: its jobs wait again, behind those that are tried
 * again, so that the order of a client's mutations holds. */
#include "writer_batch.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "server.h"
#include "store.h"

enum { PORTION_JOBS = 64 };

/* ---- ending -------------------------------------------------------------------------------- */

static void batch_end(struct batch *b)
{
	struct writer *w = b->writer;

	for (size_t i = 0; i < b->n; i++)
		b->jobs[i]->done(b->jobs[i]);
	server_heads_moved(w->server, b->news, b->n_news);
	world_fini(&b->world);
	arena_reset(&b->arena);
	if (w->front == b)
		w->front = w->next;
	w->next = NULL;
	writer_kick(w);
}

void batch_fail(struct batch *b, const struct err *e)
{
	mids_forget(&b->writer->mids);
	for (size_t i = 0; i < b->n; i++)
		b->jobs[i]->err = *e;
	batch_end(b);
}

/* ---- a refused batch: bisect ----------------------------------------------------------------- */

static struct group *group_make(struct writer_job **jobs, size_t n, struct group *next)
{
	struct group *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	for (size_t i = 0; i + 1 < n; i++)
		jobs[i]->next = jobs[i + 1];
	jobs[n - 1]->next = NULL;
	*g = (struct group){jobs[0], jobs[n - 1], n, next};
	return g;
}

/* The front batch has failed: what was to follow it waits again, and is tried before anything new.
 * When there is no memory for that they fail, and are told to come again. */
static void batch_recall(struct batch *b)
{
	struct group *g;

	if (!b || b->recalled)
		return;
	b->recalled = true;
	g = b->writer->closing ? NULL : group_make(b->jobs, b->n, b->writer->retries);
	if (!g)
		return;
	b->writer->retries = g;
	b->n = 0;
}

/* The database refused the batch for what one of its jobs holds: find that one without failing its
 * neighbours. */
static void batch_split(struct batch *b, const struct err *e)
{
	struct writer *w = b->writer;
	size_t half = b->n / 2;
	struct group *back, *front;

	mids_forget(&w->mids); /* it may have been for a mutation that another process had */
	log_event(LOG_WARN, "batch_refused", "jobs=%zu cause=%s", b->n, e->text);
	if (b->n == 1 && b->jobs[0]->work.refuse) {
		batch_fail(b, e); /* even the refusal could not be stored */
		return;
	}
	if (b->n == 1) {
		memcpy(b->jobs[0]->refusal, e->text, sizeof b->jobs[0]->refusal - 1);
		b->jobs[0]->work.refuse = b->jobs[0]->refusal;
		half = 0;
	}
	back = group_make(b->jobs + half, b->n - half, w->retries);
	front = back && half ? group_make(b->jobs, half, back) : back;
	if (!front) {
		free(back);
		batch_fail(b, e);
		return;
	}
	w->retries = front;
	b->n = 0;
	batch_end(b);
}

/* Rows that hoped to bring new records did not: all are looked up and tried again.  False: none had
 * hoped. */
static bool batch_again(struct batch *b)
{
	struct writer *w = b->writer;
	struct group *g = NULL;
	bool hoped = false;

	for (size_t i = 0; i < b->n; i++) {
		hoped |= b->jobs[i]->work.hopeful;
		b->jobs[i]->work.hopeful = false;
	}
	if (hoped)
		g = group_make(b->jobs, b->n, w->retries);
	if (!g)
		return false;
	w->retries = g;
	b->n = 0;
	batch_end(b);
	return true;
}

/* ---- STORE -------------------------------------------------------------------------------------
 */

/* What is to be told once the verdicts are out.  It is put together before: bodies may lie in the
 * memory of requests, which end with their verdicts. */
static void batch_news(struct batch *b)
{
	if (b->rollback)
		return;
	b->n_news = news_list(&b->world, b->epoch, b->news, WRITER_BATCH_JOBS);
	for (size_t i = 0; i < b->n_news; i++)
		if (server_wants_news(b->writer->server, b->news[i].territory))
			news_collect(&b->world, &b->news[i]);
}

/* What this commit leaves as the clients' last mids. */
static void batch_note_mids(struct batch *b)
{
	const uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < b->n_stored; i++) {
		const struct apply_job *j = b->stored[i];

		if (j->mutation && !j->replayed)
			mids_note(&b->writer->mids, j->territory, &j->author.client,
				  j->mutation->mid, now);
	}
}

/* Nothing of the batch is under way any more and its transaction has been ended. */
static void undone(struct pg_unit *u)
{
	struct batch *b = u->owner;
	const struct err e = b->why;

	pg_unit_clear(u);
	if (!b->refused || b->writer->closing)
		batch_fail(b, &e);
	else if (e.code != ERR_EXISTS || !batch_again(b))
		batch_split(b, &e);
}

void batch_give_up(struct batch *b, const struct err *e, bool refused)
{
	if (!b->why.code) {
		b->why = *e;
		b->refused = refused;
	}
	b->deciding = b->storing = false;
	if (b->units)
		return;
	batch_recall(b->writer->next);
	b->undo->session = b->session;
	pg_link_submit(b->writer->link, b->undo);
}

static void batch_submit(struct batch *b, struct pg_unit *u)
{
	b->units++;
	u->session = b->session;
	pg_link_submit(b->writer->link, u);
}

/* A unit of the batch has come back.  False: the batch has failed. */
static bool batch_heard(struct batch *b, struct pg_unit *u)
{
	struct err e = u->err;

	b->units--;
	if (!e.code && !b->why.code)
		return true;
	if (!b->storing && err_class(e.code) == ERR_UNKNOWN_OUTCOME)
		err_set(&e, ERR_UNAVAILABLE,
			"the database connection was lost"); /* before COMMIT was sent */
	batch_give_up(b, &e, u->sqlstate[0] && err_class(e.code) == ERR_PERMANENT);
	return false;
}

static void portion_stored(struct pg_unit *u)
{
	pg_unit_clear(u);
	batch_heard(u->owner, u);
}

static void stored(struct pg_unit *u)
{
	struct batch *b = u->owner;

	pg_unit_clear(u);
	if (!batch_heard(b, u))
		return;
	batch_note_mids(b);
	batch_news(b);
	batch_end(b);
}

/* What has been decided and is not yet on its way; behind the last of it the batch ends. */
static int batch_store(struct batch *b)
{
	const bool last = b->at == b->n;
	struct pg_unit *u = pg_unit_new(&b->arena, b, last ? stored : portion_stored);

	if (!u || store_effects(&b->world, b->stored + b->n_sent, b->n_stored - b->n_sent, u))
		return -ERR_NOMEM;
	b->n_sent = b->n_stored;
	if (last && (store_heads(&b->world, u) ||
		     !pg_unit_add(u, pg_sql(b->rollback ? "rollback" : "commit"))))
		return -ERR_NOMEM;
	if (u->first)
		batch_submit(b, u);
	b->storing = last;
	b->deciding = !last;
	writer_kick(b->writer);
	return 0;
}

/* ---- decide
 * --------------------------------------------------------------------------------------- */

/* Decides a portion of what is left.  APPLY_MORE: a job clashes, and what explains it is to be
 * loaded first. */
static int batch_decide(struct batch *b)
{
	const size_t end =
		b->n - b->at < PORTION_JOBS + PORTION_JOBS / 2 ? b->n : b->at + PORTION_JOBS;

	for (; b->at < end; b->at++) {
		struct writer_job *j = b->jobs[b->at];
		int rc;

		memset(&j->err, 0, sizeof j->err);
		j->work.verdict = NULL;
		j->work.row = NULL;
		j->work.replayed = false;
		rc = apply_job(&b->world, &j->work, &j->err);
		if (rc == APPLY_MORE || rc == APPLY_UNSURE)
			return rc;
		if (!rc)
			b->stored[b->n_stored++] = &j->work;
	}
	return 0;
}

static int batch_explain(struct batch *b);

void batch_step(struct batch *b)
{
	struct err e;
	int rc;

	b->deciding = false;
	rc = batch_decide(b);
	if (rc == APPLY_UNSURE)
		err_set(&e, ERR_EXISTS, "a record that was taken for new");
	else if (rc ? !batch_explain(b) : !batch_store(b))
		return;
	else
		err_set(&e, ERR_NOMEM, "storing a batch of %zu", b->n);
	batch_give_up(b, &e, rc == APPLY_UNSURE);
}

/* ---- LOAD
 * ----------------------------------------------------------------------------------------- */

static void explained(struct pg_unit *u)
{
	struct batch *b = u->owner;
	struct err e = {0};

	if (!u->err.code)
		load_read(&b->more, &e);
	pg_unit_clear(u);
	if (!batch_heard(b, u))
		return;
	if (e.code)
		batch_give_up(b, &e, false);
	else
		batch_step(b);
}

/* For this job and those after it: a batch waits once. */
static int batch_explain(struct batch *b)
{
	struct pg_unit *u = pg_unit_new(&b->arena, b, explained);

	if (!u)
		return -ERR_NOMEM;
	load_init(&b->more, &b->arena, &b->world);
	for (size_t i = b->at; i < b->n; i++) {
		if (load_collect_clash(&b->more, &b->jobs[i]->work))
			return -ERR_NOMEM;
		b->jobs[i]->work.explained = true;
	}
	if (load_ask_more(&b->more, u))
		return -ERR_NOMEM;
	batch_submit(b, u);
	return 0;
}

/* What was asked for is there: decides and stores it, a large batch from the loop. */
static void loaded(struct pg_unit *u)
{
	struct batch *b = u->owner;
	struct err e = u->err;

	b->session = pg_link_session(b->writer->link);
	if (e.code && u->sent && err_class(e.code) == ERR_UNKNOWN_OUTCOME)
		err_set(&e, ERR_UNAVAILABLE,
			"the database connection was lost"); /* nothing had been written yet */
	else if (!e.code && b->recalled)
		err_set(&e, ERR_UNAVAILABLE, "what stood before it has failed");
	else if (!e.code)
		load_read(&b->load, &e);
	/* Bodies and hashes were copied or unpacked: the results are no longer looked at. */
	pg_unit_clear(u);
	if (u->err.code) {
		batch_fail(b, &e);
	} else if (e.code) {
		batch_give_up(b, &e, false);
	} else if (b->n > PORTION_JOBS) {
		b->deciding = true;
		writer_kick(b->writer);
	} else {
		batch_step(b);
	}
}

int batch_load(struct batch *b)
{
	struct pg_unit *u = pg_unit_new(&b->arena, b, loaded);

	b->load.mids = &b->writer->mids;
	b->load.mids_now_ms = clock_mono_ms();
	b->load.mids_trust_ms = mids_trust_ms(b->writer->server->conf);
	b->undo = pg_unit_new(&b->arena, b, undone);
	if (!u || !b->undo || !pg_unit_add(b->undo, pg_sql("rollback")))
		return -ERR_NOMEM;
	for (size_t i = 0; i < b->n; i++)
		if (load_collect(&b->load, &b->jobs[i]->work))
			return -ERR_NOMEM;
	if (load_ask(&b->load, u))
		return -ERR_NOMEM;
	pg_link_submit(b->writer->link, u);
	return 0;
}

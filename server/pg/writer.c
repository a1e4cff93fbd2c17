/* writer.c -- see writer.h.
 *
 *   queue ─► LOAD ─► decide (pure) ─► STORE ─► done()           (waits in LOAD, EXPLAIN and STORE)
 *              │       │  ▲              │
 *              │       └──┴─ EXPLAIN: once, where a job clashes: what its author has not seen
 *              └─ error: all fail       └─ the database refuses: halves, then the culprit alone,
 * then its refusal as verdict
 *
 * Two batches overlap: while the front one is being stored, the LOAD of the next stands behind its
 * COMMIT on the same connection, so it sees what the front one did.  When the front one's STORE
 * fails, nothing of the next has been decided: its jobs wait again, behind those that are tried
 * again, so that the order of a client's mutations holds. */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "epoch.h"
#include "load.h"
#include "log.h"
#include "news.h"
#include "record.h"
#include "server.h"
#include "store.h"

enum { BATCH_ARENA_MAX = 96 * 1024 * 1024 };

struct batch {
	struct writer *writer;
	struct arena arena;
	struct world world;
	struct load load, more; /* more: what explains the clashes */
	struct writer_job **jobs;
	struct apply_job **stored; /* whose verdicts are new */
	struct pg_unit *undo;      /* ROLLBACK, made before it can be needed */
	uint32_t session;          /* of the link, which holds the open transaction */
	size_t n, n_stored, at;    /* at: the next to decide */
	struct news *news;         /* of the commit, by territory */
	size_t n_news;
	uint64_t epoch; /* when it was formed */
	bool rollback;
	bool storing;  /* its STORE is on its way: the next batch may load behind it */
	bool recalled; /* its jobs wait again: only its LOAD is still to end */
};

/* Jobs that were sent back after a refused batch: they are tried in these groups before anything
 * new. */
struct group {
	struct writer_job *first, *last;
	size_t n;
	struct group *next;
};

struct writer {
	struct server *server;
	struct pg_link *link;
	struct writer_job *first, *last;
	size_t queued;
	struct group *retries;
	struct batch *front, *next; /* under way, or NULL; next only while front is storing */
	struct batch batches[2];    /* the ones that are used again and again */
	struct mids mids;
	uv_idle_t kick; /* starts a batch from the loop, never from a caller's stack */
	bool closing, link_closed, kick_closed;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void writer_kick(struct writer *w);

/* ---- ending -------------------------------------------------------------------------------- */

static void job_end(struct writer_job *j)
{
	j->done(j);
}

static void batch_end(struct batch *b)
{
	struct writer *w = b->writer;

	for (size_t i = 0; i < b->n; i++)
		job_end(b->jobs[i]);
	server_heads_moved(w->server, b->news, b->n_news);
	world_fini(&b->world);
	arena_reset(&b->arena);
	if (w->front == b)
		w->front = w->next;
	w->next = NULL;
	writer_kick(w);
}

static void batch_fail(struct batch *b, const struct err *e)
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
 * When there is no memory for that it goes on, and is told to come again. */
static void batch_recall(struct batch *b)
{
	struct group *g;

	if (!b || b->writer->closing)
		return;
	g = group_make(b->jobs, b->n, b->writer->retries);
	if (!g)
		return;
	b->writer->retries = g;
	b->recalled = true;
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

static void stored(struct pg_unit *u)
{
	struct batch *b = u->owner;
	struct err e = u->err;
	bool refused = e.code && u->sqlstate[0] && err_class(e.code) == ERR_PERMANENT;

	pg_unit_clear(u);
	if (e.code)
		batch_recall(b->writer->next);
	if (refused) {
		batch_split(b, &e);
		return;
	}
	if (e.code) {
		batch_fail(b, &e);
		return;
	}
	batch_note_mids(b);
	batch_news(b);
	batch_end(b);
}

static int batch_store(struct batch *b)
{
	struct pg_unit *u = pg_unit_new(&b->arena, b, stored);

	if (!u || store_world(&b->world, b->stored, b->n_stored, u))
		return -ERR_NOMEM;
	if (!pg_unit_add(u, pg_sql(b->rollback ? "rollback" : "commit")))
		return -ERR_NOMEM;
	u->session = b->session;
	pg_link_submit(b->writer->link, u);
	b->storing = true;
	writer_kick(b->writer);
	return 0;
}

/* ---- decide
 * --------------------------------------------------------------------------------------- */

/* Decides what is left to decide.  False: a job clashes, and what explains it is to be loaded
 * first. */
static bool batch_decide(struct batch *b)
{
	for (; b->at < b->n; b->at++) {
		struct writer_job *j = b->jobs[b->at];
		int rc;

		memset(&j->err, 0, sizeof j->err);
		j->work.verdict = NULL;
		j->work.row = NULL;
		j->work.replayed = false;
		rc = apply_job(&b->world, &j->work, &j->err);
		if (rc == APPLY_MORE)
			return false;
		if (!rc)
			b->stored[b->n_stored++] = &j->work;
	}
	return true;
}

static void batch_abandon_done(struct pg_unit *u)
{
	struct batch *b = u->owner;

	pg_unit_clear(u);
	batch_end(b);
}

/* The transaction is open and will not be used: end it, then the batch, whose errors are set. */
static void batch_abandon(struct batch *b, const struct err *e)
{
	for (size_t i = 0; i < b->n; i++)
		b->jobs[i]->err = *e;
	b->undo->session = b->session;
	pg_link_submit(b->writer->link, b->undo);
}

/* ---- LOAD
 * ----------------------------------------------------------------------------------------- */

static void explained(struct pg_unit *u);

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
	u->session = b->session;
	pg_link_submit(b->writer->link, u);
	return 0;
}

/* What was asked for is there: decides, then stores or asks for more. */
static void batch_go_on(struct batch *b, struct load *l, struct pg_unit *u)
{
	struct err e = u->err;

	if (b->recalled) {
		pg_unit_clear(u);
		if (e.code)
			batch_end(b);
		else
			batch_abandon(b, &e);
		return;
	}
	if (!e.code)
		load_read(l, &e);
	else if (u->sent && err_class(e.code) == ERR_UNKNOWN_OUTCOME)
		err_set(&e, ERR_UNAVAILABLE,
			"the database connection was lost"); /* nothing had been written yet */
	if (u->err.code) {
		pg_unit_clear(u);
		batch_fail(b, &e);
		return;
	}
	if (!e.code && (batch_decide(b) ? batch_store(b) : batch_explain(b)))
		err_set(&e, ERR_NOMEM, "storing a batch of %zu", b->n);
	/* Bodies and hashes were copied or unpacked: the results are no longer looked at. */
	pg_unit_clear(u);
	if (e.code)
		batch_abandon(b, &e);
}

static void explained(struct pg_unit *u)
{
	struct batch *b = u->owner;

	batch_go_on(b, &b->more, u);
}

static void loaded(struct pg_unit *u)
{
	struct batch *b = u->owner;

	b->session = pg_link_session(b->writer->link);
	batch_go_on(b, &b->load, u);
}

static int batch_load(struct batch *b)
{
	struct pg_unit *u = pg_unit_new(&b->arena, b, loaded);

	b->load.mids = &b->writer->mids;
	b->load.mids_now_ms = clock_mono_ms();
	b->load.mids_trust_ms = mids_trust_ms(b->writer->server->conf);
	b->undo = pg_unit_new(&b->arena, b, batch_abandon_done);
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

/* ---- forming batches
 * ---------------------------------------------------------------------------------- */

static bool fits(const struct writer_job *first, const struct writer_job *j, size_t n, size_t bytes)
{
	return n < WRITER_BATCH_JOBS && bytes + j->bytes <= WRITER_BATCH_BYTES &&
	       j->batch_key == first->batch_key;
}

static void batch_add(struct batch *b, struct writer_job *j)
{
	j->work.explained = false;
	b->jobs[b->n++] = j;
	b->rollback = j->rollback;
	if (j->batch_key && !uuid_is_nil(&j->run))
		b->world.import_run = j->run;
}

static void take_group(struct writer *w, struct batch *b)
{
	struct group *g = w->retries;
	struct writer_job *next;

	w->retries = g->next;
	for (struct writer_job *j = g->first; j; j = next) {
		next = j->next;
		batch_add(b, j);
	}
	free(g);
}

static void take_queue(struct writer *w, struct batch *b)
{
	const struct writer_job *first = w->first;
	size_t bytes = 0;

	while (w->first && (w->first == first || fits(first, w->first, b->n, bytes))) {
		struct writer_job *j = w->first;

		w->first = j->next;
		if (!w->first)
			w->last = NULL;
		w->queued--;
		bytes += j->bytes;
		batch_add(b, j);
	}
}

/* The batch that a new one may be formed in; NULL: not now. */
static struct batch *batch_free(struct writer *w)
{
	if ((!w->first && !w->retries) || w->next || (w->front && !w->front->storing))
		return NULL;
	return w->front == &w->batches[0] ? &w->batches[1] : &w->batches[0];
}

static void writer_step(uv_idle_t *handle)
{
	struct writer *w = handle->data;
	struct batch *b = batch_free(w);

	uv_idle_stop(handle);
	if (!b)
		return;
	if (w->front)
		w->next = b;
	else
		w->front = b;
	world_init(&b->world, &b->arena, clock_wall_ms());
	load_init(&b->load, &b->arena, &b->world);
	b->n = b->n_stored = b->at = b->n_news = 0;
	b->epoch = w->server->epoch;
	b->rollback = b->storing = b->recalled = false;
	if (w->retries)
		take_group(w, b);
	else
		take_queue(w, b);
	if (batch_load(b)) {
		struct err e;

		err_set(&e, ERR_NOMEM, "forming a batch of %zu", b->n);
		batch_fail(b, &e);
	}
}

static void writer_kick(struct writer *w)
{
	if (batch_free(w))
		uv_idle_start(&w->kick, writer_step);
}

/* ---- submitting
 * ------------------------------------------------------------------------------------------ */

static void enqueue(struct writer *w, struct writer_job *j)
{
	j->next = NULL;
	if (w->last)
		w->last->next = j;
	else
		w->first = j;
	w->last = j;
	w->queued++;
}

int writer_submit_all(struct writer *w, struct writer_job *jobs, size_t n, struct err *e)
{
	if (w->closing)
		return err_set(e, ERR_GOING_AWAY, "the server is stopping");
	if (w->queued + n > WRITER_QUEUE_JOBS) {
		err_set(e, ERR_EXHAUSTED, "%zu changes wait to be written already", w->queued);
		e->retry_after_ms = 1000;
		return -(int)ERR_EXHAUSTED;
	}
	for (size_t i = 0; i < n; i++)
		enqueue(w, &jobs[i]);
	writer_kick(w);
	return 0;
}

int writer_submit(struct writer *w, struct writer_job *j, struct err *e)
{
	return writer_submit_all(w, j, 1, e);
}

/* ---- opening and closing
 * ----------------------------------------------------------------------------------- */

static int batches_init(struct writer *w)
{
	int rc = 0;

	for (size_t i = 0; i < 2; i++) {
		struct batch *b = &w->batches[i];

		b->writer = w;
		b->jobs = calloc(WRITER_BATCH_JOBS, sizeof *b->jobs);
		b->stored = calloc(WRITER_BATCH_JOBS, sizeof *b->stored);
		b->news = calloc(WRITER_BATCH_JOBS, sizeof *b->news);
		arena_init(&b->arena, BATCH_ARENA_MAX);
		if (!b->jobs || !b->stored || !b->news)
			rc = -ERR_NOMEM;
	}
	return rc;
}

static void batches_fini(struct writer *w)
{
	for (size_t i = 0; i < 2; i++) {
		arena_fini(&w->batches[i].arena);
		free(w->batches[i].jobs);
		free(w->batches[i].stored);
		free(w->batches[i].news);
	}
}

/* Sessions, and what they base their writes on, are of the epoch that the server knows.  A
 * connection may come back to another database before the server has noticed: nothing is written
 * there yet. */
static int same_epoch(void *ctx, const PGresult *r, struct err *e)
{
	const struct writer *w = ctx;
	uint64_t epoch;
	int rc = epoch_read(r, &epoch, e);

	if (!rc && w->server->epoch && epoch != w->server->epoch)
		rc = err_set(e, ERR_UNAVAILABLE,
			     "another database has taken over, which is not known of yet");
	return rc;
}

static int setup_text(char *out, size_t size, struct err *e)
{
	const int n = snprintf(out, size, "%s%s", PG_SETUP_APP, pg_sql("server_epoch").text);

	return n > 0 && (size_t)n < size ? 0 : err_set(e, ERR_INTERNAL, "the writer's set-up");
}

int writer_open(uv_loop_t *loop, struct server *s, const char *conninfo, struct writer **out,
		struct err *e)
{
	struct writer *w = calloc(1, sizeof *w);
	char setup[4096];
	struct pg_link_options o = {.conninfo = conninfo,
				    .name = "writer",
				    .setup = setup,
				    .accept = same_epoch,
				    .ctx = w};
	int rc = record_init(e);

	if (!rc)
		rc = setup_text(setup, sizeof setup, e);
	if (rc || !w) {
		free(w);
		return rc ? rc : err_set(e, ERR_NOMEM, "writer");
	}
	w->server = s;
	rc = batches_init(w) ? err_set(e, ERR_NOMEM, "writer")
			     : pg_link_open(loop, &o, &w->link, e);
	if (rc) {
		batches_fini(w);
		free(w);
		return rc;
	}
	mids_init(&w->mids);
	uv_idle_init(loop, &w->kick);
	w->kick.data = w;
	*out = w;
	return 0;
}

static void writer_gone(struct writer *w)
{
	if (!w->link_closed || !w->kick_closed)
		return;
	batches_fini(w);
	mids_fini(&w->mids);
	if (w->closed)
		w->closed(w->closed_ctx);
	free(w);
}

static void link_gone(void *ctx)
{
	struct writer *w = ctx;

	w->link_closed = true;
	writer_gone(w);
}

static void kick_gone(uv_handle_t *h)
{
	struct writer *w = h->data;

	w->kick_closed = true;
	writer_gone(w);
}

static void fail_list(struct writer_job *j)
{
	struct writer_job *next;

	for (; j; j = next) {
		next = j->next;
		err_set(&j->err, ERR_GOING_AWAY, "the server is stopping");
		job_end(j);
	}
}

void writer_close(struct writer *w, void (*closed)(void *ctx), void *ctx)
{
	w->closing = true;
	w->closed = closed;
	w->closed_ctx = ctx;
	while (w->retries) {
		struct group *g = w->retries;

		w->retries = g->next;
		fail_list(g->first);
		free(g);
	}
	fail_list(w->first);
	w->first = w->last = NULL;
	w->queued = 0;
	uv_close((uv_handle_t *)&w->kick, kick_gone);
	pg_link_close(w->link, link_gone, w); /* ends what is under way */
}

/* writer.c -- see writer.h.  Takes jobs, forms batches, opens and closes; a batch's way through the
 * database is the business of writer_batch.c. */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "epoch.h"
#include "record.h"
#include "server.h"
#include "writer_batch.h"

enum { BATCH_ARENA_MAX = 96 * 1024 * 1024 };

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
	struct batch *b;

	uv_idle_stop(handle);
	if (w->front && w->front->deciding) {
		/* At once: what waits when a portion fails would run behind its transaction. */
		batch_step(w->front);
		pg_link_send(w->link);
		return;
	}
	b = batch_free(w);
	if (!b)
		return;
	if (w->front)
		w->next = b;
	else
		w->front = b;
	world_init(&b->world, &b->arena, clock_wall_ms());
	load_init(&b->load, &b->arena, &b->world);
	b->n = b->n_stored = b->n_sent = b->at = b->units = b->n_news = 0;
	b->epoch = w->server->epoch;
	b->why = (struct err){0};
	b->rollback = b->refused = b->deciding = b->storing = b->recalled = false;
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

void writer_kick(struct writer *w)
{
	if (!w->closing && (batch_free(w) || (w->front && w->front->deciding)))
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

int writer_open(uv_loop_t *loop, struct server *s, const char *conninfo, struct writer **out,
		struct err *e)
{
	struct writer *w = calloc(1, sizeof *w);
	char setup[4096];
	struct pg_link_options o = {.conninfo = conninfo,
				    .name = "writer",
				    .setup = setup,
				    .accept = server_same_epoch,
				    .ctx = s};
	int rc = record_init(e);

	if (!rc)
		rc = epoch_setup(setup, sizeof setup, PG_SETUP_APP, e);
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

void writer_renew(struct writer *w)
{
	pg_link_renew(w->link);
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
		j->done(j);
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
	if (w->front && w->front->deciding) {
		struct err e;

		err_set(&e, ERR_GOING_AWAY, "the server is stopping");
		batch_give_up(w->front, &e, false);
	}
	uv_close((uv_handle_t *)&w->kick, kick_gone);
	pg_link_close(w->link, link_gone, w); /* ends what is under way */
}

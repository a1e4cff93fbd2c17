/* import_full.c -- the file was the whole source: what it did not bring is deleted, unless so much
 * would disappear that the file is more likely cut off.
 *
 *   LOOK ─page─► LOOK … ─none left─► guard ─► DELETE ─chunk─► DELETE … ─► keep_close()   (waits in
 * LOOK and DELETE) */
#include <stdlib.h>
#include <string.h>

#include "handlers/import.h"
#include "server.h"
#include "wire.h"

enum {
	LOOK_PAGE = 5000,
	DELETE_CHUNK = 500,
	GUARD_PERCENT = 10, /* of the source's records may disappear */
	GUARD_LEAST = 10,   /* so few may always */
	GONE_MAX = 1000000,
	KEY_MAX = 200,
};

struct full {
	struct request *request;
	struct run *run;
	bool force;
	struct arena arena; /* of one page, or of one chunk */
	struct pg_unit *unit;
	struct pg_stmt *page;
	char after[KEY_MAX + 1];
	char **gone; /* keys that the run did not bring */
	size_t n_gone, room, present, next;
	struct writer_job *jobs;
	size_t n_jobs, left;
	Seve__RowVerdict **told;
	size_t n_told, noted; /* verdicts told; of them, those whose remarks are stored */
	struct err err;
};

static void look(struct full *f);
static void delete_next(struct full *f);

static void full_free(struct full *f)
{
	for (size_t i = 0; i < f->n_gone; i++)
		free(f->gone[i]);
	free(f->gone);
	arena_fini(&f->arena);
	free(f);
}

static void full_end(struct full *f)
{
	struct request *r = f->request;
	struct run *run = f->run;
	Seve__RowVerdict **told = f->told;
	const size_t n = f->n_told;
	const struct err e = f->err;

	full_free(f);
	if (!e.code) {
		keep_close(r, run, told, n);
		return;
	}
	run->ending = false;
	request_fail(r, &e);
}

/* ---- deleting ---------------------------------------------------------------------------------
 */

static void told_add(struct full *f, const char *key, const Seve__RowVerdict *v)
{
	Seve__RowVerdict *copy;

	f->run->counts[v->code]++;
	if (f->n_told == IMPORT_REMARKS_MAX)
		return;
	copy = (Seve__RowVerdict *)wire_dup(&f->request->arena, &v->base);
	if (!copy)
		return; /* the counts tell of it */
	copy->key = arena_strdup(&f->request->arena, key);
	f->told[f->n_told++] = copy;
}

static void noted(void *ctx, const struct err *err)
{
	struct full *f = ctx;

	if (err && !f->err.code)
		f->err = *err;
	delete_next(f);
}

static void deleted(struct writer_job *j)
{
	struct full *f = j->owner;
	size_t first;

	if (j->err.code && !f->err.code)
		f->err = j->err;
	if (!j->err.code)
		told_add(f, j->work.import.row->key, j->work.row);
	if (--f->left)
		return;
	if (f->err.code) {
		full_end(f);
		return;
	}
	first = f->noted;
	f->noted = f->n_told;
	if (keep_notes(f->request, f->run, f->told + first, f->n_told - first, noted, f)) {
		err_set(&f->err, ERR_NOMEM, "an import's deletions");
		full_end(f);
	}
}

static int delete_job(struct full *f, const char *key)
{
	Seve__ImportRow *row = arena_alloc(&f->arena, sizeof *row);
	struct writer_job *j = &f->jobs[f->n_jobs];

	if (!row)
		return -ERR_NOMEM;
	seve__import_row__init(row);
	row->key = (char *)(uintptr_t)key;
	row->has_remove = row->remove = true;
	j->work.territory = f->run->territory;
	j->work.author = run_author(f->request, f->run->territory);
	j->work.import = (struct apply_import){f->run->kind, f->run->source, row, NULL};
	j->batch_key = f;
	j->rollback = f->run->dry_run;
	j->run = f->run->batch;
	j->owner = f;
	j->done = deleted;
	f->n_jobs++;
	return 0;
}

static int delete_chunk(struct full *f)
{
	arena_reset(&f->arena);
	f->n_jobs = 0;
	f->jobs = arena_array(&f->arena, DELETE_CHUNK, sizeof *f->jobs);
	if (!f->jobs)
		return err_set(&f->err, ERR_NOMEM, "an import's deletions");
	while (f->next < f->n_gone && f->n_jobs < DELETE_CHUNK)
		if (delete_job(f, f->gone[f->next++]))
			return err_set(&f->err, ERR_NOMEM, "an import's deletions");
	f->left = f->n_jobs;
	return writer_submit_all(f->request->server->writer, f->jobs, f->n_jobs, &f->err);
}

static void delete_next(struct full *f)
{
	if (!f->err.code && request_gone(f->request))
		err_set(&f->err, ERR_CANCELLED, "the client is gone");
	if (f->err.code || f->next == f->n_gone || delete_chunk(f))
		full_end(f);
}

/* ---- looking ----------------------------------------------------------------------------------
 */

/* A file that was cut off, or of another territory, must not empty the source: not even a small
 * one. */
static int guard(struct full *f)
{
	const bool few = f->n_gone <= GUARD_LEAST || f->n_gone * 100 <= f->present * GUARD_PERCENT;
	const bool all = f->n_gone && f->n_gone == f->present;

	if (f->force || (few && !all))
		return 0;
	err_set(&f->err, ERR_PRECONDITION,
		"%zu of %zu records of source %s are not in the file, more than %d %%: nothing was "
		"deleted",
		f->n_gone, f->present, f->run->source, GUARD_PERCENT);
	return err_remedy(&f->err, "if they are really gone, import it again with --full --force");
}

static int gone_add(struct full *f, const char *key)
{
	if (f->n_gone == GONE_MAX)
		return err_set(&f->err, ERR_EXHAUSTED, "more than %d records would disappear",
			       GONE_MAX);
	if (f->n_gone == f->room) {
		const size_t room = f->room ? f->room * 2 : 64;
		char **more = realloc(f->gone, room * sizeof *more);

		if (!more)
			return err_set(&f->err, ERR_NOMEM, "an import's deletions");
		f->gone = more;
		f->room = room;
	}
	f->gone[f->n_gone] = strdup(key);
	if (!f->gone[f->n_gone])
		return err_set(&f->err, ERR_NOMEM, "an import's deletions");
	f->n_gone++;
	return 0;
}

/* 1: there is another page; 0: that was the last. */
static int page_read(struct full *f, const PGresult *res)
{
	const int n = PQntuples(res);

	for (int i = 0; i < n; i++) {
		const char *key = pg_get_text(res, i, 0);

		f->present++;
		if (!run_saw(f->run, key) && gone_add(f, key))
			return -(int)f->err.code;
	}
	if (n)
		snprintf(f->after, sizeof f->after, "%s", pg_get_text(res, n - 1, 0));
	return n == LOOK_PAGE;
}

static void looked(struct pg_unit *u)
{
	struct full *f = u->owner;
	int more = 0;

	f->err = u->err;
	if (!f->err.code)
		more = page_read(f, f->page->result);
	pg_unit_clear(u);
	if (f->err.code || more > 0) {
		if (f->err.code)
			full_end(f);
		else
			look(f);
		return;
	}
	if (guard(f))
		full_end(f);
	else
		delete_next(f);
}

static int look_ask(struct full *f)
{
	struct pg_params *p;

	arena_reset(&f->arena);
	f->unit = pg_unit_new(&f->arena, f, looked);
	if (!f->unit || load_territories(f->unit, &f->run->territory, 1))
		return -ERR_NOMEM;
	f->page = pg_unit_add(f->unit, pg_sql("import_present"));
	if (!f->page)
		return -ERR_NOMEM;
	p = &f->page->params;
	pg_params_int4(p, (int32_t)f->run->territory);
	pg_params_text(p, f->run->source);
	pg_params_int4(p, (int32_t)f->run->kind->number);
	pg_params_text(p, f->after);
	pg_params_int4(p, LOOK_PAGE);
	if (pg_params_bad(p))
		return -ERR_NOMEM;
	pg_pool_submit(f->request->server->readers, f->unit);
	return 0;
}

static void look(struct full *f)
{
	if (look_ask(f)) {
		err_set(&f->err, ERR_NOMEM, "an import's deletions");
		full_end(f);
	}
}

void full_start(struct request *r, struct run *run, bool force)
{
	struct full *f = calloc(1, sizeof *f);
	struct err e;

	if (f) {
		arena_init(&f->arena, 16 * 1024 * 1024);
		f->request = r;
		f->run = run;
		f->force = force;
		f->told = arena_array(&r->arena, IMPORT_REMARKS_MAX, sizeof *f->told);
	}
	if (f && f->told) {
		look(f);
		return;
	}
	if (f)
		full_free(f);
	run->ending = false;
	err_set(&e, ERR_NOMEM, "the end of an import");
	request_fail(r, &e);
}

/* import.c -- a partner's file: rows in chunks, each chunk a batch of its own, chunks of one run
 * one after the other, the next on its way while the one before is stored. A run remembers the keys
 * and unique values of its earlier lines, so that a dry run, whose chunks leave nothing behind,
 * says of each line what the real run will say. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "clock.h"
#include "handlers.h"
#include "handlers/import.h"
#include "server.h"
#include "sha256.h"
#include "wire.h"

enum {
	IMPORT_ROWS_MAX = 500,
	IMPORT_RUNS_MAX = 64,
	IMPORT_LINES_MAX = 4000000, /* keys and unique values that a run remembers */
	IMPORT_IDLE_MS = 10 * 60 * 1000,
	IMPORT_CHUNKS_MAX = 8,   /* waiting in a run */
	IMPORT_CHUNKS_AHEAD = 2, /* under way in a run */
};

/* A key or a unique value that an earlier line brought. */
struct seen {
	uint8_t hash[16];
	uint32_t line;
	struct uuid id; /* of a unique value: the record that it went to; nil: not known */
	UT_hash_handle hh;
};

struct imports {
	struct run *runs;
	size_t n;
};

struct chunk {
	struct run *run;
	struct request *request;
	struct writer_job *jobs;
	Seve__RowVerdict **verdicts;
	size_t *row_of;       /* of each job */
	struct seen **unique; /* of each job, or NULL */
	size_t n, n_jobs, left;
	struct err err;
	struct chunk *next;
};

/* ---- runs -------------------------------------------------------------------------------------
 */

static void run_free(struct run *r)
{
	struct seen *s, *tmp;

	HASH_ITER (hh, r->seen, s, tmp) {
		HASH_DEL(r->seen, s);
		free(s);
	}
	free(r);
}

void run_drop(struct imports *all, struct run *r)
{
	for (struct run **at = &all->runs; *at; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			all->n--;
			break;
		}
	run_free(r);
}

/* Runs that were left lying: their clients are gone. */
static void runs_sweep(struct imports *all)
{
	uint64_t now = clock_mono_ms();
	struct run *next;

	for (struct run *r = all->runs; r; r = next) {
		next = r->next;
		if (!r->under_way && !r->ending && now - r->used_ms > IMPORT_IDLE_MS)
			run_drop(all, r);
	}
}

static struct run *run_find(const struct request *r, uint64_t id, struct err *e)
{
	for (struct run *run = r->server->imports->runs; run; run = run->next)
		if (run->id == id && !run->ending && run->account == r->who->account_id &&
		    !uuid_cmp(&run->client, &r->who->client_id))
			return run;
	err_set(e, ERR_NOT_FOUND, "there is no import run %llu (any more)", (unsigned long long)id);
	err_remedy(e, "start the import again: what was written stays and will be unchanged");
	return NULL;
}

/* It stands in references, reasons and reports. */
static bool is_name(const char *s)
{
	const size_t n = strlen(s);

	if (!n || n >= sizeof((struct run *)0)->source || s[0] == ' ' || s[n - 1] == ' ')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

static int run_check(const struct request *r, const Seve__ImportBegin *q, struct rights *rights,
		     struct err *e)
{
	const struct kind *k = kind_by_number(q->kind);
	int rc = authz_read(r->who, q->territory, rights, e);

	if (rc)
		return rc;
	if (!k || !(k->flags & KIND_IMPORT))
		return err_set(e, ERR_INVALID, "records of kind %s are not imported",
			       k ? k->name : "?");
	rc = authz_write(r->who, q->territory, k, e);
	if (rc)
		return rc;
	if (!q->source || !is_name(q->source))
		return err_set(e, ERR_INVALID,
			       "source: names the partner's system, 1 to 63 bytes in one line, "
			       "without blanks around them");
	if (rights->source && !strcmp(q->source, APPLY_OWN_SOURCE))
		return err_set(e, ERR_DENIED,
			       "source %s is for our own exports: a facilitator imports them",
			       APPLY_OWN_SOURCE);
	if (rights->source && strcmp(rights->source, q->source)) {
		err_set(e, ERR_DENIED, "this account imports from source %s, not %s",
			rights->source, q->source);
		return err_remedy(e, "use --source %s, or an account for the other source",
				  rights->source);
	}
	if (q->has_batch && q->batch.len != 16)
		return err_set(e, ERR_INVALID, "batch: 16 bytes");
	return 0;
}

static struct run *run_new(struct request *r, const Seve__ImportBegin *q)
{
	struct imports *all = r->server->imports;
	struct run *run = calloc(1, sizeof *run);

	if (!run)
		return NULL;
	if (RAND_bytes((unsigned char *)&run->id, sizeof run->id) != 1) {
		free(run);
		return NULL;
	}
	run->account = r->who->account_id;
	run->client = r->who->client_id;
	if (q->batch.len == sizeof run->batch.b)
		memcpy(run->batch.b, q->batch.data, sizeof run->batch.b);
	else
		run->batch = uuid_v7();
	run->territory = q->territory;
	run->kind = kind_by_number(q->kind);
	run->dry_run = q->dry_run;
	run->hopeful = true;
	run->used_ms = clock_mono_ms();
	memcpy(run->source, q->source, strlen(q->source) + 1);
	run->next = all->runs;
	all->runs = run;
	all->n++;
	return run;
}

static void begun(struct request *r, struct run *run, const struct err *err)
{
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;

	run->ending = false;
	if (err) {
		run_drop(r->server->imports, run);
		request_fail(r, err);
		return;
	}
	import.has_run = true;
	import.run = run->id;
	import.has_batch = !run->dry_run;
	import.batch = (ProtobufCBinaryData){16, run->batch.b};
	reply.body_case = SEVE__REPLY__BODY_IMPORT;
	reply.import = &import;
	request_reply(r, &reply);
}

void handle_import_begin(struct request *r)
{
	const Seve__ImportBegin *q = r->body->import_begin;
	struct rights rights;
	struct run *run;
	struct err e;

	runs_sweep(r->server->imports);
	if (run_check(r, q, &rights, &e)) {
		request_fail(r, &e);
		return;
	}
	run = r->server->imports->n < IMPORT_RUNS_MAX ? run_new(r, q) : NULL;
	if (!run) {
		err_set(&e, ERR_EXHAUSTED, "%zu imports are under way already",
			r->server->imports->n);
		request_fail(r, &e);
		return;
	}
	run->ending = true; /* not to be used before it is open */
	if (run->dry_run) {
		begun(r, run, NULL);
	} else if (keep_open(r, run, q, begun)) {
		err_set(&e, ERR_NOMEM, "import");
		begun(r, run, &e);
	}
}

/* ---- what earlier lines brought
 * ------------------------------------------------------------------ */

/* The entry of a value, made when it is the first; NULL: out of memory. */
static struct seen *seen_find(struct run *r, const char *what, const char *value)
{
	uint8_t digest[32];
	char text[FIELD_REF_MAX * 2];
	struct seen *s = NULL;
	size_t n_what = strlen(what), n = strnlen(value, sizeof text - n_what - 1);

	memcpy(text, what, n_what);
	text[n_what] = '\n';
	memcpy(text + n_what + 1, value, n);
	sha256(text, n_what + 1 + n, digest);
	HASH_FIND(hh, r->seen, digest, sizeof s->hash, s);
	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	memcpy(s->hash, digest, sizeof s->hash);
	HASH_ADD(hh, r->seen, hash, sizeof s->hash, s);
	if (s->hh.tbl)
		return s;
	free(s);
	return NULL;
}

bool run_saw(struct run *r, const char *key)
{
	const struct seen *s = seen_find(r, "", key);

	return !s || s->line; /* in doubt it was there: what is not known is not deleted */
}

/* The entry of the row's unique value; NULL when it has none. */
static struct seen *seen_unique(struct run *r, const Seve__ImportRow *row)
{
	const ProtobufCMessage *m =
		row->set && kind_of(row->set) == r->kind ? kind_message(row->set) : NULL;

	for (unsigned i = 0; m && i < r->kind->desc->n_fields; i++) {
		const field_desc *fd = &r->kind->desc->fields[i];

		if ((field_rule(r->kind, fd).flags & FIELD_UNIQUE) && field_present(m, fd))
			return seen_find(r, fd->name,
					 *(char *const *)((const char *)m + fd->offset));
	}
	return NULL;
}

/* ---- chunks
 * ------------------------------------------------------------------------------------------ */

static void chunk_start(struct chunk *c);

/* The next chunk is loaded while this one is being stored; not in a dry run, where it must know
 * what this one would have left. */
static bool run_may_start(const struct run *r)
{
	return r->under_way < (r->dry_run ? 1 : IMPORT_CHUNKS_AHEAD);
}

static void run_next(struct run *r)
{
	struct chunk *c = r->first;

	r->under_way--;
	r->used_ms = clock_mono_ms();
	if (c) {
		r->first = c->next;
		if (!r->first)
			r->last = NULL;
		r->waiting--;
		chunk_start(c);
	}
}

/* The chunk lives in the request's arena: what comes after the reply must not look at it. */
static void chunk_answer(struct chunk *c)
{
	Seve__ImportReply import = SEVE__IMPORT_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct request *request = c->request;
	struct run *run = c->run;

	if (c->err.code) {
		struct err e = c->err;

		run_next(run);
		request_fail(request, &e);
		return;
	}
	import.has_run = true;
	import.run = run->id;
	import.n_rows = c->n;
	import.rows = c->verdicts;
	reply.body_case = SEVE__REPLY__BODY_IMPORT;
	reply.import = &import;
	run_next(run);
	request_reply(request, &reply);
}

static void chunk_noted(void *ctx, const struct err *err)
{
	struct chunk *c = ctx;

	if (err)
		c->err = *err;
	chunk_answer(c);
}

static void chunk_finish(struct chunk *c)
{
	for (size_t i = 0; !c->err.code && i < c->n; i++)
		c->run->counts[c->verdicts[i]->code]++;
	if (!c->err.code && keep_notes(c->request, c->run, c->verdicts, c->n, chunk_noted, c))
		err_set(&c->err, ERR_NOMEM, "import rows");
	else if (!c->err.code)
		return;
	chunk_answer(c);
}

/* Learns where a unique value went. */
static void chunk_learn(struct seen *s, const Seve__RowVerdict *v)
{
	if (s && uuid_is_nil(&s->id) && v->has_id && v->id.len == 16)
		memcpy(s->id.b, v->id.data, 16);
}

static void chunk_job_done(struct writer_job *j)
{
	struct chunk *c = j->owner;
	size_t row = c->row_of[j - c->jobs];

	c->run->hopeful &= j->work.hopeful;
	if (j->err.code) {
		if (!c->err.code)
			c->err = j->err;
	} else {
		c->verdicts[row] =
			(Seve__RowVerdict *)wire_dup(&c->request->arena, &j->work.row->base);
		if (!c->verdicts[row])
			err_set(&c->err, ERR_OUTCOME, "out of memory after the commit");
		else
			chunk_learn(c->unique[j - c->jobs], c->verdicts[row]);
	}
	if (!--c->left)
		chunk_finish(c);
}

/* A line whose key came before is not looked at again. */
static Seve__RowVerdict *duplicate_verdict(struct chunk *c, const Seve__ImportRow *row,
					   const struct seen *s)
{
	struct arena *a = &c->request->arena;
	Seve__RowVerdict *v = arena_alloc(a, sizeof *v);
	Seve__Violation *why = arena_alloc(a, sizeof *why);
	Seve__Violation **list = arena_alloc(a, sizeof *list);

	if (!v || !why || !list)
		return NULL;
	seve__row_verdict__init(v);
	seve__violation__init(why);
	why->field = "key";
	why->code = "DUPLICATE";
	why->text = arena_printf(a, "the key stands in line %u of this import already", s->line);
	list[0] = why;
	v->has_line = row->has_line;
	v->line = row->line;
	v->has_code = true;
	v->code = SEVE__ROW_VERDICT__CODE__SKIPPED;
	v->n_violations = 1;
	v->violations = list;
	return why->text ? v : NULL;
}

struct apply_author run_author(const struct request *r, uint32_t territory)
{
	const struct rights rights = authz_rights(r->who, territory);

	return (struct apply_author){
		.account = r->who->account,
		.client = r->who->client_id,
		.client_short = r->who->client_short,
		.reads = rights.reads < SEVE__LEVEL__LEVEL_NETWORK ? SEVE__LEVEL__LEVEL_NETWORK
								   : rights.reads,
		.writes = rights.writes,
		.source = rights.source,
	};
}

static void chunk_job(struct chunk *c, size_t row, const struct apply_author *author,
		      struct seen *unique)
{
	const struct uuid *same_as = unique && !uuid_is_nil(&unique->id) ? &unique->id : NULL;
	struct writer_job *j = &c->jobs[c->n_jobs];

	c->unique[c->n_jobs] = unique;
	c->row_of[c->n_jobs++] = row;
	j->work.territory = c->run->territory;
	j->work.author = *author;
	j->work.hopeful = c->run->hopeful;
	j->work.import = (struct apply_import){c->run->kind, c->run->source,
					       c->request->body->import_rows->rows[row], same_as};
	j->batch_key = c;
	j->rollback = c->run->dry_run;
	j->run = c->run->batch;
	j->owner = c;
	j->done = chunk_job_done;
}

/* Sorts out duplicates; the other rows become jobs. */
static int chunk_rows(struct chunk *c, struct err *e)
{
	const Seve__ImportRows *q = c->request->body->import_rows;
	const struct apply_author author = run_author(c->request, c->run->territory);

	if (HASH_COUNT(c->run->seen) > IMPORT_LINES_MAX)
		return err_set(e, ERR_INVALID,
			       "an import run takes at most %d lines: split the file",
			       IMPORT_LINES_MAX / 2);
	for (size_t i = 0; i < q->n_rows; i++) {
		const Seve__ImportRow *row = q->rows[i];
		struct seen *key = row->key ? seen_find(c->run, "", row->key) : NULL;
		struct seen *unique = seen_unique(c->run, row);

		if (key && key->line) {
			c->verdicts[i] = duplicate_verdict(c, row, key);
			if (!c->verdicts[i])
				return err_set(e, ERR_NOMEM, "import rows");
			continue;
		}
		if (row->key && !key)
			return err_set(e, ERR_NOMEM, "import rows");
		if (key)
			key->line = row->line ? row->line : 1;
		chunk_job(c, i, &author, unique);
	}
	return 0;
}

static void chunk_start(struct chunk *c)
{
	c->run->under_way++;
	if (request_gone(c->request))
		err_set(&c->err, ERR_CANCELLED, "the client is gone");
	else if (!chunk_rows(c, &c->err) && c->n_jobs) {
		c->left = c->n_jobs;
		if (!writer_submit_all(c->request->server->writer, c->jobs, c->n_jobs, &c->err))
			return;
	}
	chunk_finish(c);
}

static struct chunk *chunk_new(struct request *r, struct run *run)
{
	size_t n = r->body->import_rows->n_rows;
	struct chunk *c = arena_zalloc(&r->arena, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct chunk){.run = run, .request = r, .n = n};
	c->jobs = arena_array(&r->arena, n, sizeof *c->jobs);
	c->verdicts = arena_array(&r->arena, n, sizeof *c->verdicts);
	c->row_of = arena_array(&r->arena, n, sizeof *c->row_of);
	c->unique = arena_array(&r->arena, n, sizeof *c->unique);
	return c->jobs && c->verdicts && c->row_of && c->unique ? c : NULL;
}

static int chunk_take(struct request *r, struct err *e)
{
	const Seve__ImportRows *q = r->body->import_rows;
	struct run *run = run_find(r, q->run, e);
	struct chunk *c;

	if (!run)
		return -(int)e->code;
	if (!q->n_rows || q->n_rows > IMPORT_ROWS_MAX)
		return err_set(e, ERR_INVALID, "a chunk holds 1 to %d rows, this one %zu",
			       IMPORT_ROWS_MAX, q->n_rows);
	if (run->waiting == IMPORT_CHUNKS_MAX)
		return err_set(e, ERR_EXHAUSTED, "%d chunks of this run wait already",
			       IMPORT_CHUNKS_MAX);
	c = chunk_new(r, run);
	if (!c)
		return err_set(e, ERR_NOMEM, "import rows");
	if (run_may_start(run)) {
		chunk_start(c);
		return 0;
	}
	if (run->last)
		run->last->next = c;
	else
		run->first = c;
	run->last = c;
	run->waiting++;
	return 0;
}

void handle_import_rows(struct request *r)
{
	struct err e;

	if (chunk_take(r, &e))
		request_fail(r, &e);
}

/* ---- the end of a run ---------------------------------------------------------------------------
 */

static int end_check(const struct request *r, struct run *run, struct err *e)
{
	const Seve__ImportEnd *q = r->body->import_end;

	if (run->under_way)
		return err_set(e, ERR_INVALID, "rows of this import are still under way");
	if (q->full && run->counts[SEVE__ROW_VERDICT__CODE__REJECTED]) {
		err_set(e, ERR_PRECONDITION,
			"%u rows were rejected: nothing is deleted after a file with mistakes",
			run->counts[SEVE__ROW_VERDICT__CODE__REJECTED]);
		return err_remedy(e, "correct them, then import it again with --full");
	}
	return 0;
}

void handle_import_end(struct request *r)
{
	const Seve__ImportEnd *q = r->body->import_end;
	struct err e;
	struct run *run = run_find(r, q->run, &e);

	if (!run || end_check(r, run, &e)) {
		request_fail(r, &e);
		return;
	}
	run->ending = true;
	if (q->full)
		full_start(r, run, q->force);
	else
		keep_close(r, run, NULL, 0);
}

int imports_open(struct server *s, struct err *e)
{
	s->imports = calloc(1, sizeof *s->imports);
	return s->imports ? 0 : err_set(e, ERR_NOMEM, "imports");
}

void imports_close(struct server *s)
{
	while (s->imports && s->imports->runs)
		run_drop(s->imports, s->imports->runs);
	free(s->imports);
	s->imports = NULL;
}

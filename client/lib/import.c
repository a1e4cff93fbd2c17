/* import.c -- a partner's rows: packed into chunks, up to two under way at a time, verdicts told in
 * the order of the lines.
 *
 * After a loss a new run is begun under the same batch.  It does not know the keys of the rows
 * before: a caller that can pass its rows again is asked to, from the first; else only the chunks
 * without an answer are sent again, and the end deletes nothing.  What had been written already is
 * told as it was then.  A dry run is not resumed but only begun anew: its counts would not be
 * exact. */
#include <inttypes.h>

#include "client.h"
#include "clock.h"
#include "record.h"
#include "table.h"
#include "wire.h"

enum {
	CHUNK_ROWS = 500,
	CHUNK_BYTES = 256 * 1024,
	CHUNKS = 2,
	CHUNK_ARENA_MAX = 64 * 1024 * 1024,
	VERDICTS = 8,      /* values of RowVerdict.Code */
	RENEWALS_MAX = 10, /* a line that always breaks before the end of the file */
};

struct chunk {
	struct seve_import *import;
	struct arena arena; /* of the rows, until their verdicts have been told */
	struct arena answer;
	Seve__ImportRow **rows;
	size_t n, bytes;
	bool busy;     /* sent, or to be sent again */
	uint64_t call; /* under way, 0: not */
	const Seve__ImportReply *reply;
	struct err err;
};

struct seve_import {
	struct seve *s;
	uint32_t territory;
	const struct kind *kind;
	char source[64];
	char *label;
	char batch[UUID_TEXT]; /* "": a dry run */
	bool dry_run, begun, full, force;
	bool rereads, again; /* the rows can be passed again; they are to be */
	unsigned renewals;   /* runs begun after losses */
	uint64_t run, head_rev;
	uint64_t rev; /* of the next row, or 0 */
	struct chunk chunks[CHUNKS];
	size_t filling,
		oldest; /* indexes: the one that takes rows; the first that has not been told */
	unsigned tries;
	struct err failed; /* the run is over: every call gives this */
	seve_import_verdict told;
	void *ctx;
	uint64_t counts[VERDICTS];
};

static const char *const verdict_words[VERDICTS] = {
	[SEVE__ROW_VERDICT__CODE__UNSPECIFIED] = "rejected",
	[SEVE__ROW_VERDICT__CODE__CREATED] = "created",
	[SEVE__ROW_VERDICT__CODE__UPDATED] = "updated",
	[SEVE__ROW_VERDICT__CODE__UNCHANGED] = "unchanged",
	[SEVE__ROW_VERDICT__CODE__ATTACHED] = "attached",
	[SEVE__ROW_VERDICT__CODE__SKIPPED] = "skipped",
	[SEVE__ROW_VERDICT__CODE__DELETED] = "deleted",
	[SEVE__ROW_VERDICT__CODE__REJECTED] = "rejected",
};

const char *import_word(Seve__RowVerdict__Code code)
{
	return code > 0 && (unsigned)code < VERDICTS ? verdict_words[code] : "rejected";
}

/* ---- the run
 * -------------------------------------------------------------------------------------------------
 */

static int run_begin(struct seve_import *i, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ImportBegin begin = SEVE__IMPORT_BEGIN__INIT;
	const Seve__Reply *reply;
	struct uuid batch;
	struct arena a;
	int rc;

	begin.has_territory = begin.has_kind = begin.has_dry_run = true;
	begin.territory = i->territory;
	begin.kind = i->kind->number;
	begin.source = i->source;
	begin.dry_run = i->dry_run;
	begin.label = i->label;
	/* After a loss the same batch goes on. */
	begin.has_batch = *i->batch && !uuid_parse(i->batch, &batch, NULL);
	begin.batch = (ProtobufCBinaryData){sizeof batch.b, batch.b};
	req.body_case = SEVE__REQUEST__BODY_IMPORT_BEGIN;
	req.import_begin = &begin;
	arena_init(&a, CHUNK_ARENA_MAX);
	rc = client_ask(i->s, &req, &a, false, true, &reply, e);
	if (!rc && (reply->body_case != SEVE__REPLY__BODY_IMPORT || !reply->import->has_run))
		rc = err_set(e, ERR_PROTOCOL,
			     "the answer to the begin of an import is of another kind");
	if (!rc) {
		i->run = reply->import->run;
		if (reply->import->batch.len == sizeof batch.b) {
			memcpy(batch.b, reply->import->batch.data, sizeof batch.b);
			uuid_format(&batch, i->batch);
		}
		i->begun = true;
	}
	arena_fini(&a);
	return rc;
}

static void chunk_reset(struct chunk *c)
{
	arena_reset(&c->arena);
	arena_reset(&c->answer);
	c->rows = NULL;
	c->n = c->bytes = 0;
	c->busy = false;
	c->call = 0;
	c->reply = NULL;
	c->err = (struct err){0};
}

static void chunk_done(void *ctx, const Seve__Reply *reply, const struct err *failure)
{
	struct chunk *c = ctx;

	c->call = 0;
	if (failure)
		c->err = *failure;
	else if (reply->body_case != SEVE__REPLY__BODY_IMPORT || reply->import->n_rows != c->n)
		err_set(&c->err, ERR_PROTOCOL, "the answer to %zu rows does not fit them", c->n);
	else
		c->reply = reply->import;
}

static int chunk_send(struct seve_import *i, struct chunk *c, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ImportRows rows = SEVE__IMPORT_ROWS__INIT;
	struct call_want want = {.done = chunk_done,
				 .ctx = c,
				 .arena = &c->answer,
				 .timeout_ms = i->s->options.timeout_ms,
				 .writes = true};
	int rc = client_online(i->s, e);

	rows.has_run = true;
	rows.run = i->run;
	rows.n_rows = c->n;
	rows.rows = c->rows;
	req.body_case = SEVE__REQUEST__BODY_IMPORT_ROWS;
	req.import_rows = &rows;
	c->busy = true;
	c->reply = NULL;
	c->err = (struct err){0};
	arena_reset(&c->answer);
	return rc ? rc : session_submit(&i->s->session, &req, &want, &c->call, e);
}

/* ---- verdicts
 * --------------------------------------------------------------------------------------------------
 */

static void tell(struct seve_import *i, const Seve__RowVerdict *v)
{
	unsigned code = v->code > 0 && (unsigned)v->code < VERDICTS
				? (unsigned)v->code
				: SEVE__ROW_VERDICT__CODE__REJECTED;
	Seve__Violation *const *all = v->n_violations ? v->violations : v->warnings;
	const size_t n = v->n_violations ? v->n_violations : v->n_warnings;
	const Seve__Violation *why = n ? all[0] : NULL;
	char id[UUID_TEXT] = "", text[ERROR_VIOLATIONS];
	struct uuid u;

	i->counts[code]++;
	if (!i->told)
		return;
	if (v->id.len == sizeof u.b) {
		memcpy(u.b, v->id.data, sizeof u.b);
		uuid_format(&u, id);
	}
	i->told(i->ctx, v->line, verdict_words[code], id, why && why->field ? why->field : "",
		why && why->code ? why->code : "",
		why      ? error_violations(all, n, text, sizeof text)
		: v->key ? v->key
			 : "");
}

static struct chunk *chunk_oldest(struct seve_import *i)
{
	struct chunk *c = &i->chunks[i->oldest];

	return c->busy ? c : NULL;
}

/* Tells what has come, in order. */
static void tell_ready(struct seve_import *i)
{
	struct chunk *c;

	while ((c = chunk_oldest(i)) && c->reply) {
		for (size_t k = 0; k < c->n; k++)
			tell(i, c->reply->rows[k]);
		chunk_reset(c);
		i->oldest = (i->oldest + 1) % CHUNKS;
		i->tries = 0;
	}
}

/* The first failure of those under way, once none is on its way any more. */
static struct err *first_failure(struct seve_import *i)
{
	struct err *first = NULL;

	for (size_t k = 0; k < CHUNKS; k++) {
		struct chunk *c = &i->chunks[(i->oldest + k) % CHUNKS];

		if (c->call)
			return NULL;
		if (c->busy && c->err.code && !first)
			first = &c->err;
	}
	return first;
}

static void pause_ms(struct seve_import *i, uint32_t ms)
{
	uint64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until)
		client_wait(i->s, until);
}

/* A new run of the same batch. */
static int renew(struct seve_import *i, struct err *e)
{
	int rc = run_begin(i, e);

	if (!rc)
		i->renewals++;
	return rc;
}

/* From the first row on: the caller learns of it by the failure that it gets. */
static int begin_again(struct seve_import *i, struct err *e)
{
	const struct err why = *e;
	int rc;

	if (i->renewals == RENEWALS_MAX) {
		err_prefix(e, "the connection has been lost %d times on the way", RENEWALS_MAX);
		return -(int)e->code;
	}
	*e = (struct err){0};
	rc = renew(i, e);
	if (rc)
		return rc;
	for (size_t k = 0; k < CHUNKS; k++)
		chunk_reset(&i->chunks[k]);
	i->filling = i->oldest = 0;
	memset(i->counts, 0, sizeof i->counts);
	i->again = true;
	*e = why;
	return -(int)e->code;
}

/* Begins anew and sends again what has no answer. */
static int resume(struct seve_import *i, const struct err *why, struct err *e)
{
	int rc = 0;

	*e = *why;
	if (!client_retryable(e) || ++i->tries >= CLIENT_TRIES)
		return -(int)e->code;
	if (i->dry_run && !i->rereads) {
		err_prefix(e, "the dry run was cut off");
		err_remedy(e, "start it again: nothing was written");
		return -(int)e->code;
	}
	pause_ms(i, client_backoff_ms(i->tries, e));
	if (i->rereads)
		return begin_again(i, e);
	*e = (struct err){0};
	rc = renew(i, e);
	for (size_t k = 0; !rc && k < CHUNKS; k++) {
		struct chunk *c = &i->chunks[(i->oldest + k) % CHUNKS];

		if (c->busy && !c->reply)
			rc = chunk_send(i, c, e);
	}
	return rc;
}

/* Waits until at most `left` chunks are under way. */
static int wait_chunks(struct seve_import *i, size_t left, struct err *e)
{
	for (;;) {
		size_t busy = 0;
		const struct err *failure;
		struct err why;
		int rc;

		tell_ready(i);
		for (size_t k = 0; k < CHUNKS; k++)
			busy += i->chunks[k].busy;
		if (busy <= left)
			return 0;
		failure = first_failure(i);
		if (!failure) {
			client_wait(i->s, UINT64_MAX);
			continue;
		}
		why = *failure; /* sending again clears it */
		rc = resume(i, &why, e);
		if (rc)
			return rc;
	}
}

/* ---- rows
 * ---------------------------------------------------------------------------------------------------------
 */

/* Sends the chunk that is being filled; then there is room for another. */
static int flush(struct seve_import *i, struct err *e)
{
	struct chunk *c = &i->chunks[i->filling];
	int rc;

	if (!c->n)
		return 0;
	rc = chunk_send(i, c, e);
	if (rc) {
		/* As if it had been lost on its way: the resumption sends it. */
		c->err = *e;
		c->call = 0;
	}
	i->filling = (i->filling + 1) % CHUNKS;
	return wait_chunks(i, CHUNKS - 1, e);
}

static int add_row(struct seve_import *i, uint32_t line, const char *key,
		   const struct seve_record *r, unsigned flags, struct err *e)
{
	struct chunk *c = &i->chunks[i->filling];
	Seve__ImportRow *row = arena_alloc(&c->arena, sizeof *row);
	int rc;

	if (!c->rows)
		c->rows = arena_array(&c->arena, CHUNK_ROWS, sizeof(Seve__ImportRow *));
	if (!row || !c->rows)
		return err_set(e, ERR_NOMEM, "row");
	seve__import_row__init(row);
	row->has_line = true;
	row->line = line;
	row->key = arena_strdup(&c->arena, key);
	row->has_remove = (flags & SEVE_IMPORT_REMOVE) != 0;
	row->remove = row->has_remove;
	row->has_revive = (flags & SEVE_IMPORT_REVIVE) != 0;
	row->revive = row->has_revive;
	row->has_base_rev = i->rev != 0;
	row->base_rev = i->rev;
	i->rev = 0;
	rc = row->key ? record_fields(r, &c->arena, row, e) : err_set(e, ERR_NOMEM, "row");
	if (rc)
		return rc;
	/* The caller's record may change or go: the chunk keeps a copy. */
	row = (Seve__ImportRow *)wire_dup(&c->arena, &row->base);
	if (!row)
		return err_set(e, ERR_NOMEM, "row");
	c->rows[c->n++] = row;
	c->bytes += seve__import_row__get_packed_size(row);
	return c->n == CHUNK_ROWS || c->bytes >= CHUNK_BYTES ? flush(i, e) : 0;
}

static int row_in(struct seve_import *i, uint32_t line, const char *key,
		  const struct seve_record *r, unsigned flags, struct err *e)
{
	int rc;

	if (i->failed.code) {
		*e = i->failed;
		return -(int)e->code;
	}
	i->again = false;
	if (!key || !*key || !r)
		return err_set(e, ERR_USAGE, "line %u: a row has a key and a record", line);
	if (r->kind != i->kind || !r->body)
		return err_set(e, ERR_USAGE, "line %u: a record of kind %s in an import of kind %s",
			       line, r->kind->name, i->kind->name);
	rc = add_row(i, line, key, r, flags, e);
	if (rc && !i->again)
		i->failed = *e;
	return rc;
}

/* ---- public
 * ----------------------------------------------------------------------------------------------------------
 */

int seve_import_begin(struct seve *s, uint32_t territory, const char *kind, const char *source,
		      const char *label, int dry_run, struct seve_import **out,
		      struct seve_error **err)
{
	struct seve_import *i = calloc(1, sizeof *i);
	struct err e = {0};

	if (!i) {
		err_set(&e, ERR_NOMEM, "import");
		return error_out(err, &e);
	}
	i->s = s;
	i->territory = territory;
	i->dry_run = dry_run != 0;
	i->label = label ? strdup(label) : NULL;
	for (size_t k = 0; k < CHUNKS; k++) {
		i->chunks[k].import = i;
		arena_init(&i->chunks[k].arena, CHUNK_ARENA_MAX);
		arena_init(&i->chunks[k].answer, CHUNK_ARENA_MAX);
	}
	if (!source || !*source || strlen(source) >= sizeof i->source)
		err_set(&e, ERR_INVALID, "source: names the partner's system, 1 to %zu bytes",
			sizeof i->source - 1);
	else
		memcpy(i->source, source, strlen(source) + 1);
	if (!e.code && record_kind(kind, &i->kind, &e) == 0)
		run_begin(i, &e);
	if (e.code)
		seve_import_free(i);
	else
		*out = i;
	return error_out(err, &e);
}

const char *seve_import_batch(const struct seve_import *i)
{
	return i->batch;
}

void seve_import_full(struct seve_import *i, int force)
{
	i->full = true;
	i->force = force != 0;
}

void seve_import_rereads(struct seve_import *i)
{
	i->rereads = true;
}

int seve_import_again(struct seve_import *i)
{
	const bool again = i->again;

	i->again = false;
	return again;
}

void seve_import_on_verdict(struct seve_import *i, seve_import_verdict fn, void *ctx)
{
	i->told = fn;
	i->ctx = ctx;
}

void seve_import_rev(struct seve_import *i, uint64_t rev)
{
	i->rev = rev;
}

int seve_import_row(struct seve_import *i, uint32_t line, const char *key,
		    const struct seve_record *r, unsigned flags, struct seve_error **err)
{
	struct err e = {0};

	row_in(i, line, key, r, flags, &e);
	return error_out(err, &e);
}

/* What the end brought: deletions, and the counts of the whole batch. */
static void end_read(struct seve_import *i, const Seve__ImportReply *reply)
{
	const Seve__ImportCounts *c = reply->counts;

	i->head_rev = reply->head_rev;
	for (size_t k = 0; k < reply->n_rows; k++)
		tell(i, reply->rows[k]);
	if (!c)
		return;
	i->counts[SEVE__ROW_VERDICT__CODE__CREATED] = c->created;
	i->counts[SEVE__ROW_VERDICT__CODE__UPDATED] = c->updated;
	i->counts[SEVE__ROW_VERDICT__CODE__UNCHANGED] = c->unchanged;
	i->counts[SEVE__ROW_VERDICT__CODE__ATTACHED] = c->attached;
	i->counts[SEVE__ROW_VERDICT__CODE__SKIPPED] = c->skipped;
	i->counts[SEVE__ROW_VERDICT__CODE__DELETED] = c->deleted;
	i->counts[SEVE__ROW_VERDICT__CODE__REJECTED] = c->rejected;
}

static int end_run(struct seve_import *i, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__ImportEnd end = SEVE__IMPORT_END__INIT;
	const Seve__Reply *reply;
	struct arena a;
	int rc;

	end.has_run = true;
	end.run = i->run;
	end.has_full = end.full = i->full;
	end.has_force = end.force = i->force;
	req.body_case = SEVE__REQUEST__BODY_IMPORT_END;
	req.import_end = &end;
	arena_init(&a, CHUNK_ARENA_MAX);
	rc = client_ask(i->s, &req, &a, false, true, &reply, e);
	if (!rc && reply->body_case != SEVE__REPLY__BODY_IMPORT)
		rc = err_set(e, ERR_PROTOCOL,
			     "the answer to the end of an import is of another kind");
	if (!rc)
		end_read(i, reply->import);
	arena_fini(&a);
	return rc;
}

static struct seve_table *report(const struct seve_import *i)
{
	static const char *const columns[] = {"created",  "updated",  "unchanged",
					      "attached", "skipped",  "deleted",
					      "rejected", "head_rev", NULL};
	struct seve_table *t = table_new(columns);

	table_row(t);
	for (int code = SEVE__ROW_VERDICT__CODE__CREATED; code < VERDICTS; code++)
		table_put(t, verdict_words[code], "%" PRIu64, i->counts[code]);
	table_put(t, "head_rev", "%" PRIu64, i->head_rev);
	return t;
}

/* Which keys the rows before a loss had, nobody knows: they must not pass for gone. */
static int full_check(const struct seve_import *i, struct err *e)
{
	if (!i->full || i->rereads || !i->renewals)
		return 0;
	err_set(e, ERR_PRECONDITION,
		"the connection was lost on the way: nothing is deleted after that");
	return err_remedy(e, "import it again: what was written stays and will be unchanged");
}

int seve_import_end(struct seve_import *i, struct seve_table **out, struct seve_error **err)
{
	struct err e = i->failed;
	int rc = -(int)e.code;

	i->again = false;
	if (!rc)
		rc = flush(i, &e);
	if (!rc)
		rc = wait_chunks(i, 0, &e);
	if (!rc)
		rc = full_check(i, &e);
	if (!rc)
		rc = end_run(i, &e);
	if (rc == -ERR_NOT_FOUND && i->rereads && !i->again)
		rc = begin_again(i,
				 &e); /* the server has begun anew, and knows nothing of the run */
	if (rc && !i->again)
		i->failed = e;
	if (!rc)
		table_finish(report(i), out, &e);
	return error_out(err, &e);
}

void seve_import_free(struct seve_import *i)
{
	if (!i)
		return;
	for (size_t k = 0; k < CHUNKS; k++) {
		if (i->chunks[k].call)
			session_cancel(&i->s->session, i->chunks[k].call);
		arena_fini(&i->chunks[k].arena);
		arena_fini(&i->chunks[k].answer);
	}
	free(i->label);
	free(i);
}

/* apply_revert.c -- one row of an import taken back: the record becomes what it was, the partner's
 * key stands for what it stood for.  Only where nothing has touched the record since. */
#include "apply_stage.h"

#include <stdio.h>

struct revert {
	struct stage_set s;
	const struct apply_revert *in;
	struct world_import *known;
	Seve__RowVerdict__Code code;
};

int apply_revert_needs(const struct apply_job *j, const struct apply_wants *w)
{
	const struct apply_revert *in = j->revert;
	int rc = w->import(w->ctx, j->territory, in->kind, in->source, in->key);

	if (!rc)
		rc = w->record(w->ctx, j->territory, &in->id, true);
	if (!rc)
		rc = apply_need_gone(j->territory, &in->id, in->kind, w);
	if (!rc && in->before && kind_of(in->before) == in->kind)
		rc = apply_need_values(j->territory, &in->id, in->kind, kind_message(in->before),
				       w);
	return rc;
}

/* After the remark that tells why. */
static enum stage_end skip(struct revert *r)
{
	r->code = SEVE__ROW_VERDICT__CODE__SKIPPED;
	return STAGE_REFUSED;
}

static enum stage_end put_back(struct revert *r, struct stage *st)
{
	if (!r->in->before || kind_of(r->in->before) != r->in->kind) {
		problem_add(&r->s.problems, true, "key", "GONE",
			    "what the import replaced has been purged");
		return skip(r);
	}
	st->next.deleted = false;
	st->backfill = true; /* its former state is no move */
	r->code = SEVE__ROW_VERDICT__CODE__UPDATED;
	return stage_put(&r->s, st, (Seve__Body *)(uintptr_t)r->in->before);
}

static enum stage_end take_away(struct revert *r, struct stage *st)
{
	st->next.deleted = true;
	st->next.body = NULL;
	st->acts = true;
	r->code = SEVE__ROW_VERDICT__CODE__DELETED;
	return STAGE_GOES_ON;
}

/* What undoes each thing that an import does to a record. */
static enum stage_end undo_effect(struct revert *r, struct stage *st)
{
	switch (r->in->effect) {
	case SEVE__ROW_VERDICT__CODE__CREATED:
	case IMPORT_REVIVED:
		return take_away(r, st);
	case SEVE__ROW_VERDICT__CODE__UPDATED:
	case SEVE__ROW_VERDICT__CODE__ATTACHED:
	case SEVE__ROW_VERDICT__CODE__DELETED:
		return put_back(r, st);
	default:
		problem_add(&r->s.problems, true, "key", "EFFECT",
			    "this server does not know what the import did here");
		return skip(r);
	}
}

static enum stage_end undo(struct revert *r)
{
	const struct apply_revert *in = r->in;
	struct stage *st;

	if (!r->known->known || uuid_cmp(&r->known->batch, &in->batch)) {
		problem_add(&r->s.problems, true, "key", "LATER",
			    "a later import has brought this row again");
		return skip(r);
	}
	if (in->effect == SEVE__ROW_VERDICT__CODE__UNCHANGED) {
		r->code = SEVE__ROW_VERDICT__CODE__UNCHANGED;
		return STAGE_GOES_ON;
	}
	st = stage_open(&r->s, in->id.b, in->kind);
	if (!st)
		return STAGE_FAILED;
	/* A record that this transaction has touched already was found in order then. */
	if (!st->next.exists ||
	    (!st->target->dirty && st->next.rev != in->rev && st->next.rev != in->own_rev)) {
		problem_add(&r->s.problems, true, "key", "EDITED",
			    "the record has been edited since the import: it stays");
		return skip(r);
	}
	return undo_effect(r, st);
}

/* The key stands for what it stood for before the import; for nothing, if that had brought it. */
static void forget(struct world *w, struct world_import *k)
{
	world_touch_import(w, k);
	if (!k->previous_values) {
		k->drop = true;
		k->known = false;
		return;
	}
	k->last_values = k->previous_values;
	memcpy(k->hash, k->previous_hash, sizeof k->hash);
	k->previous_values = NULL;
	k->batch = (struct uuid){{0}};
	k->effect = 0;
}

/* A record that loses the last reference of an importer's source leaves that source, which is what
 * taking back means: the result is checked as anybody's. */
static enum stage_end check(struct revert *r, const char *reason)
{
	struct apply_author *author = &r->s.job->author;
	const char *source = author->source;
	enum stage_end end;

	author->source = NULL;
	end = stage_check(&r->s, reason);
	author->source = source;
	return end;
}

static int revert_run(struct revert *r)
{
	struct arena *a = r->s.world->arena;
	enum stage_end end = undo(r);
	const char *reason = arena_printf(a, APPLY_REASON_REVERT, r->in->source);

	if (!reason)
		return -ERR_NOMEM;
	if (end == STAGE_GOES_ON)
		end = check(r, reason);
	if (end == STAGE_FAILED)
		return -ERR_NOMEM;
	if (end != STAGE_GOES_ON) {
		if (r->code != SEVE__ROW_VERDICT__CODE__SKIPPED)
			r->code = SEVE__ROW_VERDICT__CODE__REJECTED;
		return 0;
	}
	if (!stage_commit(&r->s, reason, 0))
		return -ERR_NOMEM;
	forget(r->s.world, r->known);
	return 0;
}

int apply_revert_row(struct world *w, struct apply_job *j, struct err *e)
{
	struct revert r = {.s = {.world = w, .job = j}, .in = j->revert};
	Seve__RowVerdict *v = arena_alloc(w->arena, sizeof *v);

	r.known = world_import(w, j->territory, r.in->kind, r.in->source, r.in->key, true);
	if (!v || !r.known || revert_run(&r))
		return err_set(e, ERR_NOMEM, "taking an import back");
	seve__row_verdict__init(v);
	v->has_code = true;
	v->code = r.code;
	v->key = arena_strdup(w->arena, r.in->key);
	v->has_id = true;
	v->id = (ProtobufCBinaryData){16, arena_memdup(w->arena, r.in->id.b, 16)};
	if (!v->key || !v->id.data ||
	    stage_violations(&r.s, &v->violations, &v->n_violations, &v->warnings, &v->n_warnings))
		return err_set(e, ERR_NOMEM, "taking an import back");
	j->row = v;
	return 0;
}

/* apply.c -- see apply.h: mutations.  Import rows are in apply_import.c, what both share in
 * apply_stage.c. */
#include "apply_stage.h"

#include "bug.h"
#include "conflict.h"
#include "merge_patch.h"
#include "sha256.h"
#include "wire.h"

/* ---- what a mutation needs ------------------------------------------------------------------ */

struct ref_wish {
	const struct apply_wants *w;
	uint32_t territory;
};

static int want_ref(void *ctx, const field_desc *field, const struct kind *target,
		    const uint8_t id[16])
{
	struct ref_wish *r = ctx;
	struct uuid u;

	(void)field;
	(void)target;
	memcpy(u.b, id, sizeof u.b);
	return r->w->record(r->w->ctx, r->territory, &u, false);
}

/* ---- what rules need ---- */

struct rule_wish {
	const struct apply_wants *w;
	uint32_t territory;
	const struct uuid *id;
	const struct kind *kind;
	const ProtobufCMessage *m; /* the fields that the change sets */
};

/* One id that `through` names in the change itself. */
static int want_from(const struct rule_wish *x, const struct need *n, const struct uuid *origin,
		     uint32_t through)
{
	const struct apply_wants *w = x->w;
	const struct kind *k = kind_by_number(n->kind);

	switch (n->how) {
	case NEED_SIBLINGS:
		return w->needed(w->ctx, x->territory, origin, through, k,
				 field_by_name(k, n->field)->id);
	case NEED_VIA:
		return w->named(w->ctx, x->territory, origin, through,
				field_by_name(k, n->field)->id);
	case NEED_ABROAD:
		return w->abroad(w->ctx, x->territory, origin, through);
	case NEED_NAMED:
		return through ? w->named(w->ctx, x->territory, origin, 0, through)
			       : w->record(w->ctx, x->territory, origin, true);
	case NEED_POINTING:
	case NEED_ALL:
		break;
	}
	return 0;
}

/* By way of a reference: of the change, and of the record as the database has it. */
static int want_through(const struct rule_wish *x, const struct need *n)
{
	const field_desc *through = field_by_name(x->kind, n->through);
	size_t count = 0;
	int rc = want_from(x, n, x->id, through->id);

	if (!x->m)
		count = 0;
	else if (field_type(through) == FIELD_IDS)
		count = field_count(x->m, through);
	else if (field_present(x->m, through))
		count = 1;
	for (size_t i = 0; !rc && i < count; i++) {
		const ProtobufCBinaryData *one =
			field_type(through) == FIELD_IDS
				? &(*(ProtobufCBinaryData *const *)field_at(x->m, through))[i]
				: field_at(x->m, through);
		struct uuid u;

		if (one->len != sizeof u.b)
			continue; /* refused later */
		memcpy(u.b, one->data, sizeof u.b);
		rc = want_from(x, n, &u, 0);
	}
	return rc;
}

static int rule_needs(const struct rule_wish *x, const struct rule *r)
{
	const struct apply_wants *w = x->w;
	const struct need *n;
	int rc = 0;

	for (size_t i = 0; !rc && (n = rules_need(r, i)); i++) {
		const struct kind *k = kind_by_number(n->kind);

		if (n->how == NEED_POINTING)
			rc = w->needed(w->ctx, x->territory, x->id, 0, k,
				       field_by_name(k, n->field)->id);
		else if (n->how == NEED_ALL)
			rc = w->all(w->ctx, x->territory, k);
		else
			rc = want_through(x, n);
	}
	return rc;
}

int apply_need_values(uint32_t territory, const struct uuid *id, const struct kind *k,
		      const ProtobufCMessage *m, const struct apply_wants *w)
{
	struct ref_wish refs = {w, territory};
	int rc = field_each_ref(k, m, want_ref, &refs);

	for (unsigned i = 0; !rc && i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const char *value;

		if (!(field_rule(k, fd).flags & FIELD_UNIQUE) || !field_present(m, fd))
			continue;
		value = *(char *const *)((const char *)m + fd->offset);
		rc = w->unique(w->ctx, territory, k, fd, value);
	}
	for (size_t i = 0; !rc && i < rules_count(); i++) {
		const struct rule *r = rules_at(i);

		if (r->kind == k->number && !r->gone && r->concerns(NULL, m))
			rc = rule_needs(&(struct rule_wish){w, territory, id, k, m}, r);
	}
	return rc;
}

int apply_need_gone(uint32_t territory, const struct uuid *id, const struct kind *k,
		    const struct apply_wants *w)
{
	int rc = w->referrers(w->ctx, territory, id);

	for (size_t i = 0; !rc && i < rules_count(); i++) {
		const struct rule *r = rules_at(i);

		if (r->kind == k->number && r->gone)
			rc = rule_needs(&(struct rule_wish){w, territory, id, k, NULL}, r);
	}
	return rc;
}

/* Whether the change may move the level: the conflicts about the record move with it. */
static bool moves_level(const Seve__Change *c)
{
	for (size_t i = 0; i < c->n_mask; i++)
		if (c->mask[i] == META_TAG + MERGE_META_LEVEL)
			return c->op == SEVE__CHANGE__OP__OP_UPDATE;
	return false;
}

static int change_needs(const struct apply_job *j, const Seve__Change *c,
			const struct apply_wants *w)
{
	const struct kind *k = kind_by_number(c->kind);
	struct uuid id;
	int rc;

	if (!k || !uuid_is_record_id(c->id.data, c->id.len))
		return 0; /* refused later, without looking at anything */
	memcpy(id.b, c->id.data, sizeof id.b);
	rc = w->record(w->ctx, j->territory, &id, true);
	if (!rc && c->base_mid)
		rc = w->prior(w->ctx, j->territory, &j->author.client, c->base_mid);
	if (!rc && c->op == SEVE__CHANGE__OP__OP_DELETE)
		rc = apply_need_gone(j->territory, &id, k, w);
	if (!rc && c->op == SEVE__CHANGE__OP__OP_RESTORE)
		rc = w->last_version(w->ctx, j->territory, &id);
	if (!rc && moves_level(c))
		rc = w->needed(w->ctx, j->territory, &id, 0, conflict_kind(), 1 /* record_id */);
	if (!rc && conflict_is(k) && j->author.own)
		rc = w->named(w->ctx, j->territory, &id, 0, 1 /* record_id */);
	if (!rc && c->set && kind_of(c->set) == k)
		rc = apply_need_values(j->territory, &id, k, kind_message(c->set), w);
	if (!rc && c->add && kind_of(c->add) == k)
		rc = apply_need_values(j->territory, &id, k, kind_message(c->add), w);
	return rc;
}

int apply_needs(const struct apply_job *j, const struct apply_wants *w)
{
	const Seve__Mutation *m = j->mutation;
	int rc;

	if (j->erase)
		return apply_erase_needs(j, w);
	if (!m)
		return j->revert ? apply_revert_needs(j, w) : apply_import_needs(j, w);
	rc = w->prior(w->ctx, j->territory, &j->author.client, m->mid);
	for (size_t i = 0; !rc && i < m->n_changes && i < APPLY_CHANGES_MAX; i++)
		rc = change_needs(j, m->changes[i], w);
	return rc;
}

/* ---- one change -------------------------------------------------------------------------------
 */

/* Fields that somebody else wrote after `base`: a deletion would take them away unseen. */
bool apply_others_wrote(const struct field_revs *revs, uint64_t base, uint64_t writer)
{
	for (size_t i = 0; i < revs->n; i++)
		if (revs->list[i].rev > base && revs->list[i].writer != writer)
			return true;
	return false;
}

static enum stage_end change_create(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	Seve__Body *body;

	if (st->next.exists)
		return stage_refuse(s, "id", "EXISTS", "a record with this id exists already");
	if ((st->next.kind->flags & KIND_ONLINE) && !s->job->author.internal)
		return stage_refuse(s, "kind", "ONLINE",
				    "a %s is made by the server's own method, not by an edit",
				    st->next.kind->name);
	if (merge_overlay(s->world->arena, st->next.kind, NULL, c, &body, &s->err))
		return stage_error(s);
	st->whole = true;
	return stage_put(s, st, body);
}

static enum stage_end change_update(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	struct merge m;

	if (st->next.deleted)
		return stage_clash(s, st, NULL, 0);
	if (merge_update(s->world->arena, st->next.kind, st->next.body, st->next.rev,
			 &st->next.revs, s->job->author.client_short, c, &m, &s->err))
		return stage_error(s);
	if (m.result == MERGE_CONFLICT && !m.partial)
		return stage_clash(s, st, m.clash, m.n_clash);
	if (m.partial && stage_clash(s, st, m.clash, m.n_clash) != STAGE_CLASH)
		return STAGE_FAILED;
	if (m.partial || m.result == MERGE_MERGED)
		st->merged = true;
	if (!m.n_changed)
		return STAGE_GOES_ON;
	if (stage_wrote(s, st, m.changed, m.n_changed))
		return STAGE_FAILED;
	return stage_put(s, st, m.body);
}

static enum stage_end change_delete(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	if (st->next.deleted)
		return STAGE_GOES_ON; /* as wished: unchanged */
	if (apply_others_wrote(&st->next.revs, c->base_rev, s->job->author.client_short))
		return stage_clash(s, st, NULL, 0);
	st->next.deleted = true;
	st->next.body = NULL;
	st->acts = st->whole = true;
	return STAGE_GOES_ON;
}

static enum stage_end change_restore(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	if (!st->next.deleted)
		return STAGE_GOES_ON;
	if (c->base_rev != st->next.rev)
		return stage_clash(s, st, NULL, 0);
	if (!st->next.last_body)
		return stage_refuse(s, "id", "GONE", "the record's last version has been purged");
	st->next.deleted = false;
	st->whole = true;
	return stage_put(s, st, (Seve__Body *)(uintptr_t)st->next.last_body);
}

/* Whether anything is added to, or removed from, a set. */
static bool edits_sets(const struct kind *k, const Seve__Body *b)
{
	const ProtobufCMessage *m = b && kind_of(b) == k ? kind_message(b) : NULL;

	for (unsigned i = 0; m && i < k->desc->n_fields; i++)
		if (field_present(m, &k->desc->fields[i]))
			return true;
	return b && b->meta && b->meta->n_refs;
}

/* The fields of the own action that its pilot may write. */
static bool mask_for_pilots(const Seve__Change *c, const struct kind *k)
{
	for (size_t i = 0; i < c->n_mask; i++) {
		const field_desc *fd = field_by_tag(k, c->mask[i]);

		if (!fd || !(field_rule(k, fd).flags & FIELD_PILOT))
			return false;
	}
	return !edits_sets(k, c->add) && !edits_sets(k, c->remove);
}

/* Of a role that is bound to one actor or action: the record as it is must be in reach; what comes
 * of it is checked with the result (stage_check). */
static enum stage_end change_own(struct stage_set *s, const Seve__Change *c, const struct stage *st)
{
	const struct apply_author *a = &s->job->author;
	const struct kind *k = st->next.kind;

	if (st->next.exists && !st->next.deleted &&
	    !stage_own(a, k, &st->target->key.id, st->next.body))
		return stage_refuse(s, k->name, "DENIED",
				    "%s may write only what belongs to the own actor or action",
				    a->account);
	if (strcmp(k->name, "action"))
		return STAGE_GOES_ON;
	if (c->op != SEVE__CHANGE__OP__OP_UPDATE)
		return stage_refuse(s, "action", "DENIED",
				    "a pilot neither makes nor deletes actions: ask a facilitator");
	if (!mask_for_pilots(c, k))
		return stage_refuse(s, "action", "DENIED",
				    "a pilot writes an action's status, cause, progress and next "
				    "step: ask a facilitator for the rest");
	return STAGE_GOES_ON;
}

/* Whether the author may touch this record at all.  `held`: what it builds upon is kept in a
 * conflict, and may be the record's own creation. */
static enum stage_end change_allowed(struct stage_set *s, const Seve__Change *c,
				     const struct stage *st, bool held)
{
	const struct apply_author *a = &s->job->author;
	const struct kind *k = kind_by_number(c->kind);
	bool there = st->next.exists ? apply_reads(a, &st->next) : held;

	/* Conflicts are decided by who may write what they are about: conflict_change() looks. */
	if (!(k->writers & (a->writes | a->own)) && !(conflict_is(k) && a->own))
		return stage_refuse(s, k->name, "DENIED",
				    "%s may not write records of kind %s here", a->account,
				    k->name);
	if (c->op != SEVE__CHANGE__OP__OP_CREATE && !there)
		return stage_refuse(s, "id", "GONE",
				    "there is no such %s (any more) in this territory", k->name);
	if (st->next.exists && st->next.kind != k)
		return stage_refuse(s, "kind", "KIND",
				    "this id belongs to a record of another kind");
	if (a->source && st->next.exists && !stage_carries(st->next.body, a->source))
		return stage_refuse(s, "refs", "DENIED",
				    "the record does not carry a reference of source %s",
				    a->source);
	/* Before anything of the change could be kept in a conflict. */
	if (apply_is_erased(k, st->next.body))
		return stage_refuse(s, k->name, "ERASED",
				    "the person's data were erased: the row stays as it is; add "
				    "another %s",
				    k->name);
	return k->writers & a->writes || conflict_is(k) ? STAGE_GOES_ON : change_own(s, c, st);
}

/* A change whose parent was refused is refused; one whose parent is kept in a conflict goes there
 * too. */
static enum stage_end change_parent(struct stage_set *s, const Seve__Change *c)
{
	const struct world_prior *p;

	if (!c->base_mid)
		return STAGE_GOES_ON;
	p = world_prior(s->world, s->job->territory, &s->job->author.client, c->base_mid, false);
	if (!p ||
	    (p->code != SEVE__VERDICT__CODE__REJECTED && p->code != SEVE__VERDICT__CODE__CONFLICT))
		return STAGE_GOES_ON;
	s->depends_on = c->base_mid;
	if (p->code == SEVE__VERDICT__CODE__CONFLICT)
		return STAGE_CLASH;
	return stage_refuse(s, "base_mid", "DEPENDS",
			    "depends on mutation %llu, which was rejected: mend that one first",
			    (unsigned long long)c->base_mid);
}

static enum stage_end change_run(struct stage_set *s, const Seve__Change *c, struct stage *st)
{
	static enum stage_end (*const acts[])(struct stage_set *, const Seve__Change *,
					      struct stage *) = {
		[SEVE__CHANGE__OP__OP_CREATE] = change_create,
		[SEVE__CHANGE__OP__OP_UPDATE] = change_update,
		[SEVE__CHANGE__OP__OP_DELETE] = change_delete,
		[SEVE__CHANGE__OP__OP_RESTORE] = change_restore,
	};

	if (conflict_is(st->next.kind) && c->op != SEVE__CHANGE__OP__OP_CREATE)
		return conflict_change(s, c, st);
	return acts[c->op](s, c, st);
}

static enum stage_end change_form(struct stage_set *s, const Seve__Change *c)
{
	if (!kind_by_number(c->kind))
		return stage_refuse(
			s, "kind", "SCHEMA_TOO_NEW",
			"kind %u is not known to this server: it is older than the client",
			c->kind);
	if (!uuid_is_record_id(c->id.data, c->id.len))
		return stage_refuse(s, "id", "FORMAT",
				    "a record id is 16 bytes, UUID version 7 or 8");
	if (c->op < SEVE__CHANGE__OP__OP_CREATE || c->op > SEVE__CHANGE__OP__OP_RESTORE)
		return stage_refuse(s, "op", "INVALID", "unknown operation %d", (int)c->op);
	return STAGE_GOES_ON;
}

static enum stage_end change_apply(struct stage_set *s, const Seve__Change *c)
{
	enum stage_end end = change_form(s, c), parent;
	struct stage *st;

	if (end != STAGE_GOES_ON)
		return end;
	parent = change_parent(s, c);
	if (parent == STAGE_REFUSED)
		return parent;
	st = stage_open(s, c->id.data, kind_by_number(c->kind));
	if (!st)
		return stage_error(s);
	end = change_allowed(s, c, st, parent == STAGE_CLASH);
	if (end != STAGE_GOES_ON)
		return end;
	if (parent == STAGE_CLASH && !conflict_is(st->next.kind))
		return stage_clash(s, st, NULL, 0);
	return change_run(s, c, st);
}

/* ---- one mutation -----------------------------------------------------------------------------
 */

/* Runs the changes until one of them ends the matter, then the checks on the resulting state. */
static enum stage_end mutation_changes(struct stage_set *s, const Seve__Mutation *m)
{
	enum stage_end end = STAGE_GOES_ON;
	bool clash = false;

	if (s->job->refuse)
		return stage_refuse(s, "changes", "DATABASE", "the database refused it: %s",
				    s->job->refuse);
	if (!m->n_changes || m->n_changes > APPLY_CHANGES_MAX)
		return stage_refuse(s, "changes", "INVALID",
				    "a mutation holds 1 to %d changes, this one %zu",
				    APPLY_CHANGES_MAX, m->n_changes);
	for (size_t i = 0; i < m->n_changes && end == STAGE_GOES_ON; i++) {
		end = change_apply(s, m->changes[i]);
		clash |= end == STAGE_CLASH;
		/* What the others are is looked at too: a refusal goes before a conflict. */
		if (end == STAGE_CLASH)
			end = STAGE_GOES_ON;
	}
	if (end != STAGE_GOES_ON)
		return end;
	return clash ? STAGE_CLASH : stage_check(s, m->reason);
}

static bool mutation_clashes(const struct stage_set *s, enum stage_end end)
{
	return end == STAGE_CLASH || (end == STAGE_GOES_ON && stage_clashes(s));
}

/* The verdict of an earlier delivery of the same mutation. */
static int mutation_replay(struct world *w, struct apply_job *j, const struct world_prior *p,
			   struct err *e)
{
	ProtobufCMessage *v;

	if (memcmp(p->hash, j->hash, sizeof p->hash))
		return err_set(e, ERR_MID_REUSED,
			       "mutation %llu was sent before with other content",
			       (unsigned long long)j->mutation->mid);
	j->replayed = true;
	if (p->given) {
		j->verdict = (Seve__Verdict *)(uintptr_t)p->given;
		return 0;
	}
	if (wire_unpack(w->arena, &seve__verdict__descriptor, p->verdict.at, p->verdict.len, &v, e))
		return -(int)e->code;
	j->verdict = (Seve__Verdict *)v;
	return 0;
}

/* Mids come without gaps: a gap means that an earlier mutation of this client is still on its way.
 */
static int mutation_in_order(struct world *w, const struct apply_job *j, struct world_prior **last,
			     struct err *e)
{
	*last = world_prior(w, j->territory, &j->author.client, 0, true);
	if (!*last)
		return err_set(e, ERR_NOMEM, "mutation");
	if (j->mutation->mid == (*last)->last_mid + 1 ||
	    (SEVE_BUG(no_mid_check) && j->mutation->mid <= (*last)->last_mid))
		return 0;
	return err_set(e, ERR_OUT_OF_ORDER, "mutation %llu came where %llu is next",
		       (unsigned long long)j->mutation->mid,
		       (unsigned long long)(*last)->last_mid + 1);
}

static int mutation_settle(struct stage_set *s, enum stage_end end, Seve__Verdict *v)
{
	const Seve__Mutation *m = s->job->mutation;

	v->has_mid = true;
	v->mid = m->mid;
	v->has_code = true;
	if (mutation_clashes(s, end)) {
		const enum stage_end kept = conflict_prepare(s, m, end == STAGE_CLASH);

		end = kept == STAGE_GOES_ON ? end : kept;
	}
	switch (end) {
	case STAGE_GOES_ON:
		v->code = stage_commit(s, m->reason, m->client_time_ms);
		if (v->code == SEVE__VERDICT__CODE__UNSPECIFIED || conflict_write(s, m))
			return -ERR_NOMEM;
		break;
	case STAGE_CLASH:
		v->code = SEVE__VERDICT__CODE__CONFLICT;
		if (conflict_write(s, m))
			return -ERR_NOMEM;
		break;
	case STAGE_REFUSED:
		v->code = SEVE__VERDICT__CODE__REJECTED;
		break;
	case STAGE_FAILED:
		return -ERR_NOMEM;
	}
	v->has_depends_on_mid = s->depends_on != 0;
	v->depends_on_mid = s->depends_on;
	if (stage_violations(s, &v->violations, &v->n_violations, &v->warnings, &v->n_warnings))
		return -ERR_NOMEM;
	return stage_outcomes(s, v);
}

int apply_job(struct world *w, struct apply_job *j, struct err *e)
{
	struct stage_set s;
	struct world_prior *prior, *last;
	enum stage_end end;
	Seve__Verdict *v;
	struct span bytes;
	int rc;

	if (j->erase)
		return apply_erase(w, j, e);
	if (!j->mutation)
		return j->revert ? apply_revert_row(w, j, e) : apply_import_row(w, j, e);
	bytes = j->packed.at ? j->packed : wire_pack(w->arena, &j->mutation->base);
	prior = world_prior(w, j->territory, &j->author.client, j->mutation->mid, true);
	v = arena_alloc(w->arena, sizeof *v);
	if (!bytes.at || !prior || !v)
		return err_set(e, ERR_NOMEM, "mutation");
	sha256(bytes.at, bytes.len, j->hash);
	if (prior->code && !SEVE_BUG(no_mid_check))
		return mutation_replay(w, j, prior, e);
	rc = mutation_in_order(w, j, &last, e);
	if (rc)
		return rc;
	stage_init(&s, w, j);
	end = mutation_changes(&s, j->mutation);
	if (mutation_clashes(&s, end) && !j->explained)
		return APPLY_MORE;
	seve__verdict__init(v);
	if (mutation_settle(&s, end, v))
		return err_set(e, ERR_NOMEM, "mutation");
	memcpy(prior->hash, j->hash, sizeof prior->hash);
	prior->code = v->code;
	prior->given = v;
	last->last_mid = j->mutation->mid;
	j->verdict = v;
	return 0;
}

int apply_preview(struct world *w, struct apply_job *j, struct problems *out, struct err *e)
{
	struct stage_set s = {.world = w, .job = j};

	if (mutation_changes(&s, j->mutation) == STAGE_FAILED)
		return err_set(e, ERR_NOMEM, "mutation");
	*out = s.problems;
	return 0;
}

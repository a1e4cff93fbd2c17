/* apply_erase.c -- a person's data are taken out of a record: the row stays, under its reference as
 * its name, so that what refers to it goes on referring.  The conflicts about it lose their values
 * and are over.  What else holds its values is scrubbed by whoever stores (server/pg/places.def);
 * from now on nobody writes the record again. */
#include "apply_stage.h"

#include "conflict.h"

static const field_desc *erased_at(const struct kind *k)
{
	return k ? field_by_name(k, "erased_at") : NULL;
}

bool apply_is_erased(const struct kind *k, const Seve__Body *body)
{
	const field_desc *fd = erased_at(k);

	return fd && body && kind_of(body) == k && field_present(kind_message(body), fd);
}

int apply_erase_needs(const struct apply_job *j, const struct apply_wants *w)
{
	int rc = w->record(w->ctx, j->territory, &j->erase->id, true);

	if (!rc)
		rc = w->last_version(w->ctx, j->territory, &j->erase->id);
	return rc ? rc
		  : w->needed(w->ctx, j->territory, &j->erase->id, 0, conflict_kind(),
			      1 /* record_id */);
}

/* The record without the person: the name that it must have is its reference. */
static Seve__Body *blank(const struct stage_set *s, const struct kind *k, uint32_t ref_no,
			 const Seve__Body *from)
{
	struct arena *a = s->world->arena;
	Seve__Body *body = stage_own_body(a, from);
	ProtobufCMessage *m = arena_memdup(a, kind_message(from), k->desc->sizeof_message);
	ProtobufCMessage *none = arena_alloc(a, k->desc->sizeof_message);
	char ref[16];
	char *name;

	if (!body || !m || !none)
		return NULL;
	protobuf_c_message_init(k->desc, none);
	kind_format_ref(k, ref_no, ref);
	name = arena_strdup(a, ref);
	if (!name)
		return NULL;
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];
		const unsigned flags = field_rule(k, fd).flags;

		if (!(flags & FIELD_PERSONAL))
			continue;
		field_copy(m, none, fd);
		if (flags & FIELD_REQUIRED)
			*(char **)((char *)m + fd->offset) = name;
	}
	field_put_int(m, erased_at(k), s->world->now_ms);
	kind_set_message(k, body, m);
	body->meta->n_refs = 0;
	body->meta->refs = NULL;
	return body;
}

static enum stage_end erase_record(struct stage_set *s, struct stage *st)
{
	const struct apply_author *a = &s->job->author;
	const struct kind *k = st->next.kind;
	const Seve__Body *from = st->next.deleted ? st->next.last_body : st->next.body;

	if (!st->next.exists || !apply_reads(a, &st->next))
		return stage_refuse(s, "id", "GONE", "there is no such record in this territory");
	if (!erased_at(k))
		return stage_refuse(s, "kind", "KIND", "a %s holds no personal data", k->name);
	if (!(k->writers & a->writes))
		return stage_refuse(s, k->name, "DENIED",
				    "%s may not write records of kind %s here", a->account,
				    k->name);
	if (!from || kind_of(from) != k)
		return stage_refuse(s, "id", "GONE", "the record's last version has been purged");
	if (apply_is_erased(k, from) && !st->next.deleted)
		return STAGE_GOES_ON; /* again: what else holds its values is looked at again */
	st->next.deleted = false;     /* the row stays, so that no import brings it back */
	st->whole = true;
	Seve__Body *body = blank(s, k, st->target->ref_no, from);
	return body ? stage_put(s, st, body) : STAGE_FAILED;
}

static int erase_run(struct stage_set *s)
{
	struct stage *st = stage_open(s, s->job->erase->id.b, NULL);
	enum stage_end end;

	if (!st)
		return -ERR_NOMEM;
	end = world_head(s->world, s->job->territory, false)
		      ? erase_record(s, st)
		      : stage_refuse(s, "territory", "GONE", "there is no territory %u",
				     s->job->territory);
	if (end == STAGE_FAILED)
		return -ERR_NOMEM;
	if (end != STAGE_GOES_ON)
		return 0;
	if (!stage_commit(s, APPLY_REASON_ERASED, 0))
		return -ERR_NOMEM;
	return conflict_blank(s, st->target, APPLY_REASON_ERASED);
}

int apply_erase(struct world *w, struct apply_job *j, struct err *e)
{
	struct stage_set s;
	Seve__RowVerdict *v = arena_alloc(w->arena, sizeof *v);

	stage_init(&s, w, j);
	if (!v || erase_run(&s))
		return err_set(e, ERR_NOMEM, "erasing");
	seve__row_verdict__init(v);
	v->has_code = true;
	v->code = s.problems.errors ? SEVE__ROW_VERDICT__CODE__REJECTED
				    : SEVE__ROW_VERDICT__CODE__UPDATED;
	if (stage_violations(&s, &v->violations, &v->n_violations, &v->warnings, &v->n_warnings))
		return err_set(e, ERR_NOMEM, "erasing");
	j->row = v;
	return 0;
}

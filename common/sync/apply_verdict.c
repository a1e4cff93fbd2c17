/* apply_verdict.c -- what the author of a mutation is told: why it was refused, and what became of
 * each record. */
#include "apply_stage.h"

/* The pattern is a literal of the source, or missing: then the text alone tells. */
static int put_phrase(struct arena *a, Seve__Violation *v, const struct phrase *p)
{
	if (!p->pattern)
		return 0;
	v->args = arena_array(a, p->n + 1, sizeof *v->args);
	if (!v->args)
		return -ERR_NOMEM;
	v->phrase = (char *)(uintptr_t)p->pattern;
	const char *at = p->args;
	for (; v->n_args < p->n; v->n_args++, at += strlen(at) + 1) {
		v->args[v->n_args] = arena_strdup(a, at);
		if (!v->args[v->n_args])
			return -ERR_NOMEM;
	}
	return 0;
}

int stage_violations(struct stage_set *s, Seve__Violation ***errors, size_t *n_errors,
		     Seve__Violation ***warnings, size_t *n_warnings)
{
	struct arena *a = s->world->arena;
	const struct problems *p = &s->problems;

	*n_errors = *n_warnings = 0;
	if (!p->n)
		return 0;
	*errors = arena_array(a, p->n, sizeof **errors);
	*warnings = arena_array(a, p->n, sizeof **warnings);
	if (!*errors || !*warnings)
		return -ERR_NOMEM;
	for (size_t i = 0; i < p->n; i++) {
		Seve__Violation *v = arena_alloc(a, sizeof *v);

		if (!v)
			return -ERR_NOMEM;
		seve__violation__init(v);
		v->field = arena_strdup(a, p->list[i].field);
		v->code = arena_strdup(a, p->list[i].code);
		v->text = arena_strdup(a, p->list[i].text);
		if (!v->field || !v->code || !v->text || put_phrase(a, v, &p->list[i].phrase))
			return -ERR_NOMEM;
		if (p->list[i].warning)
			(*warnings)[(*n_warnings)++] = v;
		else
			(*errors)[(*n_errors)++] = v;
	}
	return 0;
}

int stage_outcomes(struct stage_set *s, Seve__Verdict *v)
{
	bool told = v->code != SEVE__VERDICT__CODE__REJECTED;

	v->outcomes = arena_array(s->world->arena, s->n + 1, sizeof *v->outcomes);
	if (!v->outcomes)
		return -ERR_NOMEM;
	for (size_t i = 0; told && i < s->n; i++) {
		const struct stage *st = &s->list[i];
		const struct world_record *r = st->target;
		Seve__Outcome *o = st->outcome;

		o->has_id = true;
		o->id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)r->key.id.b};
		o->has_rev = true;
		o->rev = r->rev;
		o->has_ref_no = r->ref_no != 0;
		o->ref_no = r->ref_no;
		o->has_deleted = r->deleted;
		o->deleted = r->deleted;
		/* Of a record that was so already, the rev may be another's, whose other fields the
		 * author has not seen.  Of a conflict, more is written than what its author sent.
		 */
		if (st->merged || st->clashed || (!st->acts && !r->deleted) || conflict_is(r->kind))
			o->body = (Seve__Body *)(uintptr_t)r->body;
		v->outcomes[v->n_outcomes++] = o;
	}
	return 0;
}

/* outbox.c -- see outbox.h. */
#include "outbox.h"

#include <string.h>

#include "wire.h"

static const char *const words[] = {
	[OUTBOX_PENDING] = "pending",   [OUTBOX_SENT] = "sent", [OUTBOX_CONFLICT] = "conflict",
	[OUTBOX_REJECTED] = "rejected", [OUTBOX_DONE] = "done",
};

const char *outbox_word(enum outbox_state s)
{
	return s <= OUTBOX_DONE ? words[s] : "unknown";
}

bool outbox_waits(enum outbox_state s)
{
	return s == OUTBOX_PENDING || s == OUTBOX_SENT;
}

/* ---- showing ------------------------------------------------------------------------------------
 */

int outbox_fold(struct arena *a, struct outbox_view *v, const Seve__Change *c, struct err *e)
{
	const struct kind *k = kind_by_number(c->kind);
	Seve__Body *body;
	int rc;

	if (!k || (v->kind && v->kind != k))
		return 0;
	switch (c->op) {
	case SEVE__CHANGE__OP__OP_CREATE:
		rc = merge_overlay(a, k, NULL, c, &body, e);
		if (rc)
			return rc;
		*v = (struct outbox_view){
			.kind = k, .rev = v->rev, .ref_no = v->ref_no, .body = body};
		return 0;
	case SEVE__CHANGE__OP__OP_UPDATE:
		if (!v->kind || v->deleted || !v->body)
			return 0;
		rc = merge_overlay(a, k, v->body, c, &body, e);
		if (!rc)
			v->body = body;
		return rc;
	case SEVE__CHANGE__OP__OP_DELETE:
		if (v->kind) {
			v->deleted = true;
			v->body = NULL;
		}
		return 0;
	case SEVE__CHANGE__OP__OP_RESTORE: /* what comes back is known to the server alone */
	case SEVE__CHANGE__OP__OP_UNSPECIFIED:
	case _SEVE__CHANGE__OP_IS_INT_SIZE:
		break;
	}
	return 0;
}

/* ---- settling
 * ------------------------------------------------------------------------------------- */

const Seve__Outcome *outbox_conflict(const Seve__Verdict *v)
{
	for (size_t i = 0; i < v->n_outcomes; i++)
		if (v->outcomes[i]->conflict_id.len == 16)
			return v->outcomes[i];
	return NULL;
}

enum outbox_state outbox_judge(const Seve__Verdict *v)
{
	switch (v->code) {
	case SEVE__VERDICT__CODE__APPLIED:
	case SEVE__VERDICT__CODE__MERGED:
	case SEVE__VERDICT__CODE__UNCHANGED:
		return OUTBOX_DONE;
	case SEVE__VERDICT__CODE__CONFLICT:
		return outbox_conflict(v) ? OUTBOX_DONE : OUTBOX_CONFLICT;
	case SEVE__VERDICT__CODE__REJECTED:
	case SEVE__VERDICT__CODE__UNSPECIFIED:
	case _SEVE__VERDICT__CODE_IS_INT_SIZE:
		break;
	}
	return OUTBOX_REJECTED;
}

struct span outbox_lean(struct arena *a, const Seve__Verdict *v)
{
	struct span bytes = {NULL, 0};
	Seve__Verdict lean = *v;

	lean.outcomes = arena_array(a, v->n_outcomes + 1, sizeof *lean.outcomes);
	if (!lean.outcomes)
		return bytes;
	for (size_t i = 0; i < v->n_outcomes; i++) {
		lean.outcomes[i] = arena_memdup(a, v->outcomes[i], sizeof *v->outcomes[i]);
		if (!lean.outcomes[i])
			return bytes;
		lean.outcomes[i]->body = NULL;
	}
	return wire_pack(a, &lean.base);
}

const Seve__Outcome *outbox_outcome(const Seve__Verdict *v, const uint8_t id[16])
{
	for (size_t i = 0; i < v->n_outcomes; i++) {
		const Seve__Outcome *o = v->outcomes[i];

		if (o->id.len == 16 && memcmp(o->id.data, id, 16) == 0)
			return o;
	}
	return NULL;
}

/* A body whose Meta is its own: the values are still shared. */
static Seve__Body *own_meta(struct arena *a, const Seve__Body *from)
{
	Seve__Body *body = arena_memdup(a, from, sizeof *from);
	Seve__Meta *meta = arena_alloc(a, sizeof *meta);

	if (!body || !meta)
		return NULL;
	if (from->meta)
		*meta = *from->meta;
	else
		seve__meta__init(meta);
	body->meta = meta;
	return body;
}

static const ProtobufCMessage *message_of(const struct outbox_view *v)
{
	return v->body ? kind_message(v->body) : NULL;
}

int outbox_date_state(struct arena *a, struct outbox_view *v, const struct outbox_view *before,
		      int64_t at_ms, struct err *e)
{
	Seve__Body *body;

	if (!v->body || v->body == before->body ||
	    !field_state_entered(v->kind, message_of(before), message_of(v)))
		return 0;
	body = own_meta(a, v->body);
	if (!body)
		return err_set(e, ERR_NOMEM, "record");
	body->meta->has_state_at = true;
	body->meta->state_at = at_ms;
	v->body = body;
	return 0;
}

static int fill_in(struct arena *a, struct outbox_view *v, bool born, const char *account,
		   int64_t now_ms, struct err *e)
{
	Seve__Body *body = own_meta(a, v->body);
	Seve__Meta *meta;

	if (!body)
		return err_set(e, ERR_NOMEM, "record");
	meta = body->meta;
	if (born) {
		meta->has_created_at = true;
		meta->created_at = now_ms;
		meta->created_by = (char *)(uintptr_t)account;
	}
	meta->has_ref_no = v->ref_no != 0;
	meta->ref_no = v->ref_no;
	meta->has_updated_at = true;
	meta->updated_at = now_ms;
	meta->updated_by = (char *)(uintptr_t)account;
	v->body = body;
	return 0;
}

static int take_body(struct outbox_view *v, const Seve__Outcome *o, struct err *e)
{
	const struct kind *k = kind_of(o->body);

	if (!k || (v->kind && v->kind != k))
		return err_set(e, ERR_PROTOCOL,
			       "the server's record is of another kind than the change");
	*v = (struct outbox_view){.kind = k, .rev = o->rev, .ref_no = o->ref_no, .body = o->body};
	return 0;
}

int outbox_settle(struct arena *a, struct outbox_view *v, const uint8_t id[16],
		  const Seve__Mutation *m, const Seve__Verdict *verdict, const char *account,
		  int64_t now_ms, struct err *e)
{
	const Seve__Outcome *o = outbox_outcome(verdict, id);
	struct outbox_view next = *v;
	bool born = false;

	if (!o)
		return 0;
	if (o->body)
		return take_body(v, o, e);
	/* The next pull brings what stands; of a conflict, more than what was sent. */
	if (verdict->code == SEVE__VERDICT__CODE__CONFLICT ||
	    (v->kind && v->kind->number == SEVE__BODY__KIND_CONFLICT))
		return 0;
	/* Already so: somebody else wrote it, together with what is not seen here until the next
	 * pull. */
	if (verdict->code == SEVE__VERDICT__CODE__UNCHANGED || (v->kind && o->rev <= v->rev))
		return 0;
	for (size_t i = 0; i < m->n_changes; i++) {
		const Seve__Change *c = m->changes[i];
		int rc;

		if (c->id.len != 16 || memcmp(c->id.data, id, 16) != 0)
			continue;
		born = born || c->op == SEVE__CHANGE__OP__OP_CREATE;
		if (c->op == SEVE__CHANGE__OP__OP_RESTORE)
			return 0; /* what came back is known to the server alone: the next pull
				     brings it */
		rc = outbox_fold(a, &next, c, e);
		if (rc)
			return rc;
	}
	next.rev = o->rev;
	if (o->has_ref_no)
		next.ref_no = o->ref_no;
	if (next.body) {
		int rc = fill_in(a, &next, born, account, now_ms, e);

		rc = rc ? rc : outbox_date_state(a, &next, v, now_ms, e);
		if (rc)
			return rc;
	}
	*v = next;
	return 0;
}

/* ---- sending
 * ---------------------------------------------------------------------------------------- */

size_t outbox_chunk(const size_t *sizes, size_t n, size_t max_n, size_t max_bytes)
{
	size_t taken = 0, bytes = 0;

	while (taken < n && taken < max_n) {
		if (taken && sizes[taken] > max_bytes - bytes)
			break;
		bytes += sizes[taken] < max_bytes - bytes ? sizes[taken] : max_bytes - bytes;
		taken++;
	}
	return taken;
}

int outbox_answers(const uint64_t *mids, size_t n, const Seve__PushReply *r, struct err *e)
{
	if (r->n_verdicts != n)
		return err_set(e, ERR_PROTOCOL, "%zu verdicts for %zu mutations", r->n_verdicts, n);
	for (size_t i = 0; i < n; i++)
		if (r->verdicts[i]->mid != mids[i])
			return err_set(e, ERR_PROTOCOL,
				       "a verdict on mutation %llu where %llu was asked",
				       (unsigned long long)r->verdicts[i]->mid,
				       (unsigned long long)mids[i]);
	return 0;
}

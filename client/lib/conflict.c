/* conflict.c -- conflict records in the hands of a caller: both sides as a table, and a decision as
 * one mutation: the edit that it stands for, and the conflict closed. */
#include "error.h"
#include "overlay.h"
#include "read.h"
#include "record.h"
#include "save.h"
#include "table.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

struct decision {
	struct seve *s;
	struct arena arena;
	struct seve_record *conflict;
	const Seve__Conflict *c;
	const struct kind *kind; /* of the record that it is about */
	struct seve_record *about;
	bool stands; /* about is there; else it is deleted, or was never born */
	enum seve_side all;
	const struct seve_choice *choices;
	size_t n_choices;
	bool offline;
	struct save_change list[3];
	size_t n;
};

/* ---- both sides
 * ------------------------------------------------------------------------------------------ */

static int content(const struct seve_record *r, const Seve__Conflict **out, struct err *e)
{
	if (!r->body || r->body->kind_case != SEVE__BODY__KIND_CONFLICT)
		return err_set(e, ERR_USAGE, "%s is no conflict", r->id_text);
	*out = r->body->conflict;
	return 0;
}

int seve_conflict_fields(const struct seve_record *r, struct seve_table **out,
			 struct seve_error **err)
{
	static const char *const columns[] = {"field", "base",   "mine",  "theirs",
					      "add",   "remove", "clash", NULL};
	const Seve__Conflict *c = NULL;
	struct seve_table *t;
	struct err e = {0};

	if (content(r, &c, &e))
		return error_out(err, &e);
	t = table_new(columns);
	for (size_t i = 0; i < c->n_fields; i++) {
		const Seve__ConflictField *f = c->fields[i];

		table_row(t);
		table_put(t, "field", "%s", f->field ? f->field : "");
		table_put(t, "base", "%s", f->was ? f->was : "");
		table_put(t, "mine", "%s", f->mine ? f->mine : "");
		table_put(t, "theirs", "%s", f->theirs ? f->theirs : "");
		table_put(t, "add", "%s", f->add ? f->add : "");
		table_put(t, "remove", "%s", f->remove ? f->remove : "");
		table_put(t, "clash", "%s", f->clash ? "yes" : "no");
	}
	table_finish(t, out, &e);
	return error_out(err, &e);
}

/* ---- the record that it is about
 * -------------------------------------------------------------------------------- */

static int find_about(struct decision *d, struct err *e)
{
	char id[UUID_TEXT];
	struct seve_error *why = NULL;
	struct uuid u;
	int rc;

	memcpy(u.b, d->c->record_id.data, sizeof u.b);
	uuid_format(&u, id);
	rc = seve_get(d->s, d->conflict->territory, d->kind->name, id,
		      d->offline ? SEVE_REPLICA : SEVE_AUTO, &d->about, &why);
	if (rc && rc != SEVE_NOT_FOUND)
		err_set(e, rc == SEVE_RETRY ? ERR_UNAVAILABLE : ERR_PRECONDITION, "%s",
			seve_error_message(why));
	seve_error_free(why);
	d->stands = d->about != NULL && d->about->body;
	return rc && rc != SEVE_NOT_FOUND ? -(int)e->code : 0;
}

/* The revision of its deletion, as far as can be known. */
static int deleted_rev(struct decision *d, uint64_t *out, struct err *e)
{
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	ProtobufCBinaryData id = d->c->record_id;
	const Seve__GetReply *reply;
	struct outbox_view v;
	int rc = overlay_base(d->s->store, &d->arena, d->conflict->territory, id.data, &v, e);

	*out = d->c->theirs_rev;
	if (!rc && v.kind && v.deleted && v.rev > *out)
		*out = v.rev;
	if (rc || d->offline)
		return rc;
	get.n_ids = 1;
	get.ids = &id;
	rc = read_from_server(d->s, d->conflict->territory, &get, &d->arena, &reply, e);
	if (!rc && reply->n_records && reply->records[0]->deleted)
		*out = reply->records[0]->rev;
	if (rc && client_retryable(e)) {
		*e = (struct err){0};
		return 0;
	}
	return rc;
}

/* An empty one in its place, to be filled with what is wanted. */
static int empty_about(struct decision *d, uint64_t rev, bool born, struct err *e)
{
	Seve__Body *body;
	ProtobufCMessage *m;
	struct outbox_view v = {.kind = d->kind, .rev = rev};

	seve_record_free(d->about);
	d->about = record_alloc();
	if (!d->about)
		return err_set(e, ERR_NOMEM, "record");
	body = arena_alloc(d->about->arena, sizeof *body);
	m = field_new_message(d->about->arena, d->kind->desc);
	if (!body || !m)
		return err_set(e, ERR_NOMEM, "record");
	seve__body__init(body);
	kind_set_message(d->kind, body, m);
	v.body = body;
	if (record_show(d->about, d->conflict->territory, d->c->record_id.data, &v, false, true, e))
		return -(int)e->code;
	d->about->born = born;
	return 0;
}

/* ---- what is wanted of it
 * --------------------------------------------------------------------------------------- */

static int check_choices(const struct decision *d, struct err *e)
{
	for (size_t i = 0; i < d->n_choices; i++) {
		size_t k = 0;

		while (k < d->c->n_fields &&
		       strcmp(d->c->fields[k]->field, d->choices[i].field) != 0)
			k++;
		if (k == d->c->n_fields && d->choices[i].side != SEVE_VALUE)
			return err_set(e, ERR_INVALID, "the conflict holds nothing of field \"%s\"",
				       d->choices[i].field);
	}
	return 0;
}

static enum seve_side side_of(const struct decision *d, const char *field)
{
	for (size_t i = 0; i < d->n_choices; i++)
		if (strcmp(d->choices[i].field, field) == 0)
			return d->choices[i].side;
	return d->all;
}

static int moved(int rc, struct seve_error *why, struct err *e)
{
	if (rc)
		err_set(e, ERR_INVALID, "%s", why ? seve_error_message(why) : "out of memory");
	seve_error_free(why);
	return rc ? -(int)e->code : 0;
}

static int take_mine(struct decision *d, const Seve__ConflictField *f, struct err *e)
{
	struct seve_error *why = NULL;
	int rc = 0;

	if (f->add)
		rc = seve_record_add(d->about, f->field, f->add, &why);
	if (!rc && f->remove)
		rc = seve_record_remove(d->about, f->field, f->remove, &why);
	if (!rc && !f->add && !f->remove)
		rc = seve_record_set(d->about, f->field, f->mine ? f->mine : "", &why);
	return moved(rc, why, e);
}

static int fill_about(struct decision *d, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < d->c->n_fields; i++)
		if (side_of(d, d->c->fields[i]->field) == SEVE_MINE)
			rc = take_mine(d, d->c->fields[i], e);
	for (size_t i = 0; !rc && i < d->n_choices; i++) {
		struct seve_error *why = NULL;

		if (d->choices[i].side != SEVE_VALUE)
			continue;
		rc = seve_record_set(d->about, d->choices[i].field,
				     d->choices[i].value ? d->choices[i].value : "", &why);
		rc = moved(rc, why, e);
	}
	return rc;
}

static void plain(struct decision *d, Seve__Change__Op op, uint64_t rev)
{
	Seve__Change *c = &d->list[d->n++].change;

	seve__change__init(c);
	c->has_op = c->has_id = c->has_kind = c->has_base_rev = true;
	c->op = op;
	c->id = d->c->record_id;
	c->kind = d->kind->number;
	c->base_rev = rev;
}

static int add_edit(struct decision *d, struct seve_record *r, bool renewed, struct err *e)
{
	struct save_change *to = &d->list[d->n];
	int rc = record_change(r, &d->arena, &to->change, e);

	if (rc || to->change.op == SEVE__CHANGE__OP__OP_UNSPECIFIED)
		return rc;
	if (renewed && !r->pending)
		to->base = record_base(r);
	to->record = renewed ? r : NULL;
	d->n++;
	return 0;
}

static bool keeps_theirs(const struct decision *d)
{
	return d->all == SEVE_THEIRS && !d->n_choices;
}

static int edit_about(struct decision *d, struct err *e)
{
	const bool deletes = d->c->clash == SEVE__CONFLICT__CLASH__CLASH_DELETE_EDITED &&
			     d->all == SEVE_MINE && !d->n_choices;
	uint64_t rev = 0;
	int rc = 0;

	if (keeps_theirs(d) || (deletes && !d->stands))
		return 0;
	if (deletes) {
		plain(d, SEVE__CHANGE__OP__OP_DELETE, d->about->rev);
		return 0;
	}
	if (!d->stands && d->c->has_theirs_rev) {
		rc = deleted_rev(d, &rev, e);
		if (rc)
			return rc;
		plain(d, SEVE__CHANGE__OP__OP_RESTORE, rev);
	}
	if (!d->stands)
		rc = empty_about(d, rev, !d->c->has_theirs_rev, e);
	if (!rc)
		rc = fill_about(d, e);
	return rc ? rc : add_edit(d, d->about, d->stands, e);
}

/* ---- the decision
 * -----------------------------------------------------------------------------------------------
 */

static int close_conflict(struct decision *d, struct err *e)
{
	const char *how = d->n_choices ? "fields" : d->all == SEVE_MINE ? "mine" : "theirs";
	struct seve_error *why = NULL;
	int rc = seve_record_set(d->conflict, "state", "resolved", &why);

	if (!rc)
		rc = seve_record_set(d->conflict, "resolution", how, &why);
	rc = moved(rc, why, e);
	return rc ? rc : add_edit(d, d->conflict, true, e);
}

static int is_open(const struct decision *d, struct err *e)
{
	if (d->c->state == SEVE__CONFLICT__STATE__STATE_OPEN)
		return 0;
	return err_set(e, ERR_PRECONDITION, "conflict %s has been resolved by %s", d->conflict->ref,
		       d->c->resolved_by ? d->c->resolved_by : "?");
}

static int decide(struct decision *d, struct err *e)
{
	int rc = content(d->conflict, &d->c, e);

	if (!rc)
		rc = is_open(d, e);
	d->kind = rc ? NULL : kind_by_name(d->c->record_kind ? d->c->record_kind : "");
	if (!rc && (!d->kind || d->c->record_id.len != 16))
		rc = err_set(e, ERR_INVALID,
			     "the conflict is about a kind that this version does not know");
	if (!rc)
		rc = check_choices(d, e);
	if (!rc)
		rc = find_about(d, e);
	if (!rc)
		rc = edit_about(d, e);
	return rc ? rc : close_conflict(d, e);
}

int seve_conflict_resolve(struct seve *s, struct seve_record *conflict, enum seve_side all,
			  const struct seve_choice *choices, size_t n, const char *reason,
			  int offline, int *queued, struct seve_table **report,
			  struct seve_error **err)
{
	struct decision d = {.s = s,
			     .conflict = conflict,
			     .all = all,
			     .choices = choices,
			     .n_choices = n,
			     .offline = offline != 0};
	struct err e = {0};

	if (queued)
		*queued = 0;
	arena_init(&d.arena, ARENA_MAX);
	if (conflict->arena != &conflict->own)
		err_set(&e, ERR_USAGE, "a record of a list is edited by way of a copy");
	else if (!decide(&d, &e))
		save_changes(s, conflict->territory, d.list, d.n, reason, offline, queued, report,
			     &e);
	seve_record_free(d.about);
	arena_fini(&d.arena);
	return error_out(err, &e);
}

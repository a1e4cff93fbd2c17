/* save.c -- edits: into the outbox first, then, unless offline, to the server; and what the verdict
 * means to the caller. */
#include "client.h"
#include "clock.h"
#include "overlay.h"
#include "preview.h"
#include "queue.h"
#include "read.h"
#include "record.h"
#include "replica.h"
#include "sync.h"
#include "save.h"
#include "table.h"
#include "wire.h"

enum { CHANGES_MAX = SAVE_CHANGES_MAX, SAVE_ARENA_MAX = 32 * 1024 * 1024 };

static const char *const report_columns[] = {"verdict", "field", "code", "text", NULL};

struct save {
	struct seve *s;
	struct arena arena;
	uint32_t territory;
	const char *reason;
	bool offline;
	Seve__Mutation mutation;
	Seve__Change changes[CHANGES_MAX], *list[CHANGES_MAX];
	struct outbox_view bases[CHANGES_MAX];
	struct seve_record *records[CHANGES_MAX]; /* of each change; NULL where the caller holds
						     none to be renewed */
	size_t n;
	const Seve__Verdict *verdict;
	struct problems ahead; /* of an edit made offline */
	bool queued;
};

/* ---- the report
 * --------------------------------------------------------------------------------------------- */

static void report_row(struct seve_table *t, const char *verdict, const char *field,
		       const char *code, const char *text)
{
	table_row(t);
	table_put(t, "verdict", "%s", verdict);
	table_put(t, "field", "%s", field ? field : "");
	table_put(t, "code", "%s", code ? code : "");
	table_put(t, "text", "%s", text ? text : "");
}

static const char *verdict_word(Seve__Verdict__Code code)
{
	switch (code) {
	case SEVE__VERDICT__CODE__APPLIED:
		return "applied";
	case SEVE__VERDICT__CODE__MERGED:
		return "merged";
	case SEVE__VERDICT__CODE__UNCHANGED:
		return "unchanged";
	case SEVE__VERDICT__CODE__CONFLICT:
		return "conflict";
	case SEVE__VERDICT__CODE__REJECTED:
	case SEVE__VERDICT__CODE__UNSPECIFIED:
	case _SEVE__VERDICT__CODE_IS_INT_SIZE:
		break;
	}
	return "rejected";
}

static void clash_name(const struct kind *k, uint32_t tag, char *out, size_t size)
{
	const field_desc *fd = NULL;

	if (tag > META_TAG)
		fd = protobuf_c_message_descriptor_get_field(&seve__meta__descriptor,
							     tag - META_TAG);
	else if (k)
		fd = field_by_tag(k, tag);
	if (fd)
		snprintf(out, size, "%s%s%s", k ? k->name : "", k ? "." : "", fd->name);
	else
		snprintf(out, size, "field %u", tag);
}

static void conflict_ref(const Seve__Outcome *o, char out[static 16])
{
	kind_format_ref(kind_by_number(SEVE__BODY__KIND_CONFLICT), o->conflict_no, out);
}

static const char *clash_text(const Seve__Outcome *o, char *out, size_t size)
{
	char ref[16];

	conflict_ref(o, ref);
	if (*ref)
		snprintf(out, size, "somebody else changed it meanwhile: kept as %s", ref);
	else
		snprintf(out, size, "somebody else changed it meanwhile");
	return out;
}

static const struct kind *kind_of_id(const struct save *g, const Seve__Outcome *o)
{
	for (size_t i = 0; i < g->n; i++)
		if (o->id.len == 16 && memcmp(g->changes[i].id.data, o->id.data, 16) == 0)
			return kind_by_number(g->changes[i].kind);
	return NULL;
}

static struct seve_table *report_verdict(const struct save *g)
{
	const Seve__Verdict *v = g->verdict;
	struct seve_table *t = table_new(report_columns);
	const char *word = verdict_word(v->code);
	char why[ERROR_VIOLATION];

	for (size_t i = 0; i < v->n_violations; i++)
		report_row(t, word, v->violations[i]->field, v->violations[i]->code,
			   error_violation(v->violations[i], why, sizeof why));
	for (size_t i = 0; i < v->n_outcomes; i++) {
		for (size_t k = 0; k < v->outcomes[i]->n_clash; k++) {
			char field[128];

			clash_name(kind_of_id(g, v->outcomes[i]), v->outcomes[i]->clash[k], field,
				   sizeof field);
			report_row(t, "conflict", field, "CLASH",
				   clash_text(v->outcomes[i], why, sizeof why));
		}
	}
	if (!seve_table_rows(t))
		report_row(t, word, NULL, NULL, NULL);
	for (size_t i = 0; i < v->n_warnings; i++)
		report_row(t, "warning", v->warnings[i]->field, v->warnings[i]->code,
			   error_violation(v->warnings[i], why, sizeof why));
	return t;
}

/* ---- after the verdict
 * ----------------------------------------------------------------------------------------- */

/* Shows the records as they wait: read as they now are, nothing edited. */
static int show_waiting(struct save *g, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < g->n; i++) {
		struct seve_record *r = g->records[i];
		struct outbox_view v;
		bool waiting = false;

		if (!r)
			continue;
		rc = overlay_shown(g->s->store, r->arena, g->territory, r->id.b, &v, &waiting, e);
		if (!rc && v.kind)
			rc = record_show(r, g->territory, r->id.b, &v, waiting, true, e);
	}
	return rc;
}

static int renew(struct save *g, struct seve_record *r, const Seve__Record *w, bool carried,
		 struct err *e)
{
	struct outbox_view v;
	int rc = record_view(r->arena, w, &v, e);

	if (rc || !v.kind)
		return rc;
	if (carried)
		rc = overlay_put_base(g->s->store, g->territory, w->id.data, &v, e);
	if (!rc && carried)
		rc = overlay_refresh(g->s->store, g->territory, w->id.data, e);
	return rc ? rc : record_show(r, g->territory, w->id.data, &v, false, true, e);
}

/* The server's own state of what was written: time, author and reference are its to give. */
static int show_written(struct save *g, struct err *e)
{
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	ProtobufCBinaryData ids[CHANGES_MAX];
	const Seve__GetReply *reply;
	struct replica rep;
	int rc = replica_get(g->s->store, g->territory, &rep, e);

	for (size_t i = 0; i < g->n; i++)
		if (g->records[i])
			ids[get.n_ids++] = (ProtobufCBinaryData){16, g->records[i]->id.b};
	get.ids = ids;
	if (rc || !get.n_ids)
		return rc;
	rc = read_from_server(g->s, g->territory, &get, &g->arena, &reply, e);
	for (size_t k = 0; !rc && k < reply->n_records; k++)
		for (size_t i = 0; !rc && i < g->n; i++)
			if (g->records[i] && reply->records[k]->id.len == 16 &&
			    memcmp(reply->records[k]->id.data, g->records[i]->id.b, 16) == 0)
				rc = renew(g, g->records[i], reply->records[k], rep.exists, e);
	return rc;
}

/* The edit was held back, in whole or in part. */
static int clashed(const struct save *g, struct err *e)
{
	const Seve__Outcome *o = outbox_conflict(g->verdict);
	char ref[16] = "";

	if (o)
		conflict_ref(o, ref);
	if (!*ref) {
		err_set(e, ERR_CONFLICT,
			"somebody else changed the same meanwhile: the record was left as it is");
		return err_remedy(e, "read it again, and edit what is still wanted");
	}
	if (g->verdict->code == SEVE__VERDICT__CODE__CONFLICT)
		err_set(e, ERR_CONFLICT,
			"somebody else changed the same meanwhile: the record was left as it is, "
			"and both versions are kept as conflict %s",
			ref);
	else
		err_set(e, ERR_CONFLICT,
			"somebody else changed a part of it meanwhile: the rest was written, and "
			"both versions of that part are kept as conflict %s",
			ref);
	return err_remedy(e, "look at both and decide: seve conflict show %s", ref);
}

static int refused(const struct save *g, struct err *e)
{
	const Seve__Verdict *v = g->verdict;
	const Seve__Violation *why = v->n_violations ? v->violations[0] : NULL;
	enum err_code code = ERR_PRECONDITION;
	char text[ERROR_VIOLATION];

	if (why && why->code && strcmp(why->code, "DENIED") == 0)
		code = ERR_DENIED;
	else if (why && why->code && strcmp(why->code, "GONE") == 0)
		code = ERR_NOT_FOUND;
	if (!why || !why->text)
		return err_set(e, code, "the server refused it");
	return err_set(e, code, "%s%s%s", why->code ? why->code : "", why->code ? ": " : "",
		       error_violation(why, text, sizeof text));
}

/* ---- the way through
 * ------------------------------------------------------------------------------------------------
 */

static int push_and_wait(struct save *g, struct err *e)
{
	struct sync_want want = {.territory = g->territory,
				 .lock_ms = STORE_LOCK_MS,
				 .mid = g->mutation.mid,
				 .verdict_arena = &g->arena,
				 .verdict = &g->verdict};
	bool partial;

	return sync_wait(g->s, &want, NULL, &partial, e);
}

/* Not reachable: it waits, and that is said.  Anything else is an error, and it waits all the same.
 */
static int not_sent(struct save *g, struct seve_table **report, struct err *e)
{
	struct seve_table *t = table_new(report_columns);
	struct err ignored;

	g->queued = true;
	report_row(t, "queued", NULL, err_name(e->code), e->text);
	if (table_finish(t, report, &ignored))
		return err_set(e, ERR_NOMEM, "report");
	if (!client_retryable(e))
		return -(int)e->code;
	*e = (struct err){0};
	return show_waiting(g, e);
}

static int told(struct save *g, struct seve_table **report, struct err *e)
{
	int rc = table_finish(report_verdict(g), report, e);
	struct err later = {0};

	if (rc)
		return rc;
	switch (outbox_judge(g->verdict)) {
	case OUTBOX_DONE:
		/* It is in effect whatever becomes of this: then the store's own reckoning is
		 * shown. */
		rc = show_written(g, &later) ? show_waiting(g, e) : 0;
		if (!rc && outbox_conflict(g->verdict))
			rc = clashed(g, e);
		return rc;
	case OUTBOX_REJECTED:
		/* The caller has it in hand: it need not stand in the outbox too. */
		rc = queue_drop(g->s->store, g->territory, g->mutation.mid, e);
		return rc ? rc : refused(g, e);
	case OUTBOX_CONFLICT:
	case OUTBOX_PENDING:
	case OUTBOX_SENT:
		break;
	}
	return clashed(g, e);
}

/* No verdict came this way.  What is left is what the store says: another program that shares it
 * may have sent the edit meanwhile, and kept the verdict. */
static int untold(struct save *g, int rc, struct seve_table **report, struct err *e)
{
	enum outbox_state state;
	struct err later = {0};

	if (queue_fate(g->s->store, &g->arena, g->territory, g->mutation.mid, &state, &g->verdict,
		       &later)) {
		*e = later;
		return -(int)e->code;
	}
	if (outbox_waits(state))
		return not_sent(g, report, e);
	if (!g->verdict)
		return rc ? rc
			  : err_set(e, ERR_NOT_FOUND,
				    "the territory may not be written to any more");
	*e = (struct err){0};
	return told(g, report, e);
}

static void make_mutation(struct save *g)
{
	seve__mutation__init(&g->mutation);
	g->mutation.has_territory = g->mutation.has_client_time_ms = true;
	g->mutation.territory = g->territory;
	g->mutation.client_time_ms = clock_wall_ms();
	g->mutation.reason = g->reason && *g->reason ? (char *)(uintptr_t)g->reason : NULL;
	for (size_t i = 0; i < g->n; i++)
		g->list[i] = &g->changes[i];
	g->mutation.n_changes = g->n;
	g->mutation.changes = g->list;
}

/* What the server would say: a warning for who edits offline.  Where it cannot be found out, the
 * edit is kept all the same. */
static void look_ahead(struct save *g)
{
	struct err ignored = {0};

	if (preview(g->s, g->territory, &g->mutation, &g->ahead, &ignored))
		g->ahead.n = 0;
}

/* The outbox needs no lock: its transactions are enough, and an edit need not wait for somebody
 * else's long synchronisation.  Sending does. */
static int save_through(struct save *g, struct seve_table **report, struct err *e)
{
	int rc;

	make_mutation(g);
	if (g->offline)
		look_ahead(g);
	sync_commit(g->s);
	rc = queue_add(g->s->store, &g->mutation, g->bases, clock_wall_ms(), e);
	if (rc)
		return rc;
	if (g->offline) {
		struct seve_table *t = table_new(report_columns);

		g->queued = true;
		report_row(t, "queued", NULL, NULL, NULL);
		for (size_t i = 0; i < g->ahead.n; i++)
			report_row(t, "warning", g->ahead.list[i].field, g->ahead.list[i].code,
				   g->ahead.list[i].text);
		rc = table_finish(t, report, e);
		return rc ? rc : show_waiting(g, e);
	}
	rc = push_and_wait(g, e);
	return g->verdict ? told(g, report, e) : untold(g, rc, report, e);
}

static int save_run(struct save *g, int *queued, struct seve_table **report, struct err *e)
{
	int rc;

	if (g->s->run && !g->offline) {
		err_set(e, ERR_USAGE, "a synchronisation is under way on this handle");
		return err_remedy(e, "wait for its end, or save offline: it will be sent");
	}
	rc = save_through(g, report, e);
	if (queued)
		*queued = g->queued;
	return rc;
}

static void save_init(struct save *g, struct seve *s, uint32_t territory, const char *reason,
		      int offline)
{
	memset(g, 0, sizeof *g);
	g->s = s;
	g->territory = territory;
	g->reason = reason;
	g->offline = offline != 0;
	arena_init(&g->arena, SAVE_ARENA_MAX);
}

/* ---- public
 * --------------------------------------------------------------------------------------------------------------
 */

static int add_record(struct save *g, struct seve_record *r, struct err *e)
{
	Seve__Change *c = &g->changes[g->n];
	int rc;

	if (r->territory != g->territory)
		return err_set(e, ERR_USAGE, "the records of one save belong to one territory");
	if (r->arena != &r->own)
		return err_set(e, ERR_USAGE, "a record of a list is edited by way of a copy");
	rc = record_change(r, &g->arena, c, e);
	if (rc || c->op == SEVE__CHANGE__OP__OP_UNSPECIFIED)
		return rc;
	if (!r->pending && !r->born)
		g->bases[g->n] = record_base(r);
	g->records[g->n++] = r;
	return 0;
}

static int nothing_edited(struct seve_table **report, struct err *e)
{
	struct seve_table *t = table_new(report_columns);

	report_row(t, "unchanged", NULL, NULL, NULL);
	return table_finish(t, report, e);
}

int save_changes(struct seve *s, uint32_t territory, const struct save_change *list, size_t n,
		 const char *reason, int offline, int *queued, struct seve_table **report,
		 struct err *e)
{
	struct save g;
	int rc;

	if (!n || n > CHANGES_MAX)
		return err_set(e, ERR_USAGE, "one save takes 1 to %d changes, not %zu", CHANGES_MAX,
			       n);
	save_init(&g, s, territory, reason, offline);
	for (g.n = 0; g.n < n; g.n++) {
		g.changes[g.n] = list[g.n].change;
		g.bases[g.n] = list[g.n].base;
		g.records[g.n] = list[g.n].record;
	}
	rc = save_run(&g, queued, report, e);
	arena_fini(&g.arena);
	return rc;
}

int seve_save(struct seve *s, struct seve_record *const records[], size_t n, const char *reason,
	      int offline, int *queued, struct seve_table **report, struct seve_error **err)
{
	struct err e = {0};
	struct save g;
	int rc = 0;

	if (queued)
		*queued = 0;
	if (!n || n > CHANGES_MAX) {
		err_set(&e, ERR_USAGE, "one save takes 1 to %d records, not %zu", CHANGES_MAX, n);
		return error_out(err, &e);
	}
	save_init(&g, s, records[0]->territory, reason, offline);
	for (size_t i = 0; !rc && i < n; i++)
		rc = add_record(&g, records[i], &e);
	if (!rc)
		(void)(g.n ? save_run(&g, queued, report, &e) : nothing_edited(report, &e));
	arena_fini(&g.arena);
	return error_out(err, &e);
}

static void plain_change(struct save *g, Seve__Change__Op op, const uint8_t id[16],
			 const struct kind *k, uint64_t base_rev)
{
	Seve__Change *c = &g->changes[g->n++];

	seve__change__init(c);
	c->has_op = c->has_id = c->has_kind = c->has_base_rev = true;
	c->op = op;
	c->id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id};
	c->kind = k->number;
	c->base_rev = base_rev;
}

int seve_delete(struct seve *s, const struct seve_record *r, const char *reason, int offline,
		int *queued, struct seve_table **report, struct seve_error **err)
{
	struct err e = {0};
	struct save g;

	if (queued)
		*queued = 0;
	if (r->born) {
		err_set(&e, ERR_USAGE, "the record has never been saved");
		return error_out(err, &e);
	}
	save_init(&g, s, r->territory, reason, offline);
	plain_change(&g, SEVE__CHANGE__OP__OP_DELETE, r->id.b, r->kind, r->rev);
	if (!r->pending)
		g.bases[0] = record_base(r);
	save_run(&g, queued, report, &e);
	arena_fini(&g.arena);
	return error_out(err, &e);
}

/* What there is of the deleted record: its kind and the rev of its deletion. */
static int find_deleted(struct save *g, const struct uuid *id, struct outbox_view *out,
			struct err *e)
{
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	ProtobufCBinaryData bytes = {16, (uint8_t *)(uintptr_t)id->b};
	const Seve__GetReply *reply;
	char slug[REPLICA_NAME];
	int rc;

	get.n_ids = 1;
	get.ids = &bytes;
	rc = read_from_server(g->s, g->territory, &get, &g->arena, &reply, e);
	if (rc)
		return rc;
	if (!reply->n_records)
		return err_set(e, ERR_NOT_FOUND, "there is no such record in the territory %s",
			       replica_name(g->s->store, g->territory, slug));
	rc = record_view(&g->arena, reply->records[0], out, e);
	if (!rc && !out->kind)
		rc = err_set(e, ERR_INVALID,
			     "the record is of a kind that this version does not know");
	if (!rc && !out->deleted)
		rc = err_set(e, ERR_PRECONDITION, "the record is not deleted");
	return rc;
}

/* With a replica, the record that came back is put there at once. */
static int fetch_restored(struct save *g, const struct uuid *id, struct err *e)
{
	struct seve_record *r = record_alloc();
	int rc;

	if (!r)
		return err_set(e, ERR_NOMEM, "record");
	r->id = *id;
	g->records[0] = r;
	rc = show_written(g, e);
	g->records[0] = NULL;
	seve_record_free(r);
	return rc;
}

int seve_restore(struct seve *s, uint32_t territory, const char *id, const char *reason,
		 struct seve_table **report, struct seve_error **err)
{
	struct outbox_view v = {0};
	struct err e = {0}, later = {0};
	struct uuid u;
	struct save g;
	int rc;

	if (!id || uuid_parse(id, &u, &e)) {
		err_set(&e, ERR_INVALID, "\"%.60s\" is not the id of a record", id ? id : "");
		return error_out(err, &e);
	}
	save_init(&g, s, territory, reason, false);
	rc = find_deleted(&g, &u, &v, &e);
	if (!rc && v.kind) {
		plain_change(&g, SEVE__CHANGE__OP__OP_RESTORE, u.b, v.kind, v.rev);
		rc = save_run(&g, NULL, report, &e);
	}
	/* If this fails, the next synchronisation brings it. */
	if (!rc && !g.queued)
		(void)fetch_restored(&g, &u, &later);
	arena_fini(&g.arena);
	return error_out(err, &e);
}

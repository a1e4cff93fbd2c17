/* status.c -- what waits and what went wrong, from the store alone; and forgetting a replica. */
#include <inttypes.h>

#include "client.h"
#include "clock.h"
#include "field.h"
#include "json.h"
#include "queue.h"
#include "replica.h"
#include "sync.h"
#include "table.h"
#include "text.h"
#include "wire.h"

enum { ENTRY_MAX = 16 * 1024 * 1024, VALUES_MAX = 4 * 1024 * 1024 };

/* ---- by territory
 * ----------------------------------------------------------------------------------------- */

/* Open conflicts of the replica, waiting decisions laid over them. */
static int open_conflicts(struct seve *s, uint32_t territory, uint64_t *n, struct err *e)
{
	sqlite3_stmt *q = store_query(s->store, e, STORE_record_list, "ii", (int64_t)territory,
				      (int64_t)SEVE__BODY__KIND_CONFLICT);
	struct arena a;
	int rc;

	arena_init(&a, ENTRY_MAX);
	while ((rc = store_step(s->store, q, e)) == 1) {
		struct span bytes = store_bytes(q, 3);
		const Seve__Body *body;
		ProtobufCMessage *m;

		rc = wire_unpack(&a, &seve__body__descriptor, bytes.at, bytes.len, &m, e);
		if (rc)
			break;
		body = (const Seve__Body *)m;
		*n += body->kind_case == SEVE__BODY__KIND_CONFLICT &&
		      body->conflict->state == SEVE__CONFLICT__STATE__STATE_OPEN;
		arena_reset(&a);
	}
	store_done(q);
	arena_fini(&a);
	return rc ? err_prefix(e, "a conflict of the store") : 0;
}

static int status_row(struct seve *s, struct seve_table *t, uint32_t territory, const char *slug,
		      struct err *e)
{
	uint64_t waiting, conflicts, rejected;
	struct replica r;
	char at[32] = "";
	int rc = replica_get(s->store, territory, &r, e);

	if (!rc)
		rc = queue_count(s->store, territory, &waiting, &conflicts, &rejected, e);
	if (!rc)
		rc = open_conflicts(s, territory, &conflicts, e);
	if (rc)
		return rc;
	if (r.synced_at)
		text_from_instant(r.synced_at, at);
	table_row(t);
	table_put(t, "territory", "%u", territory);
	table_put(t, "slug", "%s", slug);
	table_put(t, "rev", "%" PRIu64, r.rev);
	table_put(t, "synced_at", "%s", at);
	table_put(t, "pending", "%" PRIu64, waiting);
	table_put(t, "conflicts", "%" PRIu64, conflicts);
	table_put(t, "rejected", "%" PRIu64, rejected);
	return 0;
}

int seve_status_local(struct seve *s, struct seve_table **out, struct seve_error **err)
{
	static const char *const columns[] = {"territory", "slug",      "rev",      "synced_at",
					      "pending",   "conflicts", "rejected", NULL};
	struct seve_table *t = table_new(columns);
	struct err e = {0};
	sqlite3_stmt *q = store_query(s->store, &e, STORE_status_territories, "");
	int rc;

	while ((rc = store_step(s->store, q, &e)) == 1) {
		rc = status_row(s, t, (uint32_t)store_int(q, 0), store_text(q, 1), &e);
		if (rc)
			break;
	}
	store_done(q);
	if (rc)
		seve_table_free(t);
	else
		table_finish(t, out, &e);
	return error_out(err, &e);
}

/* ---- the outbox
 * ---------------------------------------------------------------------------------------------- */

static void put_fields(struct seve_table *t, const struct kind *k, const Seve__Change *c)
{
	char list[512] = "";
	size_t used = 0;

	for (size_t i = 0; k && i < c->n_mask && used < sizeof list; i++) {
		const field_desc *fd =
			c->mask[i] > META_TAG
				? protobuf_c_message_descriptor_get_field(&seve__meta__descriptor,
									  c->mask[i] - META_TAG)
				: field_by_tag(k, c->mask[i]);

		if (fd)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 used ? "," : "", fd->name);
	}
	for (unsigned i = 0; k && i < k->desc->n_fields && used < sizeof list; i++) {
		const field_desc *fd = &k->desc->fields[i];
		bool added =
			c->add && kind_of(c->add) == k && field_present(kind_message(c->add), fd);
		bool removed = c->remove && kind_of(c->remove) == k &&
			       field_present(kind_message(c->remove), fd);

		if (added || removed)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 used ? "," : "", fd->name);
	}
	table_put(t, "fields", "%s", list);
}

/* What was to be written: it may have to be taken elsewhere. */
static int put_values(struct seve_table *t, const struct kind *k, const Seve__Change *c,
		      struct err *e)
{
	const struct {
		const char *name;
		const Seve__Body *body;
	} parts[] = {{"set", c->set}, {"add", c->add}, {"remove", c->remove}};
	struct buf b;
	int rc = 0, n = 0;

	buf_init(&b, VALUES_MAX);
	for (size_t i = 0; !rc && i < sizeof parts / sizeof *parts; i++) {
		if (!parts[i].body || !k || kind_of(parts[i].body) != k)
			continue;
		rc = buf_addf(&b, "%s\"%s\":", n++ ? "," : "{", parts[i].name);
		if (!rc)
			rc = json_add_message(&b, kind_message(parts[i].body));
	}
	if (!rc && n)
		table_put(t, "values", "%.*s}", (int)buf_len(&b), (const char *)buf_span(&b).at);
	buf_fini(&b);
	return rc ? err_set(e, ERR_NOMEM, "values of an edit") : 0;
}

static int put_name(struct seve *s, struct seve_table *t, uint32_t territory, const Seve__Change *c,
		    struct err *e)
{
	struct span id = {c->id.data, c->id.len};
	const struct kind *k = kind_by_number(c->kind);
	char text[UUID_TEXT], ref[16] = "";
	struct uuid u;
	sqlite3_stmt *q;
	int rc;

	if (id.len != sizeof u.b)
		return 0;
	memcpy(u.b, id.at, sizeof u.b);
	uuid_format(&u, text);
	q = store_query(s->store, e, STORE_record_get, "ib", (int64_t)territory, id);
	rc = store_step(s->store, q, e);
	if (rc < 0)
		return rc;
	if (rc && k)
		kind_format_ref(k, (uint32_t)store_int(q, 2), ref);
	store_done(q);
	table_put(t, "id", "%s", text);
	if (*ref)
		table_put(t, "ref", "%s", ref);
	else
		table_put(t, "ref", "~%s", text + strlen(text) - 6);
	return 0;
}

static const char *op_word(Seve__Change__Op op)
{
	switch (op) {
	case SEVE__CHANGE__OP__OP_CREATE:
		return "create";
	case SEVE__CHANGE__OP__OP_UPDATE:
		return "update";
	case SEVE__CHANGE__OP__OP_DELETE:
		return "delete";
	case SEVE__CHANGE__OP__OP_RESTORE:
		return "restore";
	case SEVE__CHANGE__OP__OP_UNSPECIFIED:
	case _SEVE__CHANGE__OP_IS_INT_SIZE:
		break;
	}
	return "";
}

/* Why it is kept: the first violation, or the fields that clashed. */
static int put_reason(struct seve_table *t, struct arena *a, struct span bytes, const char *code,
		      struct err *e)
{
	const Seve__Verdict *v;
	ProtobufCMessage *m;
	char why[ERROR_VIOLATION];

	table_put(t, "code", "%s", code);
	if (*code)
		table_put(t, "text", "the territory may not be read or written any more");
	if (!bytes.at)
		return 0;
	if (wire_unpack(a, &seve__verdict__descriptor, bytes.at, bytes.len, &m, e))
		return err_prefix(e, "a verdict of the outbox");
	v = (const Seve__Verdict *)m;
	if (v->n_violations) {
		table_put(t, "code", "%s", v->violations[0]->code ? v->violations[0]->code : "");
		table_put(t, "text", "%s", error_violation(v->violations[0], why, sizeof why));
	} else if (v->code == SEVE__VERDICT__CODE__CONFLICT) {
		table_put(t, "code", "CONFLICT");
		table_put(t, "text",
			  "somebody else changed the same meanwhile: the record was left as it is");
	}
	return 0;
}

static int outbox_rows(struct seve *s, struct seve_table *t, struct arena *a, sqlite3_stmt *q,
		       struct err *e)
{
	struct span bytes = store_bytes(q, 4);
	const Seve__Mutation *mutation;
	ProtobufCMessage *m;
	char at[32];
	int rc = wire_unpack(a, &seve__mutation__descriptor, bytes.at, bytes.len, &m, e);

	if (rc)
		return err_prefix(e, "an entry of the outbox");
	mutation = (const Seve__Mutation *)m;
	text_from_instant(store_int(q, 3), at);
	for (size_t i = 0; !rc && i < mutation->n_changes; i++) {
		const Seve__Change *c = mutation->changes[i];
		const struct kind *k = kind_by_number(c->kind);
		enum outbox_state state = (enum outbox_state)store_int(q, 2);

		table_row(t);
		table_put(t, "territory", "%" PRId64, store_int(q, 0));
		table_put(t, "mid", "%" PRId64, store_int(q, 1));
		/* To whoever reads it, what was sent without an answer still waits. */
		table_put(t, "state", "%s",
			  outbox_word(outbox_waits(state) ? OUTBOX_PENDING : state));
		table_put(t, "kind", "%s", k ? k->name : "");
		table_put(t, "op", "%s", op_word(c->op));
		table_put(t, "at", "%s", at);
		put_fields(t, k, c);
		rc = put_values(t, k, c, e);
		if (!rc)
			rc = put_name(s, t, (uint32_t)store_int(q, 0), c, e);
		if (!rc)
			rc = put_reason(t, a, store_bytes(q, 5), store_text(q, 6), e);
	}
	return rc;
}

int seve_outbox(struct seve *s, struct seve_table **out, struct seve_error **err)
{
	static const char *const columns[] = {"territory", "mid",    "state",  "kind", "id",
					      "ref",       "op",     "fields", "at",   "code",
					      "text",      "values", NULL};
	struct seve_table *t = table_new(columns);
	struct err e = {0};
	sqlite3_stmt *q = store_query(s->store, &e, STORE_outbox_list, "");
	struct arena a;
	int rc;

	arena_init(&a, ENTRY_MAX);
	while ((rc = store_step(s->store, q, &e)) == 1) {
		rc = outbox_rows(s, t, &a, q, &e);
		arena_reset(&a);
		if (rc)
			break;
	}
	store_done(q);
	arena_fini(&a);
	if (rc)
		seve_table_free(t);
	else
		table_finish(t, out, &e);
	return error_out(err, &e);
}

int seve_outbox_retry(struct seve *s, uint32_t territory, uint64_t mid, uint64_t *new_mid,
		      struct seve_error **err)
{
	struct err e = {0};
	uint64_t number = 0;

	sync_commit(s);
	if (store_lock(s->store, STORE_LOCK_MS, &e))
		return error_out(err, &e);
	if (!queue_retry(s->store, territory, mid, clock_wall_ms(), &number, &e) && new_mid)
		*new_mid = number;
	store_unlock(s->store);
	return error_out(err, &e);
}

int seve_outbox_drop(struct seve *s, uint32_t territory, uint64_t mid, struct seve_error **err)
{
	struct err e = {0};

	sync_commit(s);
	if (store_lock(s->store, STORE_LOCK_MS, &e))
		return error_out(err, &e);
	queue_drop(s->store, territory, mid, &e);
	store_unlock(s->store);
	return error_out(err, &e);
}

/* ---- forgetting
 * --------------------------------------------------------------------------------------------------
 */

static int forget_in(struct seve *s, uint32_t territory, bool force, struct err *e)
{
	uint64_t waiting, conflicts, rejected, n = 0;
	char slug[REPLICA_NAME];
	struct replica r;
	int rc = replica_get(s->store, territory, &r, e);

	if (!rc && !r.exists)
		rc = err_set(e, ERR_NOT_FOUND, "there is no replica of the territory %s",
			     replica_name(s->store, territory, slug));
	if (!rc)
		rc = queue_count(s->store, territory, &waiting, &conflicts, &rejected, e);
	if (!rc && waiting && !force) {
		err_set(e, ERR_PRECONDITION,
			"%" PRIu64 " edits of the territory %s wait to be sent", waiting,
			replica_name(s->store, territory, slug));
		return err_remedy(e,
				  "synchronise first, or force it: they are then kept as rejected");
	}
	if (!rc && waiting)
		rc = queue_reject_all(s->store, territory, "FORGOTTEN", &n, e);
	return rc ? rc : replica_purge(s->store, territory, e);
}

int seve_forget(struct seve *s, uint32_t territory, int force, struct seve_error **err)
{
	struct err e = {0};

	if (s->run) {
		err_set(&e, ERR_USAGE, "a synchronisation is under way on this handle");
		return error_out(err, &e);
	}
	if (store_lock(s->store, STORE_LOCK_MS, &e))
		return error_out(err, &e);
	if (store_begin(s->store, &e) == 0)
		store_end(s->store, forget_in(s, territory, force != 0, &e), &e);
	store_unlock(s->store);
	return error_out(err, &e);
}

int seve_granted(struct seve *s, size_t *n, struct seve_error **err)
{
	struct err e = {0};
	sqlite3_stmt *q = store_query(s->store, &e, STORE_territory_granted, "");
	size_t found = 0;
	int rc;

	while ((rc = store_step(s->store, q, &e)) == 1)
		found++;
	store_done(q);
	if (!rc)
		*n = found;
	return error_out(err, &e);
}

/* read.c -- one record by its name, and its history. */
#include <ctype.h>

#include "client.h"
#include "overlay.h"
#include "read.h"
#include "record.h"
#include "replica.h"
#include "table.h"
#include "text.h"
#include "wire.h"

enum { ASK_MAX = 8 * 1024 * 1024, TAIL_MAX = 32, HISTORY_LIMIT = 500 };

/* ---- names
 * ------------------------------------------------------------------------------------------------
 */

enum name_form { NAME_ID, NAME_REF, NAME_TAIL };

struct name {
	enum name_form form;
	struct uuid id;
	const struct kind *kind; /* NAME_REF */
	uint32_t ref_no;
	char tail[TAIL_MAX + 1]; /* upper-case hexadecimal */
	char text[48];           /* the reference as the server takes it */
};

static int read_tail(const char *text, struct name *out, struct err *e)
{
	size_t n = 0;

	for (const char *p = text + 1; *p; p++) {
		if (*p == '-')
			continue;
		if (!isxdigit((unsigned char)*p) || n == TAIL_MAX)
			return err_set(e, ERR_INVALID, "\"%s\" is not the tail of an id", text);
		out->tail[n++] = (char)toupper((unsigned char)*p);
	}
	out->tail[n] = '\0';
	out->form = NAME_TAIL;
	return n ? 0
		 : err_set(e, ERR_INVALID, "\"~\" needs the last characters of an id behind it");
}

static int read_name(const char *text, struct name *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	if (text[0] == '~')
		return read_tail(text, out, e);
	if (uuid_parse(text, &out->id, NULL) == 0) {
		out->form = NAME_ID;
		return 0;
	}
	if (kind_parse_ref(text, &out->kind, &out->ref_no, NULL) == 0) {
		out->form = NAME_REF;
		kind_format_ref(out->kind, out->ref_no, out->text);
		return 0;
	}
	err_set(e, ERR_INVALID, "\"%.60s\" names no record", text);
	return err_remedy(e,
			  "write a reference (P-12), an id, or ~ and the last characters of an id");
}

static int not_found(struct seve *s, const char *name, uint32_t territory, struct err *e)
{
	char slug[REPLICA_NAME];

	return err_set(e, ERR_NOT_FOUND, "there is no %.60s in the territory %s", name,
		       replica_name(s->store, territory, slug));
}

/* ---- from the store
 * ------------------------------------------------------------------------------------------ */

static int ambiguous(struct seve *s, sqlite3_stmt *q, const char *name, const struct uuid *first,
		     struct err *e)
{
	char text[UUID_TEXT], list[256] = "";
	size_t n = 1, used;
	int rc;

	uuid_format(first, text);
	used = (size_t)snprintf(list, sizeof list, "%s", text);
	do {
		struct uuid id;

		if (store_bytes(q, 0).len != sizeof id.b)
			continue;
		memcpy(id.b, store_bytes(q, 0).at, sizeof id.b);
		uuid_format(&id, text);
		if (n++ < 4)
			used += (size_t)snprintf(list + used, sizeof list - used, ", %s", text);
	} while ((rc = store_step(s->store, q, e)) == 1);
	if (rc < 0)
		return rc;
	err_set(e, ERR_INVALID, "%s names more than one record: %s%s", name, list,
		n > 4 ? " …" : "");
	return err_remedy(e, "write more characters of the id");
}

/* Pending ones first: a tail that names one of them means it. */
static int find_tail(struct seve *s, uint32_t territory, const char *name, struct name *n,
		     struct err *e)
{
	sqlite3_stmt *q =
		store_query(s->store, e, STORE_record_by_tail, "it", (int64_t)territory, n->tail);
	struct uuid first = {{0}};
	bool waiting;
	int rc = store_step(s->store, q, e);

	if (rc < 0)
		return rc;
	if (!rc)
		return not_found(s, name, territory, e);
	if (store_bytes(q, 0).len == sizeof first.b)
		memcpy(first.b, store_bytes(q, 0).at, sizeof first.b);
	waiting = store_int(q, 2) != 0;
	rc = store_step(s->store, q, e);
	if (rc == 1 && waiting == (store_int(q, 2) != 0)) {
		rc = ambiguous(s, q, name, &first, e);
		store_done(q);
		return rc;
	}
	store_done(q);
	n->id = first;
	return rc < 0 ? rc : 0;
}

static int find_ref(struct seve *s, uint32_t territory, const char *name, struct name *n,
		    struct err *e)
{
	sqlite3_stmt *q = store_query(s->store, e, STORE_record_by_ref, "iii", (int64_t)territory,
				      (int64_t)n->kind->number, (int64_t)n->ref_no);
	int rc = store_step(s->store, q, e);

	if (rc < 0)
		return rc;
	if (!rc || store_bytes(q, 0).len != sizeof n->id.b) {
		store_done(q);
		return not_found(s, name, territory, e);
	}
	memcpy(n->id.b, store_bytes(q, 0).at, sizeof n->id.b);
	store_done(q);
	return 0;
}

static int get_local(struct seve *s, uint32_t territory, const char *name, struct name *n,
		     struct seve_record **out, struct err *e)
{
	struct seve_record *r;
	struct outbox_view v;
	bool waiting;
	int rc = 0;

	if (n->form == NAME_TAIL)
		rc = find_tail(s, territory, name, n, e);
	else if (n->form == NAME_REF)
		rc = find_ref(s, territory, name, n, e);
	if (rc)
		return rc;
	r = record_alloc();
	if (!r)
		return err_set(e, ERR_NOMEM, "record");
	rc = overlay_shown(s->store, r->arena, territory, n->id.b, &v, &waiting, e);
	if (!rc && !v.kind)
		rc = not_found(s, name, territory, e);
	if (!rc)
		rc = record_show(r, territory, n->id.b, &v, waiting, true, e);
	if (rc) {
		seve_record_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

/* ---- from the server
 * ------------------------------------------------------------------------------------------- */

int read_from_server(struct seve *s, uint32_t territory, const Seve__GetRequest *get,
		     struct arena *a, const Seve__GetReply **out, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__GetRequest copy = *get;
	const Seve__Reply *reply;
	int rc;

	copy.has_territory = true;
	copy.territory = territory;
	req.body_case = SEVE__REQUEST__BODY_GET;
	req.get = &copy;
	rc = client_ask(s, &req, a, false, true, &reply, e);
	if (rc)
		return rc;
	if (reply->body_case != SEVE__REPLY__BODY_GET)
		return err_set(e, ERR_PROTOCOL, "the answer to a get is of another kind");
	*out = reply->get;
	return 0;
}

static int get_server(struct seve *s, uint32_t territory, const char *name, struct name *n,
		      struct seve_record **out, struct err *e)
{
	Seve__GetRequest get = SEVE__GET_REQUEST__INIT;
	ProtobufCBinaryData id = {sizeof n->id.b, n->id.b};
	char *ref = n->text;
	const Seve__GetReply *reply = NULL;
	struct arena a;
	int rc;

	if (n->form == NAME_TAIL) {
		err_set(e, ERR_INVALID,
			"%s: the server knows records by reference or by their whole id", name);
		return err_remedy(e, "write the whole id, or read from a replica");
	}
	get.n_ids = n->form == NAME_ID;
	get.ids = &id;
	get.n_refs = n->form == NAME_REF;
	get.refs = &ref;
	arena_init(&a, ASK_MAX);
	rc = read_from_server(s, territory, &get, &a, &reply, e);
	if (!rc && (!reply || !reply->n_records))
		rc = not_found(s, name, territory, e);
	if (!rc)
		rc = record_from_wire(territory, reply->records[0], out, e);
	arena_fini(&a);
	return rc;
}

/* ---- choosing
 * ----------------------------------------------------------------------------------------------------
 */

/* Where nothing is carried: is there an edit of it that waits? */
static int waits_here(struct seve *s, uint32_t territory, const struct name *n, bool *out,
		      struct err *e)
{
	struct outbox_view v;
	struct arena a;
	int rc;

	*out = n->form == NAME_TAIL;
	if (n->form != NAME_ID)
		return 0;
	arena_init(&a, ASK_MAX);
	rc = overlay_shown(s->store, &a, territory, n->id.b, &v, out, e);
	arena_fini(&a);
	return rc;
}

static int get_in(struct seve *s, uint32_t territory, const char *kind, const char *name,
		  enum seve_where where, struct seve_record **out, struct err *e)
{
	const struct kind *k = NULL;
	struct replica rep;
	struct name n;
	bool local;
	int rc = kind ? record_kind(kind, &k, e) : 0;

	if (!rc)
		rc = read_name(name, &n, e);
	if (!rc && k && n.kind && n.kind != k)
		rc = err_set(e, ERR_INVALID, "%s is a reference of kind %s, not %s", name,
			     n.kind->name, k->name);
	if (!rc)
		rc = replica_get(s->store, territory, &rep, e);
	local = where == SEVE_REPLICA || (where == SEVE_AUTO && !rc && rep.complete);
	if (!rc && where == SEVE_AUTO && !local)
		rc = waits_here(s, territory, &n, &local, e);
	if (rc)
		return rc;
	rc = local ? get_local(s, territory, name, &n, out, e)
		   : get_server(s, territory, name, &n, out, e);
	if (!rc && k && *out && (*out)->kind != k) {
		err_set(e, ERR_NOT_FOUND, "%s is of kind %s, not %s", name, (*out)->kind->name,
			k->name);
		seve_record_free(*out);
		return -ERR_NOT_FOUND;
	}
	if (rc == -ERR_NOT_FOUND && where == SEVE_REPLICA && !rep.complete)
		err_remedy(e, "there is no replica of this territory: synchronise it, or read from "
			      "the server");
	return rc;
}

int seve_get(struct seve *s, uint32_t territory, const char *kind, const char *name,
	     enum seve_where where, struct seve_record **out, struct seve_error **err)
{
	struct seve_record *r = NULL;
	struct err e = {0};

	if (!name || !*name)
		err_set(&e, ERR_USAGE, "no record is named");
	else if (get_in(s, territory, kind, name, where, &r, &e) == 0)
		*out = r;
	return error_out(err, &e);
}

/* ---- history
 * -------------------------------------------------------------------------------------------------------
 */

static int add_field_change(struct buf *b, const field_desc *fd, const ProtobufCMessage *before,
			    const ProtobufCMessage *after)
{
	int rc = buf_addf(b, "%s%s: ", buf_len(b) ? "; " : "", fd->name);

	if (!rc && before && field_present(before, fd))
		rc = field_to_text(before, fd, b);
	if (!rc)
		rc = buf_addf(b, " -> ");
	if (!rc && after && field_present(after, fd))
		rc = field_to_text(after, fd, b);
	return rc;
}

static bool differs(const ProtobufCMessage *x, const ProtobufCMessage *y, const field_desc *fd)
{
	if (!x || !y)
		return (x && field_present(x, fd)) || (y && field_present(y, fd));
	return !field_equal(x, y, fd);
}

int read_changes(struct buf *b, const Seve__Body *before, const Seve__Body *after)
{
	const struct kind *k = kind_of(after);
	const ProtobufCMessage *x = kind_message(before), *y = kind_message(after);
	const field_desc *level =
		protobuf_c_message_descriptor_get_field_by_name(&seve__meta__descriptor, "level");
	int rc = 0;

	if (!k || kind_of(before) != k)
		return 0;
	for (unsigned i = 0; !rc && i < k->desc->n_fields; i++)
		if (differs(x, y, &k->desc->fields[i]))
			rc = add_field_change(b, &k->desc->fields[i], x, y);
	x = before->meta ? &before->meta->base : NULL;
	y = after->meta ? &after->meta->base : NULL;
	if (!rc && differs(x, y, level))
		rc = add_field_change(b, level, x, y);
	return rc;
}

static int unpack_entry(struct arena *a, const Seve__HistoryEntry *h, const Seve__Body **out,
			struct err *e)
{
	ProtobufCMessage *m;

	*out = NULL;
	if (!h->has_body || !h->body.len)
		return 0;
	if (wire_unpack(a, &seve__body__descriptor, h->body.data, h->body.len, &m, e))
		return err_prefix(e, "version of rev %llu", (unsigned long long)h->rev);
	*out = (const Seve__Body *)m;
	return 0;
}

static int put_changes(struct seve_table *t, struct arena *a, const Seve__HistoryEntry *h,
		       const Seve__HistoryEntry *older, struct err *e)
{
	const Seve__Body *after, *before = NULL;
	struct buf b;
	int rc = unpack_entry(a, h, &after, e);

	if (!rc && older)
		rc = unpack_entry(a, older, &before, e);
	if (rc)
		return rc;
	buf_init(&b, RECORD_TEXT_MAX);
	if (!older)
		rc = buf_addf(&b, "created");
	else if (!after)
		rc = buf_addf(&b, "deleted");
	else if (!before)
		rc = buf_addf(&b, "restored");
	else
		rc = read_changes(&b, before, after);
	/* What does not fit is cut: the versions themselves are on the server. */
	if (!rc || rc == -ERR_TOO_BIG)
		table_put(t, "changes", "%.*s", (int)buf_len(&b), (const char *)buf_span(&b).at);
	rc = rc == -ERR_NOMEM ? err_set(e, ERR_NOMEM, "history") : 0;
	buf_fini(&b);
	return rc;
}

static int history_row(struct seve_table *t, const Seve__HistoryEntry *h,
		       const Seve__HistoryEntry *older, struct err *e)
{
	struct arena a;
	char at[32] = "";
	int rc;

	if (h->has_at)
		text_from_instant(h->at, at);
	table_row(t);
	table_put(t, "rev", "%llu", (unsigned long long)h->rev);
	table_put(t, "at", "%s", at);
	table_put(t, "by", "%s", h->by ? h->by : "");
	table_put(t, "reason", "%s", h->reason ? h->reason : "");
	table_put(t, "deleted", "%s", h->deleted ? "yes" : "no");
	arena_init(&a, RECORD_ARENA_MAX);
	rc = put_changes(t, &a, h, older, e);
	arena_fini(&a);
	return rc;
}

static int history_in(struct seve *s, uint32_t territory, const char *id, struct arena *a,
		      struct seve_table *t, struct err *e)
{
	Seve__Request req = SEVE__REQUEST__INIT;
	Seve__HistoryRequest history = SEVE__HISTORY_REQUEST__INIT;
	const Seve__Reply *reply;
	struct uuid u;
	int rc = uuid_parse(id, &u, e);

	if (rc)
		return rc;
	history.has_territory = history.has_id = history.has_limit = true;
	history.territory = territory;
	history.id = (ProtobufCBinaryData){sizeof u.b, u.b};
	history.limit = HISTORY_LIMIT;
	req.body_case = SEVE__REQUEST__BODY_HISTORY;
	req.history = &history;
	rc = client_ask(s, &req, a, false, true, &reply, e);
	if (rc) {
		if (client_retryable(e))
			err_remedy(e, "the history stands on the server alone: try again when it "
				      "can be reached");
		return rc;
	}
	if (reply->body_case != SEVE__REPLY__BODY_HISTORY)
		return err_set(e, ERR_PROTOCOL, "the answer to a history is of another kind");
	for (size_t i = 0; !rc && i < reply->history->n_entries; i++)
		rc = history_row(t, reply->history->entries[i],
				 i + 1 < reply->history->n_entries ? reply->history->entries[i + 1]
								   : NULL,
				 e);
	return rc;
}

int seve_history(struct seve *s, uint32_t territory, const char *id, struct seve_table **out,
		 struct seve_error **err)
{
	static const char *const columns[] = {"rev",     "at",      "by", "reason",
					      "deleted", "changes", NULL};
	struct seve_table *t = table_new(columns);
	struct err e = {0};
	struct arena a;

	arena_init(&a, 4 * ASK_MAX);
	if (history_in(s, territory, id, &a, t, &e))
		seve_table_free(t);
	else
		table_finish(t, out, &e);
	arena_fini(&a);
	return error_out(err, &e);
}

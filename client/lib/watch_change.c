/* watch_change.c -- what a page of a watch says, record by record: see watch.h. */
#include "field.h"
#include "kind.h"
#include "read.h"
#include "record.h"
#include "text.h"
#include "watch.h"
#include "wire.h"

/* ---- making
 * -----------------------------------------------------------------------------------------------
 */

/* What the store holds of the record: 1, 0: nothing, or nothing older. */
static int known(struct store *st, struct arena *a, uint32_t territory, const Seve__Record *r,
		 const Seve__Body **out, bool *deleted, struct err *e)
{
	const struct span id = {r->id.data, r->id.len};
	sqlite3_stmt *q = store_query(st, e, STORE_record_get, "ib", (int64_t)territory, id);
	int rc = store_step(st, q, e);
	ProtobufCMessage *m = NULL;
	struct span body;

	if (rc <= 0)
		return rc;
	if ((uint64_t)store_int(q, 1) >= r->rev) {
		store_done(q);
		return 0;
	}
	*deleted = store_int(q, 3) != 0;
	body = store_bytes(q, 4);
	if (body.len && wire_unpack(a, &seve__body__descriptor, body.at, body.len, &m, e) < 0)
		rc = -(int)e->code;
	*out = (const Seve__Body *)m;
	store_done(q);
	return rc;
}

static const char *op_of(const struct seve_change *c, int had, bool had_deleted)
{
	const Seve__Meta *m = c->after ? c->after->meta : NULL;

	if (!c->after)
		return "deleted";
	if (had)
		return had_deleted ? "restored" : "edited";
	return m && m->created_at == m->updated_at ? "created" : "edited";
}

static int fill(struct store *st, struct arena *a, uint32_t territory, const Seve__Record *r,
		bool compare, struct seve_change *c, struct err *e)
{
	bool had_deleted = false;
	ProtobufCMessage *m = NULL;
	struct uuid id;
	int had = 0;

	if (r->id.len != sizeof id.b)
		return err_set(e, ERR_PROTOCOL, "a page holds a record without id");
	memcpy(id.b, r->id.data, sizeof id.b);
	uuid_format(&id, c->id);
	c->arena = a;
	c->territory = territory;
	c->rev = r->rev;
	c->kind_number = r->kind;
	c->kind = kind_by_number(r->kind);
	if (!r->deleted && r->body.len &&
	    wire_unpack(a, &seve__body__descriptor, r->body.data, r->body.len, &m, e) < 0)
		return err_prefix(e, "record of rev %llu", (unsigned long long)r->rev);
	c->after = (const Seve__Body *)m;
	if (compare)
		had = known(st, a, territory, r, &c->before, &had_deleted, e);
	if (had < 0)
		return had;
	c->op = op_of(c, had, had_deleted);
	m = NULL;
	const Seve__Body *any = c->after ? c->after : c->before;
	if (any && any->meta && any->meta->ref_no && c->kind)
		kind_format_ref(c->kind, any->meta->ref_no, c->ref);
	if (c->after && c->after->meta)
		text_from_instant(c->after->meta->updated_at, c->at);
	return 0;
}

int watch_changes(struct store *st, struct arena *a, const Seve__Page *p, bool compare,
		  struct seve_change **out, struct err *e)
{
	struct seve_change *list = arena_array(a, p->n_records + 1, sizeof *list);
	int rc = 0;

	if (!list)
		return err_set(e, ERR_NOMEM, "page");
	for (size_t i = 0; !rc && i < p->n_records; i++)
		rc = fill(st, a, p->territory, p->records[i], compare, &list[i], e);
	*out = list;
	return rc;
}

void watch_change_fini(struct seve_change *c)
{
	seve_record_free(c->record);
	c->record = NULL;
	free(c->fields);
	c->fields = NULL;
}

/* ---- public
 * -----------------------------------------------------------------------------------------------
 */

uint32_t seve_change_territory(const struct seve_change *c)
{
	return c->territory;
}

uint64_t seve_change_rev(const struct seve_change *c)
{
	return c->rev;
}

const char *seve_change_kind(const struct seve_change *c)
{
	return c->kind ? c->kind->name : "";
}

const char *seve_change_id(const struct seve_change *c)
{
	return c->id;
}

const char *seve_change_ref(const struct seve_change *c)
{
	return c->ref;
}

const char *seve_change_op(const struct seve_change *c)
{
	return c->op;
}

const char *seve_change_at(const struct seve_change *c)
{
	return c->at;
}

const char *seve_change_by(const struct seve_change *c)
{
	const Seve__Meta *m = c->after ? c->after->meta : NULL;

	return m && m->updated_by ? m->updated_by : "";
}

const char *seve_change_fields(struct seve_change *c)
{
	struct buf b;

	if (!c->before || !c->after)
		return "";
	if (c->fields)
		return c->fields;
	buf_init(&b, RECORD_TEXT_MAX);
	if (!read_changes(&b, c->before, c->after) && !buf_add(&b, "", 1))
		c->fields = strdup((const char *)buf_span(&b).at);
	buf_fini(&b);
	return c->fields ? c->fields : "";
}

const struct seve_record *seve_change_record(struct seve_change *c)
{
	struct outbox_view v = {.kind = c->kind, .rev = c->rev, .body = c->after};
	struct err ignored;
	struct uuid id;

	if (c->record || !c->kind || !c->after || kind_of(c->after) != c->kind)
		return c->record;
	c->record = record_alloc();
	if (c->record && (uuid_parse(c->id, &id, &ignored) < 0 ||
			  record_show(c->record, c->territory, id.b, &v, false, true, &ignored))) {
		seve_record_free(c->record);
		c->record = NULL;
	}
	return c->record;
}

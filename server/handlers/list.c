/* list.c -- records of a kind by the values of their fields: SQL over the typed tables, written
 * from the descriptor. Order is the same as in a replica: the kind's sort field (bytes for text,
 * absent last), then the id. */
#include <stdio.h>
#include <string.h>

#include "dispatch.h"
#include "pg/load.h"
#include "pg/record.h"
#include "server.h"
#include "text.h"

enum {
	LIST_DEFAULT = 200,
	LIST_MAX = 1000,
	LIST_FILTERS_MAX = 16,
	LIST_TERRITORIES_MAX = 500,
	LIST_SQL_MAX = 16 * 1024
};

struct list {
	struct request *request;
	const struct kind *kind;
	const field_desc *sort;
	uint32_t limit;
	struct pg_stmt *rows, *withheld;
	uint32_t *territories;
	size_t n_territories;
	struct pg_array ids, levels, actors;
};

/* ---- the statement ----------------------------------------------------------------------------
 */

static const char *const operators[] = {
	[SEVE__FILTER__OP__EQ] = "=", [SEVE__FILTER__OP__NE] = "IS DISTINCT FROM",
	[SEVE__FILTER__OP__LT] = "<", [SEVE__FILTER__OP__LE] = "<=",
	[SEVE__FILTER__OP__GT] = ">", [SEVE__FILTER__OP__GE] = ">=",
};

/* Accents and case do not count when one looks for a text. */
static int add_folded(struct buf *sql, const char *expression)
{
	return buf_addf(sql,
			"regexp_replace(normalize(lower(%s), NFKD), '[\\u0300-\\u036f]', '', 'g')",
			expression);
}

static int add_contains(struct buf *sql, const field_desc *fd, int param)
{
	char column[96], value[16];
	int rc;

	snprintf(column, sizeof column, "t.\"%s\"", fd->name);
	snprintf(value, sizeof value, "$%d::text", param);
	if (field_type(fd) == FIELD_TEXTS)
		return buf_addf(sql, " AND %s = ANY(%s)", value, column);
	if (field_type(fd) == FIELD_IDS)
		return buf_addf(sql, " AND %s::uuid = ANY(%s)", value, column);
	rc = buf_addf(sql, " AND position(");
	rc |= add_folded(sql, value);
	rc |= buf_addf(sql, " in ");
	rc |= add_folded(sql, column);
	return rc | buf_addf(sql, ") > 0");
}

/* The expression of a column as SQL compares it: text by bytes, so that order is the same
 * everywhere. */
static void column_expression(const field_desc *fd, char *out, size_t size)
{
	bool text = field_type(fd) == FIELD_TEXT || field_type(fd) == FIELD_ENUM;

	snprintf(out, size, "t.\"%s\"%s", fd->name, text ? " COLLATE \"C\"" : "");
}

/* Fields of the record itself, whatever the kind. */
static const struct meta_column {
	const char *name, *expression, *cast;
	int (*check)(const char *text, char *out, size_t size, struct err *e);
} meta_columns[];

static int check_instant(const char *text, char *out, size_t size, struct err *e)
{
	int64_t ms;
	int rc = text_to_instant(text, &ms, e);

	if (!rc)
		snprintf(out, size, "%lld", (long long)ms);
	return rc;
}

static int check_level(const char *text, char *out, size_t size, struct err *e)
{
	int level;
	int rc = field_enum_number(&seve__level__descriptor, text, &level, e);

	if (!rc)
		snprintf(out, size, "%d", level);
	return rc;
}

static int check_number(const char *text, char *out, size_t size, struct err *e)
{
	int64_t n;
	int rc = text_to_int(text, 0, INT32_MAX, &n, e);

	if (!rc)
		snprintf(out, size, "%lld", (long long)n);
	return rc;
}

static const struct meta_column meta_columns[] = {
	{"updated_at", "r.changed_at", "bigint", check_instant},
	{"level", "r.level", "smallint", check_level},
	{"ref_no", "r.ref_no", "int", check_number},
};

static const struct meta_column *meta_column(const char *name)
{
	for (size_t i = 0; i < sizeof meta_columns / sizeof *meta_columns; i++)
		if (!strcmp(meta_columns[i].name, name))
			return &meta_columns[i];
	return NULL;
}

static int filter_meta(const struct meta_column *m, const Seve__Filter *f, struct buf *sql,
		       struct pg_params *p, struct err *e)
{
	char value[32];

	if (f->op > SEVE__FILTER__OP__GE)
		return err_set(e, ERR_INVALID, "%s cannot be filtered in this way", m->name);
	if (m->check(f->value, value, sizeof value, e))
		return err_prefix(e, "%s", m->name);
	pg_params_text(p, value);
	return buf_addf(sql, " AND %s %s $%d::text::%s", m->expression, operators[f->op], p->n,
			m->cast)
		       ? err_set(e, ERR_TOO_BIG, "too many filters")
		       : 0;
}

/* Reads the value as the field's own, so that what SQL casts is well-formed, and writes it back in
 * canonical form. */
static int filter_value(struct list *l, const field_desc *fd, const char *text, struct pg_params *p,
			struct err *e)
{
	struct arena *a = &l->request->arena;
	ProtobufCMessage *m = arena_alloc(a, l->kind->desc->sizeof_message);
	struct buf b;
	int rc;

	if (!m)
		return err_set(e, ERR_NOMEM, "filter");
	protobuf_c_message_init(l->kind->desc, m);
	rc = field_from_text(a, m, fd, text, e);
	if (rc)
		return rc;
	buf_init(&b, FIELD_TEXT_MAX);
	rc = field_to_text(m, fd, &b);
	if (!rc)
		rc = buf_add(&b, "", 1);
	if (!rc)
		pg_params_text(p, (const char *)buf_span(&b).at);
	buf_fini(&b);
	return rc ? err_set(e, ERR_TOO_BIG, "%s: the value is too long", fd->name) : 0;
}

static int filter_null(const field_desc *fd, const Seve__Filter *f, struct buf *sql, struct err *e)
{
	bool yes = !strcmp(f->value, "yes");

	if (!yes && strcmp(f->value, "no"))
		return err_set(e, ERR_INVALID, "%s: null is yes or no, not %s", fd->name, f->value);
	return buf_addf(sql, " AND t.\"%s\" IS %sNULL", fd->name, yes ? "" : "NOT ")
		       ? err_set(e, ERR_TOO_BIG, "too many filters")
		       : 0;
}

static int filter_add(struct list *l, const Seve__Filter *f, struct buf *sql, struct pg_params *p,
		      struct err *e)
{
	const struct meta_column *meta;
	const field_desc *fd;
	char column[128];
	int rc;

	if (!f->field || !f->value || f->op > SEVE__FILTER__OP__NULL ||
	    f->op < SEVE__FILTER__OP__EQ)
		return err_set(e, ERR_INVALID, "a filter has a field, an operator and a value");
	meta = meta_column(f->field);
	if (meta)
		return filter_meta(meta, f, sql, p, e);
	fd = field_by_name(l->kind, f->field);
	if (!fd || field_type(fd) == FIELD_MESSAGE || field_type(fd) == FIELD_MESSAGES)
		return err_set(e, ERR_INVALID, "%s has no field %s to filter by", l->kind->name,
			       f->field);
	if (f->op == SEVE__FILTER__OP__NULL)
		return filter_null(fd, f, sql, e);
	rc = f->op == SEVE__FILTER__OP__CONTAINS && field_type(fd) == FIELD_TEXT
		     ? (pg_params_text(p, f->value), 0)
		     : filter_value(l, fd, f->value, p, e);
	if (rc)
		return rc;
	column_expression(fd, column, sizeof column);
	if (f->op == SEVE__FILTER__OP__CONTAINS)
		rc = add_contains(sql, fd, p->n);
	else if (field_is_set(field_type(fd)))
		return err_set(e, ERR_INVALID, "%s is a set: it can only be asked what it contains",
			       fd->name);
	else
		rc = buf_addf(sql, " AND %s %s $%d::text::%s", column, operators[f->op], p->n,
			      record_column_type(fd));
	return rc ? err_set(e, ERR_TOO_BIG, "too many filters") : 0;
}

/* What follows the last row of the previous reply: 'v' or 'n', the id, the sort value as text. */
static int after_add(struct list *l, ProtobufCBinaryData after, struct buf *sql,
		     struct pg_params *p, struct err *e)
{
	const char *type = record_column_type(l->sort);
	char column[128], *value;
	int rc;

	if (!after.len)
		return 0;
	if (after.len < 17 || (after.data[0] != 'v' && after.data[0] != 'n') ||
	    after.len > 17 + FIELD_TEXT_MAX || !text_is_utf8(after.data + 17, after.len - 17, NULL))
		return err_set(e, ERR_INVALID, "after: not a place that a list ended at");
	column_expression(l->sort, column, sizeof column);
	pg_params_uuid(p, after.data + 1);
	if (after.data[0] == 'n')
		return buf_addf(sql, " AND %s IS NULL AND r.id > $%d", column, p->n)
			       ? err_set(e, ERR_TOO_BIG, "after")
			       : 0;
	value = arena_strndup(&l->request->arena, (const char *)after.data + 17, after.len - 17);
	if (!value)
		return err_set(e, ERR_NOMEM, "list");
	pg_params_text(p, value);
	rc = buf_addf(
		sql,
		" AND (%s > $%d::text::%s OR (%s = $%d::text::%s AND r.id > $%d) OR %s IS NULL)",
		column, p->n, type, column, p->n, type, p->n - 1, column);
	return rc ? err_set(e, ERR_TOO_BIG, "after") : 0;
}

static int list_sql(struct list *l, struct buf *sql, struct pg_params *p, struct err *e)
{
	const Seve__ListRequest *q = l->request->body->list;
	char column[128];
	int rc;

	column_expression(l->sort, column, sizeof column);
	rc = buf_addf(
		sql,
		"SELECT r.territory_id, r.id, r.kind, r.rev, r.body, (t.\"%s\")::text FROM "
		"unnest($1::int[], $2::smallint[], $3::uuid[]) "
		"g(t, l, a) JOIN %s t ON t.territory_id = g.t JOIN record r ON r.territory_id = "
		"t.territory_id AND r.id = t.id "
		"WHERE (r.level <= g.l OR r.owner_actor = g.a)",
		l->sort->name, l->kind->table);
	for (size_t i = 0; !rc && i < q->n_filters; i++)
		rc = filter_add(l, q->filters[i], sql, p, e);
	if (rc || after_add(l, q->after, sql, p, e))
		return -(int)e->code;
	pg_params_int4(p, (int32_t)l->limit + 1);
	rc = buf_addf(sql, " ORDER BY %s NULLS LAST, r.id LIMIT $%d", column, p->n);
	return rc ? err_set(e, ERR_TOO_BIG, "list") : 0;
}

/* ---- the reply
 * ------------------------------------------------------------------------------------- */

static Seve__TerritoryRecord *item_make(struct arena *a, const PGresult *res, int row)
{
	Seve__TerritoryRecord *t = arena_alloc(a, sizeof *t);
	Seve__Record *r = arena_alloc(a, sizeof *r);
	struct span body = pg_get_bytes(res, row, 4);

	if (!t || !r)
		return NULL;
	seve__territory_record__init(t);
	seve__record__init(r);
	t->has_territory = r->has_id = r->has_kind = r->has_rev = r->has_body = true;
	t->territory = (uint32_t)pg_get_int4(res, row, 0);
	t->record = r;
	r->id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)pg_get_bytes(res, row, 1).at};
	r->kind = (uint32_t)pg_get_int2(res, row, 2);
	r->rev = (uint64_t)pg_get_int8(res, row, 3);
	r->body = (ProtobufCBinaryData){body.len, (uint8_t *)(uintptr_t)body.at};
	return t;
}

static int next_make(struct arena *a, const PGresult *res, int row, Seve__ListReply *reply)
{
	struct span value = pg_get_bytes(res, row, 5);
	uint8_t *next = arena_alloc(a, 17 + value.len);

	if (!next)
		return -ERR_NOMEM;
	next[0] = pg_is_null(res, row, 5) ? 'n' : 'v';
	memcpy(next + 1, pg_get_bytes(res, row, 1).at, 16);
	if (value.len)
		memcpy(next + 17, value.at, value.len);
	reply->has_next = true;
	reply->next = (ProtobufCBinaryData){17 + value.len, next};
	return 0;
}

/* As many rows as fit a frame: at least one, since a record is far smaller than a frame. */
static int list_items(struct list *l, Seve__ListReply *out)
{
	const PGresult *res = l->rows->result;
	struct arena *a = &l->request->arena;
	int n = PQntuples(res), row;
	size_t bytes = 0;

	out->items = arena_array(a, (size_t)n + 1, sizeof *out->items);
	if (!out->items)
		return -ERR_NOMEM;
	for (row = 0; row < n && row < (int)l->limit; row++) {
		bytes += pg_get_bytes(res, row, 4).len + 64;
		if (row && bytes > FRAME_MAX - 64 * 1024)
			break;
		out->items[row] = item_make(a, res, row);
		if (!out->items[row])
			return -ERR_NOMEM;
		out->n_items++;
	}
	return row < n && row ? next_make(a, res, row - 1, out) : 0;
}

static void list_done(struct pg_unit *u)
{
	struct list *l = u->owner;
	Seve__ListReply list = SEVE__LIST_REPLY__INIT;
	Seve__Reply reply = SEVE__REPLY__INIT;
	struct err e = u->err;
	PGresult *kept;

	if (!e.code && list_items(l, &list))
		err_set(&e, ERR_NOMEM, "list");
	if (e.code) {
		pg_unit_clear(u);
		request_fail(l->request, &e);
		return;
	}
	list.has_withheld = true;
	list.withheld = (uint64_t)pg_get_int8(l->withheld->result, 0, 0);
	reply.body_case = SEVE__REPLY__BODY_LIST;
	reply.list = &list;
	kept = l->rows->result; /* the items borrow from it until the reply is packed; the unit goes
				   with the request */
	l->rows->result = NULL;
	pg_unit_clear(u);
	request_reply(l->request, &reply);
	PQclear(kept);
}

/* ---- starting
 * ----------------------------------------------------------------------------------------- */

static int add_territory(struct list *l, uint32_t territory, const struct rights *r, struct err *e)
{
	for (size_t i = 0; i < l->n_territories; i++)
		if (l->territories[i] == territory)
			return 0;
	if (l->n_territories == LIST_TERRITORIES_MAX)
		return err_set(e, ERR_INVALID, "a list spans at most %d territories",
			       LIST_TERRITORIES_MAX);
	l->territories[l->n_territories++] = territory;
	pg_array_int4(&l->ids, (int32_t)territory);
	pg_array_int2(&l->levels, (int16_t)r->reads);
	if (l->kind->writers & KIND_BY_P && !uuid_is_nil(&r->actor))
		pg_array_uuid(&l->actors, r->actor.b);
	else
		pg_array_null(&l->actors);
	return 0;
}

static int list_territories(struct list *l, struct err *e)
{
	const Seve__ListRequest *q = l->request->body->list;
	const struct principal *who = l->request->who;
	struct rights rights;
	int rc = 0;

	l->territories =
		arena_array(&l->request->arena, LIST_TERRITORIES_MAX, sizeof *l->territories);
	if (!l->territories)
		return err_set(e, ERR_NOMEM, "list");
	for (size_t i = 0; !rc && i < q->n_territories; i++) {
		rc = authz_read(who, q->territories[i], &rights, e);
		rc = rc ? rc : add_territory(l, q->territories[i], &rights, e);
	}
	for (size_t i = 0; !rc && !q->n_territories && i < who->n_grants; i++) {
		rights = authz_rights(who, who->grants[i].territory);
		if (who->grants[i].territory != AUTHZ_SERVER_WIDE &&
		    rights.reads != SEVE__LEVEL__LEVEL_UNSPECIFIED)
			rc = add_territory(l, who->grants[i].territory, &rights, e);
	}
	return rc;
}

static int ask_withheld(struct list *l, struct pg_unit *u)
{
	l->withheld = pg_unit_add(u, pg_sql("list_withheld"));
	if (!l->withheld)
		return -ERR_NOMEM;
	pg_params_array(&l->withheld->params, &l->ids);
	pg_params_array(&l->withheld->params, &l->levels);
	pg_params_array(&l->withheld->params, &l->actors);
	pg_params_int4(&l->withheld->params, (int32_t)l->kind->number);
	return pg_params_bad(&l->withheld->params) ? -ERR_NOMEM : 0;
}

static int list_ask(struct list *l, struct err *e)
{
	struct pg_unit *u = pg_unit_new(&l->request->arena, l, list_done);
	struct pg_params *p;
	struct buf sql;
	char *text;

	if (!u || load_territories(u, l->territories, l->n_territories) || ask_withheld(l, u))
		return err_set(e, ERR_NOMEM, "list");
	l->rows = pg_unit_add(u, (struct pg_query){NULL, ""});
	if (!l->rows)
		return err_set(e, ERR_NOMEM, "list");
	p = &l->rows->params;
	pg_params_array(p, &l->ids);
	pg_params_array(p, &l->levels);
	pg_params_array(p, &l->actors);
	buf_init(&sql, LIST_SQL_MAX);
	if (list_sql(l, &sql, p, e)) {
		buf_fini(&sql);
		return -(int)e->code;
	}
	text = arena_strndup(&l->request->arena, (const char *)buf_span(&sql).at, buf_len(&sql));
	buf_fini(&sql);
	if (!text || pg_params_bad(p))
		return err_set(e, ERR_NOMEM, "list");
	l->rows->query.text = text;
	pg_pool_submit(l->request->server->readers, u);
	return 0;
}

static int list_start(struct request *r, struct err *e)
{
	const Seve__ListRequest *q = r->body->list;
	struct list *l = arena_zalloc(&r->arena, sizeof *l);

	*e = (struct err){.code = ERR_OK};
	if (!l)
		return err_set(e, ERR_NOMEM, "list");
	l->request = r;
	l->kind = kind_by_number(q->kind);
	if (!l->kind)
		return err_set(e, ERR_INVALID, "kind %u is not known to this server", q->kind);
	if (q->n_filters > LIST_FILTERS_MAX)
		return err_set(e, ERR_INVALID, "a list takes at most %d filters", LIST_FILTERS_MAX);
	l->sort = field_by_name(l->kind, l->kind->sort);
	l->limit = !q->limit ? LIST_DEFAULT : q->limit > LIST_MAX ? LIST_MAX : q->limit;
	pg_array_init(&l->ids, &r->arena, PG_INT4);
	pg_array_init(&l->levels, &r->arena, PG_INT2);
	pg_array_init(&l->actors, &r->arena, PG_UUID);
	if (list_territories(l, e))
		return -(int)e->code;
	return list_ask(l, e);
}

void handle_list(struct request *r)
{
	struct err e;

	if (list_start(r, &e))
		request_fail(r, &e);
}

/* record.c -- see record.h. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* How a field travels: the element type of its array, and a cast where arrays of arrays would be
 * flattened by unnest(). */
struct column_form {
	unsigned element;
	const char *sql;  /* the column's type */
	const char *cast; /* from text, or "" */
};

static const struct column_form forms[] = {
	[FIELD_TEXT] = {PG_TEXT, "text", ""},
	[FIELD_BOOL] = {PG_BOOL, "boolean", ""},
	[FIELD_INT] = {PG_INT8, "bigint", ""},
	[FIELD_UINT] = {PG_INT8, "bigint", ""},
	[FIELD_DOUBLE] = {PG_FLOAT8, "double precision", ""},
	[FIELD_ENUM] = {PG_TEXT, "text", ""},
	[FIELD_DATE] = {PG_DATE, "date", ""},
	[FIELD_INSTANT] = {PG_TIMESTAMPTZ, "timestamp with time zone", ""},
	[FIELD_ID] = {PG_UUID, "uuid", ""},
	[FIELD_TEXTS] = {PG_TEXT, "text[]", "::text[]"},
	[FIELD_IDS] = {PG_TEXT, "uuid[]", "::uuid[]"},
	[FIELD_MESSAGE] = {PG_TEXT, "jsonb", "::jsonb"},
	[FIELD_MESSAGES] = {PG_TEXT, "jsonb", "::jsonb"},
};

const char *record_column_type(const field_desc *fd)
{
	return forms[field_type(fd)].sql;
}

static const char *element_name(unsigned element)
{
	switch ((enum pg_oid)element) {
	case PG_BOOL:
		return "bool";
	case PG_INT8:
		return "bigint";
	case PG_FLOAT8:
		return "float8";
	case PG_DATE:
		return "date";
	case PG_TIMESTAMPTZ:
		return "timestamptz";
	case PG_UUID:
		return "uuid";
	case PG_BYTEA:
	case PG_INT2:
	case PG_INT4:
	case PG_TEXT:
	case PG_JSONB:
	case PG_BOOL_ARRAY:
	case PG_BYTEA_ARRAY:
	case PG_INT2_ARRAY:
	case PG_INT4_ARRAY:
	case PG_TEXT_ARRAY:
	case PG_INT8_ARRAY:
	case PG_FLOAT8_ARRAY:
	case PG_DATE_ARRAY:
	case PG_TIMESTAMPTZ_ARRAY:
	case PG_UUID_ARRAY:
		break;
	}
	return "text";
}

/* ---- the statements of a kind --------------------------------------------------------------- */

enum { KINDS_MAX = 64, SQL_MAX = 16 * 1024 };

struct table {
	struct pg_query insert, upsert, remove, all;
	struct pg_query *unique; /* one per field; text NULL where the field is not unique */
};
static struct table tables[KINDS_MAX];

/* A query that lives as long as the program. */
static int keep(struct pg_query *q, const char *verb, const char *name, const char *field,
		struct buf *sql)
{
	char id[128];

	snprintf(id, sizeof id, "%s_%s%s%s", verb, name, field ? "_" : "", field ? field : "");
	q->name = strdup(id);
	q->text = strndup((const char *)buf_span(sql).at, buf_len(sql));
	buf_consume(sql, buf_len(sql));
	return q->name && q->text ? 0 : -ERR_NOMEM;
}

/* `columns`: those that are given, by the index of the field; the others are left NULL. */
static int write_insert(struct buf *b, const struct kind *k, uint64_t columns)
{
	const ProtobufCMessageDescriptor *d = k->desc;
	unsigned param = 3;
	int rc = buf_addf(b, "INSERT INTO %s (territory_id, id", k->table);

	for (unsigned i = 0; i < d->n_fields; i++)
		if (columns >> i & 1)
			rc |= buf_addf(b, ", \"%s\"", d->fields[i].name);
	rc |= buf_addf(b, ") SELECT unnest($1::int[]), unnest($2::uuid[])");
	for (unsigned i = 0; i < d->n_fields; i++) {
		const struct column_form *form = &forms[field_type(&d->fields[i])];

		if (columns >> i & 1)
			rc |= buf_addf(b, ", unnest($%u::%s[])%s", param++,
				       element_name(form->element), form->cast);
	}
	return rc;
}

static int write_upsert(struct buf *b, const struct kind *k)
{
	const ProtobufCMessageDescriptor *d = k->desc;
	int rc = write_insert(b, k, UINT64_MAX) |
		 buf_addf(b, " ON CONFLICT (territory_id, id) DO UPDATE SET ");

	for (unsigned i = 0; i < d->n_fields; i++)
		rc |= buf_addf(b, "%s\"%s\" = excluded.\"%s\"", i ? ", " : "", d->fields[i].name,
			       d->fields[i].name);
	return rc;
}

static int write_unique(struct buf *b, const struct kind *k, const field_desc *fd)
{
	return buf_addf(
		b,
		"SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, "
		"coalesce(r.ref_no, 0), r.narrowed_rev, "
		"r.field_revs, r.body, true, u.t, u.v FROM (SELECT unnest($1::int[]), "
		"unnest($2::text[])) u(t, v) "
		"CROSS JOIN LATERAL (SELECT y.id FROM %s y WHERE y.territory_id = u.t AND y.\"%s\" "
		"= u.v OFFSET 0) x "
		"CROSS JOIN LATERAL (SELECT * FROM record z WHERE z.territory_id = u.t AND z.id = "
		"x.id OFFSET 0) r",
		k->table, fd->name);
}

static int table_init(struct table *t, const struct kind *k, struct buf *b)
{
	int rc = write_insert(b, k, UINT64_MAX) || keep(&t->insert, "insert", k->name, NULL, b) ||
		 write_upsert(b, k) || keep(&t->upsert, "upsert", k->name, NULL, b);

	rc = rc ||
	     buf_addf(b,
		      "DELETE FROM %s x USING unnest($1::int[], $2::uuid[]) u(t, i) "
		      "WHERE x.territory_id = u.t AND x.id = u.i",
		      k->table) ||
	     keep(&t->remove, "remove", k->name, NULL, b);
	rc = rc ||
	     buf_addf(b,
		      "SELECT r.territory_id, r.id, r.kind, r.rev, r.level, r.deleted, "
		      "coalesce(r.ref_no, 0), r.narrowed_rev, r.field_revs, r.body, true "
		      "FROM unnest($1::int[]) u(t) "
		      "CROSS JOIN LATERAL (SELECT y.id FROM %s y WHERE y.territory_id = u.t OFFSET "
		      "0) x "
		      "CROSS JOIN LATERAL (SELECT * FROM record z WHERE z.territory_id = u.t AND "
		      "z.id = x.id OFFSET 0) r WHERE NOT r.deleted",
		      k->table) ||
	     keep(&t->all, "all", k->name, NULL, b);
	t->unique = calloc(k->desc->n_fields, sizeof *t->unique);
	if (rc || !t->unique)
		return -ERR_NOMEM;
	for (unsigned i = 0; i < k->desc->n_fields; i++) {
		const field_desc *fd = &k->desc->fields[i];

		if (!(field_rule(k, fd).flags & FIELD_UNIQUE))
			continue;
		if (write_unique(b, k, fd) || keep(&t->unique[i], "unique", k->name, fd->name, b))
			return -ERR_NOMEM;
	}
	return 0;
}

int record_init(struct err *e)
{
	struct buf b;
	int rc = 0;

	if (tables[0].upsert.text)
		return 0;
	buf_init(&b, SQL_MAX);
	for (size_t i = 0; !rc && i < kind_count(); i++)
		rc = kind_at(i)->desc->n_fields + 2 > PG_PARAMS_MAX || i >= KINDS_MAX
			     ? err_set(e, ERR_INTERNAL,
				       "kind %s has more fields than a statement has parameters",
				       kind_at(i)->name)
			     : table_init(&tables[i], kind_at(i), &b);
	buf_fini(&b);
	return rc == -ERR_NOMEM ? err_set(e, ERR_NOMEM, "statements of the record kinds") : rc;
}

static const struct table *table_of(const struct kind *k)
{
	for (size_t i = 0; i < kind_count(); i++)
		if (kind_at(i) == k)
			return &tables[i];
	abort(); /* a kind that is not in the table of kinds */
}

struct pg_query record_delete(const struct kind *k)
{
	return table_of(k)->remove;
}

struct pg_query record_all(const struct kind *k)
{
	return table_of(k)->all;
}

struct pg_query record_unique(const struct kind *k, const field_desc *fd)
{
	return table_of(k)->unique[fd - k->desc->fields];
}

/* ---- inserts of some columns -------------------------------------------------------------------
 */

/* Most records of a kind fill the same few columns: each that is left out is spared the database
 * row by row.  Made when they are first needed; once there are as many as this, the whole INSERT
 * serves for what else comes. */
enum { NARROW_MAX = 48, NARROW_LEAST = 4 /* columns left out that are worth a statement */ };

static struct narrow {
	const struct kind *kind;
	uint64_t columns;
	struct pg_query insert;
} narrows[NARROW_MAX];
static size_t n_narrows;

static bool narrow_make(struct narrow *n)
{
	char field[20];
	struct buf b;

	snprintf(field, sizeof field, "%llx", (unsigned long long)n->columns);
	buf_init(&b, SQL_MAX);
	const int rc = write_insert(&b, n->kind, n->columns) ||
		       keep(&n->insert, "insert", n->kind->name, field, &b);
	buf_fini(&b);
	return rc == 0;
}

/* NULL: the whole one is to be used. */
static const struct narrow *narrow_find(const struct kind *k, uint64_t columns)
{
	for (size_t i = 0; i < n_narrows; i++)
		if (narrows[i].kind == k && narrows[i].columns == columns)
			return &narrows[i];
	if (n_narrows == NARROW_MAX ||
	    k->desc->n_fields < (unsigned)__builtin_popcountll(columns) + NARROW_LEAST)
		return NULL;
	struct narrow *n = &narrows[n_narrows];
	*n = (struct narrow){.kind = k, .columns = columns};
	if (!narrow_make(n)) {
		free((char *)(uintptr_t)n->insert.name);
		free((char *)(uintptr_t)n->insert.text);
		return NULL;
	}
	n_narrows++;
	return n;
}

/* ---- values ------------------------------------------------------------------------------------
 */

/* Quoted for an array literal: {"a","b\"c"}. */
static int literal_add(struct buf *b, const char *s)
{
	int rc = buf_add(b, "\"", 1);

	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			rc |= buf_add(b, "\\", 1);
		rc |= buf_add(b, s, 1);
	}
	return rc | buf_add(b, "\"", 1);
}

static int literal_texts(struct buf *b, const ProtobufCMessage *m, const field_desc *fd)
{
	size_t n = *(const size_t *)((const char *)m + fd->quantifier_offset);
	char *const *list = *(char *const *const *)((const char *)m + fd->offset);
	int rc = buf_add(b, "{", 1);

	for (size_t i = 0; i < n; i++)
		rc |= (i ? buf_add(b, ",", 1) : 0) | literal_add(b, list[i]);
	return rc | buf_add(b, "}", 1);
}

static int literal_ids(struct buf *b, const ProtobufCMessage *m, const field_desc *fd)
{
	size_t n = *(const size_t *)((const char *)m + fd->quantifier_offset);
	const ProtobufCBinaryData *list =
		*(const ProtobufCBinaryData *const *)((const char *)m + fd->offset);
	int rc = buf_add(b, "{", 1);

	for (size_t i = 0; i < n; i++) {
		char text[UUID_TEXT];
		struct uuid u;

		memcpy(u.b, list[i].data, sizeof u.b);
		uuid_format(&u, text);
		rc |= (i ? buf_add(b, ",", 1) : 0) | buf_add(b, text, UUID_TEXT - 1);
	}
	return rc | buf_add(b, "}", 1);
}

static int literal_messages(struct buf *b, const ProtobufCMessage *m, const field_desc *fd)
{
	const char *at = (const char *)m + fd->offset;
	size_t n;
	int rc;

	if (field_type(fd) == FIELD_MESSAGE)
		return json_add_message(b, *(const ProtobufCMessage *const *)at);
	n = *(const size_t *)((const char *)m + fd->quantifier_offset);
	rc = buf_add(b, "[", 1);
	for (size_t i = 0; i < n; i++) {
		rc |= i ? buf_add(b, ",", 1) : 0;
		rc |= json_add_message(b, (*(ProtobufCMessage *const *const *)at)[i]);
	}
	return rc | buf_add(b, "]", 1);
}

enum { LITERAL_MAX = 512 * 1024 }; /* a record of control characters alone, each as six */

static int add_literal(struct pg_array *to, const ProtobufCMessage *m, const field_desc *fd,
		       int (*write)(struct buf *, const ProtobufCMessage *, const field_desc *))
{
	struct buf b;
	int rc;

	buf_init(&b, LITERAL_MAX);
	rc = write(&b, m, fd);
	if (!rc)
		pg_array_bytes(to, buf_span(&b).at, buf_len(&b));
	buf_fini(&b);
	return rc ? -ERR_NOMEM : 0;
}

static int64_t whole_number(const ProtobufCMessage *m, const field_desc *fd)
{
	const void *at = (const char *)m + fd->offset;

	if (fd->type == PROTOBUF_C_TYPE_UINT32 || fd->type == PROTOBUF_C_TYPE_FIXED32)
		return *(const uint32_t *)at;
	if (fd->type == PROTOBUF_C_TYPE_INT32 || fd->type == PROTOBUF_C_TYPE_SINT32 ||
	    fd->type == PROTOBUF_C_TYPE_SFIXED32)
		return *(const int32_t *)at;
	return *(const int64_t *)at; /* a uint64 above 2^63 does not occur: RANGE keeps it out */
}

static int add_value(struct pg_array *to, const ProtobufCMessage *m, const field_desc *fd)
{
	const void *at = (const char *)m + fd->offset;
	char word[48];

	if (!field_present(m, fd)) {
		pg_array_null(to);
		return 0;
	}
	switch (field_type(fd)) {
	case FIELD_TEXT:
		pg_array_text(to, *(char *const *)at);
		return 0;
	case FIELD_BOOL:
		pg_array_bool(to, *(const protobuf_c_boolean *)at != 0);
		return 0;
	case FIELD_INT:
	case FIELD_UINT:
		pg_array_int8(to, whole_number(m, fd));
		return 0;
	case FIELD_DOUBLE:
		pg_array_float8(to, *(const double *)at);
		return 0;
	case FIELD_ENUM:
		field_enum_word(fd->descriptor, *(const int *)at, word);
		pg_array_text(to, word);
		return 0;
	case FIELD_DATE:
		pg_array_date(to, (int32_t)whole_number(m, fd));
		return 0;
	case FIELD_INSTANT:
		pg_array_instant(to, whole_number(m, fd));
		return 0;
	case FIELD_ID:
		pg_array_uuid(to, ((const ProtobufCBinaryData *)at)->data);
		return 0;
	case FIELD_TEXTS:
		return add_literal(to, m, fd, literal_texts);
	case FIELD_IDS:
		return add_literal(to, m, fd, literal_ids);
	case FIELD_MESSAGE:
	case FIELD_MESSAGES:
		return add_literal(to, m, fd, literal_messages);
	}
	return 0;
}

int record_rows_init(struct record_rows *r, struct arena *a, const struct kind *k)
{
	*r = (struct record_rows){.arena = a, .kind = k};
	r->columns = arena_array(a, k->desc->n_fields, sizeof *r->columns);
	if (!r->columns)
		return -ERR_NOMEM;
	pg_array_init(&r->territory, a, PG_INT4);
	pg_array_init(&r->id, a, PG_UUID);
	for (unsigned i = 0; i < k->desc->n_fields; i++)
		pg_array_init(&r->columns[i], a, forms[field_type(&k->desc->fields[i])].element);
	return 0;
}

int record_rows_add(struct record_rows *r, uint32_t territory, const uint8_t id[16],
		    const ProtobufCMessage *m)
{
	pg_array_int4(&r->territory, (int32_t)territory);
	pg_array_uuid(&r->id, id);
	for (unsigned i = 0; i < r->kind->desc->n_fields; i++)
		if (add_value(&r->columns[i], m, &r->kind->desc->fields[i]))
			return -ERR_NOMEM;
	r->n++;
	return 0;
}

int record_rows_store(struct record_rows *r, bool born, struct pg_unit *u)
{
	const struct table *t = table_of(r->kind);
	const struct narrow *narrow;
	struct pg_stmt *s;
	uint64_t filled = 0;

	for (unsigned i = 0; i < r->kind->desc->n_fields; i++) {
		pg_array_trim(&r->columns[i]);
		if (r->columns[i].n || r->columns[i].bad)
			filled |= UINT64_C(1) << i;
	}
	narrow = born ? narrow_find(r->kind, filled) : NULL;
	s = pg_unit_add(u, narrow ? narrow->insert : born ? t->insert : t->upsert);
	if (!s)
		return -ERR_NOMEM;
	pg_params_array(&s->params, &r->territory);
	pg_params_array(&s->params, &r->id);
	for (unsigned i = 0; i < r->kind->desc->n_fields; i++)
		if (!narrow || filled >> i & 1)
			pg_params_array(&s->params, &r->columns[i]);
	return pg_params_bad(&s->params) ? -ERR_NOMEM : 0;
}

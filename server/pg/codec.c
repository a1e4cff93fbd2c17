/* codec.c -- PostgreSQL's binary formats: see codec.h.  Numbers travel big-endian; instants and
 * dates count from 2000-01-01.  Knows no tables and no connection. */
#include "codec.h"

#include <endian.h>

#include "log.h"

enum {
	ARRAY_HEADER = 20, /* dimensions, null flag, element type, length, lower bound */
	ARRAY_EMPTY = 12,  /* an array without elements has no dimension */
	ARRAY_FIRST_CAP = 256,
	ARRAY_MAX = 256 * 1024 * 1024, /* a message of PostgreSQL ends at 1 GiB */
	EPOCH_DAYS = 10957,            /* 1970-01-01 to 2000-01-01 */
};

static const int64_t epoch_ms = (int64_t)EPOCH_DAYS * 86400 * 1000;

unsigned pg_array_oid(unsigned element)
{
	static const struct {
		unsigned element, array;
	} pairs[] = {
		{PG_BOOL, PG_BOOL_ARRAY},     {PG_BYTEA, PG_BYTEA_ARRAY},
		{PG_INT2, PG_INT2_ARRAY},     {PG_INT4, PG_INT4_ARRAY},
		{PG_INT8, PG_INT8_ARRAY},     {PG_TEXT, PG_TEXT_ARRAY},
		{PG_FLOAT8, PG_FLOAT8_ARRAY}, {PG_DATE, PG_DATE_ARRAY},
		{PG_UUID, PG_UUID_ARRAY},     {PG_TIMESTAMPTZ, PG_TIMESTAMPTZ_ARRAY},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i].element == element)
			return pairs[i].array;
	return 0;
}

static void put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof v);
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof v);
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof v);
}

static uint32_t read32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return be32toh(v);
}

static uint64_t read64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

static uint64_t double_bits(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	return bits;
}

/* What lies outside of PostgreSQL's range is sent as a value that it refuses, never as one of its
 * two infinities (the extreme values) nor wrapped around. */
static int32_t date_to_pg(int32_t days)
{
	int64_t v = (int64_t)days - EPOCH_DAYS;
	return v <= INT32_MIN ? INT32_MIN + 1 : (int32_t)v;
}

static int64_t instant_to_pg(int64_t ms)
{
	int64_t v;
	if (__builtin_sub_overflow(ms, epoch_ms, &v) || __builtin_mul_overflow(v, 1000, &v))
		return ms < 0 ? INT64_MIN + 1 : INT64_MAX - 1;
	return v;
}

void pg_array_init(struct pg_array *a, struct arena *arena, unsigned element)
{
	*a = (struct pg_array){
		.arena = arena,
		.element = element,
		.len = ARRAY_HEADER,
		.bad = pg_array_oid(element) == 0,
	};
}

/* Room for an element of n bytes behind its length word, which is written; NULL once the array is
 * bad. */
static uint8_t *array_room(struct pg_array *a, size_t n, uint32_t length_word)
{
	if (a->bad || n > ARRAY_MAX || a->len + n + 4 > ARRAY_MAX)
		goto bad;
	size_t need = a->len + 4 + n;
	if (need > a->cap) {
		size_t cap = a->cap ? a->cap : ARRAY_FIRST_CAP;
		while (cap < need)
			cap *= 2;
		uint8_t *data = arena_alloc(a->arena, cap);
		if (!data)
			goto bad;
		if (a->data)
			memcpy(data, a->data, a->len);
		a->data = data;
		a->cap = cap;
	}
	uint8_t *at = a->data + a->len;
	put32(at, length_word);
	a->len = need;
	a->n++;
	return at + 4;
bad:
	a->bad = true;
	return NULL;
}

void pg_array_null(struct pg_array *a)
{
	if (array_room(a, 0, UINT32_MAX))
		a->nulls++;
}

void pg_array_trim(struct pg_array *a)
{
	if (a->nulls < a->n)
		return;
	a->n = a->nulls = 0;
	a->len = ARRAY_HEADER;
}

void pg_array_bool(struct pg_array *a, bool v)
{
	uint8_t *at = array_room(a, 1, 1);
	if (at)
		*at = v;
}

void pg_array_int2(struct pg_array *a, int16_t v)
{
	uint8_t *at = array_room(a, 2, 2);
	if (at)
		put16(at, (uint16_t)v);
}

void pg_array_int4(struct pg_array *a, int32_t v)
{
	uint8_t *at = array_room(a, 4, 4);
	if (at)
		put32(at, (uint32_t)v);
}

void pg_array_int8(struct pg_array *a, int64_t v)
{
	uint8_t *at = array_room(a, 8, 8);
	if (at)
		put64(at, (uint64_t)v);
}

void pg_array_float8(struct pg_array *a, double v)
{
	uint8_t *at = array_room(a, 8, 8);
	if (at)
		put64(at, double_bits(v));
}

void pg_array_uuid(struct pg_array *a, const uint8_t id[16])
{
	uint8_t *at = array_room(a, 16, 16);
	if (at)
		memcpy(at, id, 16);
}

void pg_array_bytes(struct pg_array *a, const void *p, size_t n)
{
	uint8_t *at = array_room(a, n, (uint32_t)n);
	if (at && n)
		memcpy(at, p, n);
}

void pg_array_text(struct pg_array *a, const char *s)
{
	if (s)
		pg_array_bytes(a, s, strlen(s));
	else
		pg_array_null(a);
}

void pg_array_date(struct pg_array *a, int32_t days_since_1970)
{
	pg_array_int4(a, date_to_pg(days_since_1970));
}

void pg_array_instant(struct pg_array *a, int64_t ms_since_1970)
{
	pg_array_int8(a, instant_to_pg(ms_since_1970));
}

void pg_params_init(struct pg_params *p, struct arena *arena)
{
	/* Only the count: the rows behind it are written before they are read. */
	p->arena = arena;
	p->n = 0;
	p->bad = false;
}

static void params_put(struct pg_params *p, unsigned type, const void *value, size_t n)
{
	if (p->n == PG_PARAMS_MAX || n > ARRAY_MAX) {
		p->bad = true;
		return;
	}
	p->types[p->n] = type;
	p->values[p->n] = value;
	p->lengths[p->n] = (int)n;
	p->n++;
}

static void params_copy(struct pg_params *p, unsigned type, const void *value, size_t n)
{
	char *copy = n > ARRAY_MAX ? NULL : arena_alloc(p->arena, n);
	if (!copy) {
		p->bad = true;
		return;
	}
	if (n)
		memcpy(copy, value, n);
	params_put(p, type, copy, n);
}

void pg_params_null(struct pg_params *p, unsigned type)
{
	params_put(p, type, NULL, 0);
}

void pg_params_bool(struct pg_params *p, bool v)
{
	params_put(p, PG_BOOL, v ? "\1" : "\0", 1);
}

void pg_params_int4(struct pg_params *p, int32_t v)
{
	uint8_t b[4];
	put32(b, (uint32_t)v);
	params_copy(p, PG_INT4, b, sizeof b);
}

void pg_params_int8(struct pg_params *p, int64_t v)
{
	uint8_t b[8];
	put64(b, (uint64_t)v);
	params_copy(p, PG_INT8, b, sizeof b);
}

void pg_params_float8(struct pg_params *p, double v)
{
	uint8_t b[8];
	put64(b, double_bits(v));
	params_copy(p, PG_FLOAT8, b, sizeof b);
}

void pg_params_instant(struct pg_params *p, int64_t ms_since_1970)
{
	uint8_t b[8];
	put64(b, (uint64_t)instant_to_pg(ms_since_1970));
	params_copy(p, PG_TIMESTAMPTZ, b, sizeof b);
}

void pg_params_text(struct pg_params *p, const char *s)
{
	if (s)
		params_copy(p, PG_TEXT, s, strlen(s));
	else
		pg_params_null(p, PG_TEXT);
}

void pg_params_bytes(struct pg_params *p, const void *b, size_t n)
{
	params_copy(p, PG_BYTEA, b, n);
}

void pg_params_uuid(struct pg_params *p, const uint8_t id[16])
{
	params_copy(p, PG_UUID, id, 16);
}

void pg_params_array(struct pg_params *p, struct pg_array *a)
{
	if (!a->data && !a->bad) {
		a->data = arena_alloc(a->arena, ARRAY_HEADER);
		a->cap = ARRAY_HEADER;
	}
	if (a->bad || !a->data) {
		p->bad = true;
		return;
	}
	put32(a->data, a->n ? 1 : 0);
	put32(a->data + 4, a->nulls != 0);
	put32(a->data + 8, a->element);
	put32(a->data + 12, a->n);
	put32(a->data + 16, 1);
	params_put(p, pg_array_oid(a->element), a->data, a->n ? a->len : ARRAY_EMPTY);
}

bool pg_params_bad(const struct pg_params *p)
{
	return p->bad;
}

bool pg_is_null(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col) != 0;
}

/* The bytes of a value of n bytes, NULL for NULL.  Any other length is a statement whose columns
 * are not those that the code reads: a broken program, not bad input. */
static const uint8_t *column(const PGresult *r, int row, int col, int n)
{
	if (PQgetisnull(r, row, col))
		return NULL;
	if (PQgetlength(r, row, col) != n) {
		const char *name = PQfname(r, col);
		log_event(LOG_ERROR, "pg_column_type", "column=%s type=%u length=%d expected=%d",
			  name ? name : "?", PQftype(r, col), PQgetlength(r, row, col), n);
		abort();
	}
	return (const uint8_t *)PQgetvalue(r, row, col);
}

bool pg_get_bool(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 1);
	return p && *p;
}

int16_t pg_get_int2(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 2);
	if (!p)
		return 0;
	return (int16_t)(p[0] << 8 | p[1]);
}

int32_t pg_get_int4(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 4);
	return p ? (int32_t)read32(p) : 0;
}

int64_t pg_get_int8(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 8);
	return p ? (int64_t)read64(p) : 0;
}

double pg_get_float8(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 8);
	uint64_t bits = p ? read64(p) : 0;
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

struct span pg_get_bytes(const PGresult *r, int row, int col)
{
	if (PQgetisnull(r, row, col))
		return (struct span){NULL, 0};
	return (struct span){(const uint8_t *)PQgetvalue(r, row, col),
			     (size_t)PQgetlength(r, row, col)};
}

const char *pg_get_text(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col);
}

int64_t pg_get_instant(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 8);
	if (!p)
		return 0;
	int64_t us = (int64_t)read64(p);
	int64_t ms = us / 1000 - (us % 1000 < 0); /* rounds down on both sides of 2000 */
	return ms + epoch_ms;
}

int32_t pg_get_date(const PGresult *r, int row, int col)
{
	const uint8_t *p = column(r, row, col, 4);
	if (!p)
		return 0;
	int64_t days = (int64_t)(int32_t)read32(p) + EPOCH_DAYS;
	return days > INT32_MAX ? INT32_MAX : (int32_t)days; /* infinity stays the extreme */
}

struct uuid pg_get_uuid(const PGresult *r, int row, int col)
{
	struct uuid u = {{0}};
	const uint8_t *p = column(r, row, col, 16);
	if (p)
		memcpy(u.b, p, sizeof u.b);
	return u;
}

/* Finds the elements of a one-dimensional int4[]: their number, or -1. */
static int int4_array_count(const uint8_t *p, size_t len)
{
	if (len < ARRAY_EMPTY || read32(p + 8) != PG_INT4)
		return -1;
	uint32_t dimensions = read32(p);
	if (dimensions == 0)
		return 0;
	if (dimensions != 1 || len < ARRAY_HEADER)
		return -1;
	uint32_t n = read32(p + 12);
	return n <= (len - ARRAY_HEADER) / 4 ? (int)n : -1;
}

int pg_get_int4_array(struct arena *a, const PGresult *r, int row, int col, int32_t **out)
{
	struct span s = pg_get_bytes(r, row, col);
	int n = s.at ? int4_array_count(s.at, s.len) : 0;
	if (n < 0)
		return -ERR_DATABASE;
	int32_t *list = arena_array(a, (size_t)n, sizeof *list);
	if (!list)
		return -ERR_NOMEM;
	const uint8_t *at = s.at + (n ? ARRAY_HEADER : 0), *end = s.at + s.len;
	for (int i = 0; i < n; i++) {
		if (end - at < 4)
			return -ERR_DATABASE;
		int32_t len = (int32_t)read32(at);
		at += 4;
		if (len == -1)
			continue;
		if (len != 4 || end - at < 4)
			return -ERR_DATABASE;
		list[i] = (int32_t)read32(at);
		at += 4;
	}
	*out = list;
	return n;
}

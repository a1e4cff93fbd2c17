/* codec.h -- PostgreSQL's binary formats: parameters (scalars and one-dimensional arrays) and
 * result columns. Knows no tables.  Builders allocate from an arena: a failed allocation is
 * remembered and reported once, by pg_params_bad(). Any thread. */
#ifndef SEVED_PG_CODEC_H
#define SEVED_PG_CODEC_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "uuid.h"

enum pg_oid {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_FLOAT8 = 701,
	PG_DATE = 1082,
	PG_TIMESTAMPTZ = 1184,
	PG_UUID = 2950,
	PG_JSONB = 3802,
	PG_BOOL_ARRAY = 1000,
	PG_BYTEA_ARRAY = 1001,
	PG_INT2_ARRAY = 1005,
	PG_INT4_ARRAY = 1007,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
	PG_FLOAT8_ARRAY = 1022,
	PG_DATE_ARRAY = 1182,
	PG_TIMESTAMPTZ_ARRAY = 1185,
	PG_UUID_ARRAY = 2951,
};

/* The array type of an element type. */
unsigned pg_array_oid(unsigned element);

/* A one-dimensional array that grows; NULL elements are legal.  Dates and instants that PostgreSQL
 * cannot hold are sent as values that it refuses (22008), never as its infinities. */
struct pg_array {
	struct arena *arena;
	unsigned element; /* enum pg_oid */
	uint8_t *data;    /* header and elements so far */
	size_t len, cap;
	uint32_t n, nulls;
	bool bad;
};

void pg_array_init(struct pg_array *a, struct arena *arena, unsigned element);
void pg_array_null(struct pg_array *a);
void pg_array_bool(struct pg_array *a, bool v);
void pg_array_int2(struct pg_array *a, int16_t v);
void pg_array_int4(struct pg_array *a, int32_t v);
void pg_array_int8(struct pg_array *a, int64_t v);
void pg_array_float8(struct pg_array *a, double v);
void pg_array_uuid(struct pg_array *a, const uint8_t id[16]);
void pg_array_bytes(struct pg_array *a, const void *p, size_t n); /* bytea and text */
void pg_array_text(struct pg_array *a, const char *s);            /* NULL gives a NULL element */
/* Empties an array of NULLs alone: unnest() beside longer ones gives the same rows, for less. */
void pg_array_trim(struct pg_array *a);
void pg_array_date(struct pg_array *a, int32_t days_since_1970);
void pg_array_instant(struct pg_array *a, int64_t ms_since_1970);

enum { PG_PARAMS_MAX = 64 };

/* The parameters of one statement, all binary. */
struct pg_params {
	struct arena *arena;
	int n;
	unsigned types[PG_PARAMS_MAX];
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX];
	bool bad;
};

void pg_params_init(struct pg_params *p, struct arena *arena);
void pg_params_null(struct pg_params *p, unsigned type);
void pg_params_bool(struct pg_params *p, bool v);
void pg_params_int4(struct pg_params *p, int32_t v);
void pg_params_int8(struct pg_params *p, int64_t v);
void pg_params_float8(struct pg_params *p, double v);
void pg_params_instant(struct pg_params *p, int64_t ms_since_1970);
void pg_params_text(struct pg_params *p, const char *s); /* copied; NULL gives a NULL parameter */
void pg_params_bytes(struct pg_params *p, const void *b, size_t n);
void pg_params_uuid(struct pg_params *p, const uint8_t id[16]);
/* Takes the array as it stands; it must not grow afterwards. */
void pg_params_array(struct pg_params *p, struct pg_array *a);
bool pg_params_bad(const struct pg_params *p);

/* Columns of a binary result.  The type must be right (asserted by length, in every build); NULL
 * gives 0, false, an empty span. */
bool pg_is_null(const PGresult *r, int row, int col);
bool pg_get_bool(const PGresult *r, int row, int col);
int16_t pg_get_int2(const PGresult *r, int row, int col);
int32_t pg_get_int4(const PGresult *r, int row, int col);
int64_t pg_get_int8(const PGresult *r, int row, int col);
double pg_get_float8(const PGresult *r, int row, int col);
struct span pg_get_bytes(const PGresult *r, int row, int col);
/* Text, NUL-terminated by libpq, borrowed from the result. */
const char *pg_get_text(const PGresult *r, int row, int col);
/* timestamptz as ms since 1970 */
int64_t pg_get_instant(const PGresult *r, int row, int col);
/* date as days since 1970 */
int32_t pg_get_date(const PGresult *r, int row, int col);
struct uuid pg_get_uuid(const PGresult *r, int row, int col);
/* int4[] into the arena; returns the number of elements or -ERR_NOMEM / -ERR_DATABASE; NULL
 * elements become 0. */
int pg_get_int4_array(struct arena *a, const PGresult *r, int row, int col, int32_t **out);

#endif

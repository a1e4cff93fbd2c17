/* test_codec.c -- values travel to PostgreSQL and back in its binary formats, NULLs and extremes
 * included. */
#include "fixture.h"

#include <libpq-fe.h>

#include "pg/codec.h"

struct codec_fixture {
	struct arena arena;
	PGconn *db;
	struct pg_params params;
	struct pg_array array;
};

static int set_up(void **state)
{
	struct codec_fixture *f = calloc(1, sizeof *f);
	arena_init(&f->arena, 64 * 1024 * 1024);
	f->db = PQconnectdb(fixture_cluster()->conninfo);
	PQclear(PQexec(f->db, "SET timezone TO 'UTC'"));
	pg_params_init(&f->params, &f->arena);
	*state = f;
	return PQstatus(f->db) == CONNECTION_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	struct codec_fixture *f = *state;
	PQfinish(f->db);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

static PGresult *ask(struct codec_fixture *f, const char *sql, int binary_result)
{
	int formats[PG_PARAMS_MAX];
	for (int i = 0; i < PG_PARAMS_MAX; i++)
		formats[i] = 1;
	assert_false(pg_params_bad(&f->params));
	return PQexecParams(f->db, sql, f->params.n, f->params.types, f->params.values,
			    f->params.lengths, formats, binary_result);
}

/* The server's text form of the first parameter. */
static void assert_reads(struct codec_fixture *f, const char *expected)
{
	PGresult *r = ask(f, "SELECT $1::text", 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s", PQresultErrorMessage(r));
	assert_string_equal(PQgetvalue(r, 0, 0), expected);
	PQclear(r);
	pg_params_init(&f->params, &f->arena);
}

static void begin(struct codec_fixture *f, unsigned element)
{
	pg_array_init(&f->array, &f->arena, element);
}

static void assert_array_reads(struct codec_fixture *f, const char *expected)
{
	pg_params_array(&f->params, &f->array);
	assert_int_equal(f->params.types[0], pg_array_oid(f->array.element));
	assert_reads(f, expected);
}

static const uint8_t id[16] = {0x01, 0x8f, 0x00, 0x11, 0x22, 0x33, 0x74, 0x55,
			       0x86, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd};
#define ID_TEXT "018f0011-2233-7455-8677-8899aabbccdd"

static void arrays_of_numbers_with_nulls_arrive(void **state)
{
	struct codec_fixture *f = *state;
	struct pg_array *a = &f->array;
	begin(f, PG_INT2);
	pg_array_int2(a, INT16_MIN);
	pg_array_null(a);
	pg_array_int2(a, INT16_MAX);
	assert_array_reads(f, "{-32768,NULL,32767}");
	begin(f, PG_INT4);
	pg_array_null(a);
	pg_array_int4(a, INT32_MIN);
	pg_array_int4(a, INT32_MAX);
	assert_array_reads(f, "{NULL,-2147483648,2147483647}");
	begin(f, PG_INT8);
	pg_array_int8(a, INT64_MIN);
	pg_array_int8(a, INT64_MAX);
	pg_array_null(a);
	assert_array_reads(f, "{-9223372036854775808,9223372036854775807,NULL}");
	begin(f, PG_FLOAT8);
	pg_array_float8(a, 1.5);
	pg_array_null(a);
	pg_array_float8(a, -1e300);
	assert_array_reads(f, "{1.5,NULL,-1e+300}");
	begin(f, PG_BOOL);
	pg_array_bool(a, true);
	pg_array_null(a);
	pg_array_bool(a, false);
	assert_array_reads(f, "{t,NULL,f}");
}

static void arrays_of_bytes_with_nulls_arrive(void **state)
{
	struct codec_fixture *f = *state;
	struct pg_array *a = &f->array;
	begin(f, PG_TEXT);
	pg_array_text(a, "Dinan, \"été\"");
	pg_array_text(a, NULL);
	pg_array_text(a, "");
	assert_array_reads(f, "{\"Dinan, \\\"été\\\"\",NULL,\"\"}");
	begin(f, PG_BYTEA);
	pg_array_bytes(a, "\0\377", 2);
	pg_array_null(a);
	pg_array_bytes(a, NULL, 0);
	assert_array_reads(f, "{\"\\\\x00ff\",NULL,\"\\\\x\"}");
	begin(f, PG_UUID);
	pg_array_uuid(a, id);
	pg_array_null(a);
	assert_array_reads(f, "{" ID_TEXT ",NULL}");
}

static void arrays_of_dates_and_instants_arrive(void **state)
{
	struct codec_fixture *f = *state;
	struct pg_array *a = &f->array;
	begin(f, PG_DATE);
	pg_array_date(a, 0);
	pg_array_null(a);
	pg_array_date(a, 20780); /* 20 780 days after 1970-01-01 */
	pg_array_date(a, -719162);
	assert_array_reads(f, "{1970-01-01,NULL,2026-11-23,0001-01-01}");
	begin(f, PG_TIMESTAMPTZ);
	pg_array_instant(a, 0);
	pg_array_null(a);
	pg_array_instant(a, 1795458600123);
	pg_array_instant(a, -1);
	assert_array_reads(f, "{\"1970-01-01 00:00:00+00\",NULL,\"2026-11-23 18:30:00.123+00\","
			      "\"1969-12-31 23:59:59.999+00\"}");
}

static void an_array_without_elements_is_empty(void **state)
{
	struct codec_fixture *f = *state;
	static const unsigned elements[] = {PG_BOOL, PG_BYTEA,  PG_INT2, PG_INT4, PG_INT8,
					    PG_TEXT, PG_FLOAT8, PG_DATE, PG_UUID, PG_TIMESTAMPTZ};
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
		begin(f, elements[i]);
		assert_array_reads(f, "{}");
	}
}

static void a_long_array_arrives_whole(void **state)
{
	struct codec_fixture *f = *state;
	begin(f, PG_INT8);
	for (int64_t i = 0; i < 100000; i++)
		pg_array_int8(&f->array, i);
	pg_params_array(&f->params, &f->array);
	PGresult *r = ask(f, "SELECT count(*), sum(v)::int8 FROM unnest($1) v", 1);
	assert_int_equal(pg_get_int8(r, 0, 0), 100000);
	assert_int_equal(pg_get_int8(r, 0, 1), INT64_C(4999950000));
	PQclear(r);
}

static void parameters_of_each_type_arrive(void **state)
{
	struct codec_fixture *f = *state;
	struct pg_params *p = &f->params;
	pg_params_bool(p, true);
	assert_reads(f, "true");
	pg_params_int4(p, -7);
	assert_reads(f, "-7");
	pg_params_int8(p, INT64_MIN);
	assert_reads(f, "-9223372036854775808");
	pg_params_float8(p, 0.1);
	assert_reads(f, "0.1");
	pg_params_text(p, "à côté");
	assert_reads(f, "à côté");
	pg_params_bytes(p, "\1\0\2", 3);
	assert_reads(f, "\\x010002");
	pg_params_bytes(p, NULL, 0);
	assert_reads(f, "\\x");
	pg_params_uuid(p, id);
	assert_reads(f, ID_TEXT);
	pg_params_instant(p, 1795458600000);
	assert_reads(f, "2026-11-23 18:30:00+00");
}

static void absent_parameters_are_null(void **state)
{
	struct codec_fixture *f = *state;
	pg_params_null(&f->params, PG_INT4);
	pg_params_text(&f->params, NULL);
	PGresult *r = ask(f, "SELECT $1 IS NULL AND $2 IS NULL", 1);
	assert_true(pg_get_bool(r, 0, 0));
	PQclear(r);
}

static void assert_refused(struct codec_fixture *f)
{
	pg_params_array(&f->params, &f->array);
	PGresult *r = ask(f, "SELECT $1::text", 0);
	assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "22008");
	PQclear(r);
	pg_params_init(&f->params, &f->arena);
}

static void times_out_of_range_are_refused_not_infinite(void **state)
{
	struct codec_fixture *f = *state;
	static const int64_t instants[] = {INT64_MIN, INT64_MAX, INT64_MAX / 2};
	static const int32_t dates[] = {INT32_MIN, INT32_MIN + 10957, INT32_MAX};
	for (size_t i = 0; i < 3; i++) {
		begin(f, PG_TIMESTAMPTZ);
		pg_array_instant(&f->array, instants[i]);
		assert_refused(f);
		begin(f, PG_DATE);
		pg_array_date(&f->array, dates[i]);
		assert_refused(f);
	}
}

static void columns_are_read(void **state)
{
	struct codec_fixture *f = *state;
	PGresult *r =
		ask(f,
		    "SELECT true, (-2)::int2, 3::int4, 4::int8, 1.25::float8, '\\x0a0b'::bytea,"
		    "'été'::text, '2026-11-23 18:30:00.123Z'::timestamptz,"
		    "'1969-12-31 23:59:59.9995Z'::timestamptz, '2026-11-23'::date,"
		    "'" ID_TEXT "'::uuid",
		    1);
	assert_true(pg_get_bool(r, 0, 0));
	assert_int_equal(pg_get_int2(r, 0, 1), -2);
	assert_int_equal(pg_get_int4(r, 0, 2), 3);
	assert_int_equal(pg_get_int8(r, 0, 3), 4);
	assert_true(pg_get_float8(r, 0, 4) == 1.25);
	struct span bytes = pg_get_bytes(r, 0, 5);
	assert_int_equal(bytes.len, 2);
	assert_memory_equal(bytes.at, "\n\v", 2);
	assert_string_equal(pg_get_text(r, 0, 6), "été");
	assert_int_equal(pg_get_instant(r, 0, 7), 1795458600123);
	assert_int_equal(pg_get_instant(r, 0, 8), -1); /* rounded down, to before 1970 */
	assert_int_equal(pg_get_date(r, 0, 9), 20780);
	struct uuid u = pg_get_uuid(r, 0, 10);
	assert_memory_equal(u.b, id, 16);
	PQclear(r);
}

static void null_columns_are_zero(void **state)
{
	struct codec_fixture *f = *state;
	PGresult *r =
		ask(f,
		    "SELECT NULL::bool, NULL::int8, NULL::bytea, NULL::uuid, NULL::timestamptz,"
		    "NULL::int4[], NULL::text",
		    1);
	int32_t *list;
	assert_true(pg_is_null(r, 0, 0));
	assert_false(pg_get_bool(r, 0, 0));
	assert_int_equal(pg_get_int8(r, 0, 1), 0);
	assert_int_equal(pg_get_bytes(r, 0, 2).len, 0);
	assert_true(uuid_is_nil(&(struct uuid){{0}}));
	struct uuid u = pg_get_uuid(r, 0, 3);
	assert_true(uuid_is_nil(&u));
	assert_int_equal(pg_get_instant(r, 0, 4), 0);
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 5, &list), 0);
	assert_string_equal(pg_get_text(r, 0, 6), "");
	PQclear(r);
}

static void arrays_of_int4_are_read(void **state)
{
	struct codec_fixture *f = *state;
	PGresult *r = ask(f,
			  "SELECT '{5,NULL,-6}'::int4[], '{}'::int4[], '{1}'::int8[],"
			  "'{{1,2},{3,4}}'::int4[], '[3:4]={8,9}'::int4[]",
			  1);
	int32_t *list;
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 0, &list), 3);
	assert_int_equal(list[0], 5);
	assert_int_equal(list[1], 0);
	assert_int_equal(list[2], -6);
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 1, &list), 0);
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 2, &list), -ERR_DATABASE);
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 3, &list), -ERR_DATABASE);
	assert_int_equal(pg_get_int4_array(&f->arena, r, 0, 4, &list), 2);
	assert_int_equal(list[1], 9);
	PQclear(r);
}

static void what_does_not_fit_is_remembered_as_bad(void **state)
{
	(void)state;
	struct arena small;
	struct pg_params p;
	struct pg_array a;
	arena_init(&small, 8192);
	pg_params_init(&p, &small);
	for (int i = 0; i < PG_PARAMS_MAX; i++)
		pg_params_null(&p, PG_INT4);
	assert_false(pg_params_bad(&p));
	pg_params_null(&p, PG_INT4);
	assert_true(pg_params_bad(&p));
	pg_params_init(&p, &small);
	pg_array_init(&a, &small, PG_INT8);
	for (int i = 0; i < 10000; i++)
		pg_array_int8(&a, i);
	pg_params_array(&p, &a);
	assert_true(pg_params_bad(&p));
	pg_params_init(&p, &small);
	pg_array_init(&a, &small, PG_JSONB); /* there is no array of it */
	pg_params_array(&p, &a);
	assert_true(pg_params_bad(&p));
	arena_fini(&small);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROW(arrays_of_numbers_with_nulls_arrive),
		ROW(arrays_of_bytes_with_nulls_arrive),
		ROW(arrays_of_dates_and_instants_arrive),
		ROW(an_array_without_elements_is_empty),
		ROW(a_long_array_arrives_whole),
		ROW(parameters_of_each_type_arrive),
		ROW(absent_parameters_are_null),
		ROW(times_out_of_range_are_refused_not_infinite),
		ROW(columns_are_read),
		ROW(null_columns_are_zero),
		ROW(arrays_of_int4_are_read),
		ROW(what_does_not_fit_is_remembered_as_bad),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_stop);
}

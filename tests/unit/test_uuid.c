/* test_uuid.c -- common/uuid.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "uuid.h"

enum { THREADS = 4, IDS = 5000 };

static void a_new_id_carries_time_version_and_variant(void **state)
{
	(void)state;
	clock_fake(0x019abcdef012);
	struct uuid u = uuid_v7();
	clock_fake(0);
	static const uint8_t time[] = {0x01, 0x9a, 0xbc, 0xde, 0xf0, 0x12};
	assert_memory_equal(u.b, time, sizeof time);
	assert_int_equal(u.b[6] >> 4, 7);
	assert_int_equal(u.b[8] >> 6, 2);
	assert_true(uuid_is_record_id(u.b, 16));
}

static void ids_of_one_millisecond_keep_their_order(void **state)
{
	(void)state;
	clock_fake(4102444800000);
	struct uuid last = uuid_v7();
	for (int i = 0; i < 20000; i++) {
		struct uuid u = uuid_v7();
		assert_true(uuid_cmp(&last, &u) < 0);
		last = u;
	}
	clock_fake(4102444700000);
	struct uuid u = uuid_v7();
	assert_true(uuid_cmp(&last, &u) < 0);
	clock_fake(0);
}

static void *make_ids(void *out)
{
	struct uuid *ids = out;
	for (int i = 0; i < IDS; i++)
		ids[i] = uuid_v7();
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return uuid_cmp(a, b);
}

static void threads_never_make_the_same_id(void **state)
{
	(void)state;
	static struct uuid ids[THREADS * IDS];
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t t = 0; t < THREADS; t++)
		for (size_t i = t * IDS + 1; i < (t + 1) * IDS; i++)
			assert_true(uuid_cmp(&ids[i - 1], &ids[i]) < 0);
	qsort(ids, THREADS * IDS, sizeof *ids, compare);
	for (size_t i = 1; i < THREADS * IDS; i++) {
		/* The counter alone tells them apart, not luck with the random part. */
		assert_int_not_equal(memcmp(ids[i - 1].b, ids[i].b, 8), 0);
	}
}

static void assert_v8(uint32_t territory, const char *source, uint32_t kind, const char *key,
		      const char *text)
{
	char out[UUID_TEXT];
	struct uuid u = uuid_v8(territory, source, kind, key);
	uuid_format(&u, out);
	assert_string_equal(out, text);
}

/* Computed apart, by Python: sha256(pack('>III', territory, kind, len(source)) + source +
 * pack('>I', len(key)) + key). */
static void a_partners_key_gives_the_same_id_everywhere(void **state)
{
	(void)state;
	assert_v8(3, "sirene", 11, "55208131766522", "9591d5b0-877f-8766-9149-75a839cbfb0a");
	assert_v8(4294967295, "", 19, "clé", "1d956f5e-a2e1-8853-912d-86d11ba82e6c");
}

static void no_two_inputs_run_into_each_other(void **state)
{
	(void)state;
	struct uuid u[] = {
		uuid_v8(1, "ab", 11, "c"), uuid_v8(1, "a", 11, "bc"), uuid_v8(2, "ab", 11, "c"),
		uuid_v8(1, "ab", 12, "c"), uuid_v8(11, "ab", 1, "c"), uuid_v8(1, "", 11, "abc"),
	};
	for (size_t i = 0; i < sizeof u / sizeof *u; i++) {
		assert_true(uuid_is_record_id(u[i].b, 16));
		assert_int_equal(u[i].b[6] >> 4, 8);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(uuid_cmp(&u[i], &u[j]), 0);
	}
}

static void text_reads_back_as_the_same_id(void **state)
{
	(void)state;
	struct uuid u, v;
	char text[UUID_TEXT];
	assert_int_equal(uuid_parse("01890A5D-ac96-774b-bcce-b302099a8057", &u, NULL), 0);
	static const uint8_t bytes[] = {0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b,
					0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57};
	assert_memory_equal(u.b, bytes, 16);
	uuid_format(&u, text);
	assert_string_equal(text, "01890a5d-ac96-774b-bcce-b302099a8057");
	for (int i = 0; i < 100; i++) {
		u = uuid_v7();
		uuid_format(&u, text);
		assert_int_equal(uuid_parse(text, &v, NULL), 0);
		assert_int_equal(uuid_cmp(&u, &v), 0);
	}
}

static void other_text_is_refused_and_leaves_the_output_alone(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"01890a5d",
		"01890a5d-ac96-774b-bcce-b302099a805",
		"01890a5d-ac96-774b-bcce-b302099a80577",
		"01890a5dac96774bbcceb302099a8057",
		"01890a5d-ac96-774b-bcce-b302099a805g",
		"01890a5d-ac96-774b-bcceb-302099a8057",
		"{1890a5d-ac96-774b-bcce-b302099a8057",
		"01890a5d-ac96-774b-bcce-b302099a8\303\2515",
		"P-12",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct uuid u = {{42}};
		struct err e;
		assert_int_equal(uuid_parse(bad[i], &u, &e), -ERR_INVALID);
		assert_int_equal(u.b[0], 42);
	}
}

static void only_versions_7_and_8_are_record_ids(void **state)
{
	(void)state;
	struct uuid u = uuid_v7(), nil = {{0}};
	assert_true(uuid_is_nil(&nil));
	assert_false(uuid_is_nil(&u));
	assert_false(uuid_is_record_id(nil.b, 16));
	assert_false(uuid_is_record_id(u.b, 15));
	assert_false(uuid_is_record_id(u.b, 17));
	u.b[6] = 0x40;
	assert_false(uuid_is_record_id(u.b, 16));
	u.b[6] = 0x80;
	assert_true(uuid_is_record_id(u.b, 16));
	u.b[8] = 0xc0;
	assert_false(uuid_is_record_id(u.b, 16));
}

/* Python: sha256(bytes(range(16))).digest()[:8] */
static void a_short_name_is_the_front_of_the_hash(void **state)
{
	(void)state;
	struct uuid u;
	for (uint8_t i = 0; i < 16; i++)
		u.b[i] = i;
	assert_true(uuid_short(&u) == UINT64_C(0xbe45cb2605bf36be));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_id_carries_time_version_and_variant),
		cmocka_unit_test(threads_never_make_the_same_id),
		cmocka_unit_test(ids_of_one_millisecond_keep_their_order),
		cmocka_unit_test(a_partners_key_gives_the_same_id_everywhere),
		cmocka_unit_test(no_two_inputs_run_into_each_other),
		cmocka_unit_test(text_reads_back_as_the_same_id),
		cmocka_unit_test(other_text_is_refused_and_leaves_the_output_alone),
		cmocka_unit_test(only_versions_7_and_8_are_record_ids),
		cmocka_unit_test(a_short_name_is_the_front_of_the_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_field_revs.c -- common/sync/field_revs.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "sync/merge.h"

enum { ARENA = 1024 * 1024 };
enum { TITLE = 1, STATUS = 3, DESCRIPTION = 21 };
enum { ANNE = 100, BELA = 200 }; /* writers */

static void field_revisions_survive_packing(void **state)
{
	(void)state;
	struct random r = random_from(52);
	struct arena a;
	arena_init(&a, ARENA);
	for (unsigned round = 0; round < 300; round++, arena_reset(&a)) {
		struct field_revs revs = {arena_array(&a, 30, sizeof *revs.list),
					  random_below(&r, 30)},
				  back;
		for (size_t i = 0; i < revs.n; i++)
			revs.list[i] = (struct field_rev){
				(uint32_t)random_next(&r) >> random_below(&r, 32),
				random_next(&r) >> random_below(&r, 64), random_next(&r)};
		struct span packed = field_revs_pack(&a, &revs);
		assert_non_null(packed.at);
		assert_int_equal(field_revs_unpack(&a, packed, &back, NULL), 0);
		assert_int_equal(back.n, revs.n);
		for (size_t i = 0; i < revs.n; i++) {
			assert_int_equal(back.list[i].tag, revs.list[i].tag);
			assert_int_equal(back.list[i].rev, revs.list[i].rev);
			assert_int_equal(back.list[i].writer, revs.list[i].writer);
		}
		if (packed.len) {
			packed.len -= 1 + random_below(&r, 8);
			assert_int_equal(field_revs_unpack(&a, packed, &back, NULL),
					 -ERR_DATA_LOSS);
		}
	}
	arena_fini(&a);
}

static void damaged_field_revisions_are_noticed(void **state)
{
	static const uint8_t large_tag[] = {0x80, 0x80, 0x80, 0x80, 0x10, 1, 0,
					    0,    0,    0,    0,    0,    0, 0};
	static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
					  0x80, 0x80, 0x80, 0x80, 0x80, 1};
	(void)state;
	struct field_revs out;
	struct arena a;
	arena_init(&a, ARENA);
	assert_int_equal(
		field_revs_unpack(&a, (struct span){large_tag, sizeof large_tag}, &out, NULL),
		-ERR_DATA_LOSS);
	assert_int_equal(field_revs_unpack(&a, (struct span){endless, sizeof endless}, &out, NULL),
			 -ERR_DATA_LOSS);
	assert_int_equal(field_revs_unpack(&a, (struct span){NULL, 0}, &out, NULL), 0);
	assert_int_equal(out.n, 0);
	assert_null(field_revs_find(&out, 3));
	arena_fini(&a);
}

static void stamps_replace_or_join(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, ARENA);
	static const uint32_t creation[] = {0}, later[] = {STATUS, TITLE};
	struct field_revs one, two, three;
	assert_int_equal(merge_stamp(&a, NULL, creation, 1, 5, ANNE, &one), 0);
	assert_int_equal(field_revs_find(&one, STATUS)->rev, 5);
	assert_int_equal(merge_stamp(&a, &one, later, 2, 6, BELA, &two), 0);
	assert_int_equal(two.n, 3);
	assert_int_equal(field_revs_find(&two, STATUS)->rev, 6);
	assert_int_equal(field_revs_find(&two, STATUS)->writer, BELA);
	assert_int_equal(field_revs_find(&two, DESCRIPTION)->writer, ANNE);
	assert_int_equal(merge_stamp(&a, &two, later, 1, 7, ANNE, &three), 0);
	assert_int_equal(three.n, 3);
	assert_int_equal(field_revs_find(&three, STATUS)->rev, 7);
	assert_int_equal(field_revs_find(&three, TITLE)->rev, 6);
	assert_int_equal(field_revs_find(&two, STATUS)->rev, 6);
	struct arena none;
	arena_init(&none, 0);
	assert_int_equal(merge_stamp(&none, &two, later, 2, 8, ANNE, &three), -ERR_NOMEM);
	assert_null(field_revs_pack(&none, &two).at);
	arena_fini(&none);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_revisions_survive_packing),
		cmocka_unit_test(damaged_field_revisions_are_noticed),
		cmocka_unit_test(stamps_replace_or_join),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

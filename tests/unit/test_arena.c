/* test_arena.c -- common/arena.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
	(void)state;
	struct arena a;
	unsigned char *pieces[500];
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 500; i++) {
		pieces[i] = arena_alloc(&a, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i & 0xff, i);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	arena_fini(&a);
}

static void nothing_is_allocated_before_the_first_use(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 100);
	assert_null(a.blocks);
	arena_fini(&a);
	arena_fini(&a);
}

static void the_ceiling_holds_over_many_blocks_and_one_large_one(void **state)
{
	(void)state;
	struct arena a;
	const size_t cap = 300000;
	arena_init(&a, cap);
	size_t got = 0;
	while (arena_alloc(&a, 1000))
		got += 1000;
	assert_in_range(got, cap - 10000, cap);
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, cap - 16));
	assert_null(arena_alloc(&a, 17));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

static void sizes_that_overflow_are_refused(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_array(&a, (size_t)1 << 33, (size_t)1 << 31));
	arena_fini(&a);
}

static void nothing_is_still_a_pointer(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 64);
	void *p = arena_alloc(&a, 0), *q = arena_alloc(&a, 0);
	assert_non_null(p);
	assert_ptr_not_equal(p, q);
	assert_non_null(arena_memdup(&a, NULL, 0));
	arena_fini(&a);
}

static void a_large_piece_does_not_waste_the_block_in_use(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1 << 20);
	char *small = arena_alloc(&a, 16);
	struct arena_block *block = a.blocks;
	assert_non_null(arena_alloc(&a, 100000));
	char *next = arena_alloc(&a, 16);
	assert_ptr_equal(a.blocks, block);
	assert_ptr_equal(next, small + 16);
	arena_fini(&a);
}

static void zeroed_means_zeroed_even_in_memory_used_before(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 8192);
	memset(arena_alloc(&a, 4000), 0xff, 4000);
	arena_reset(&a);
	const unsigned char *p = arena_zalloc(&a, 2000), *q = arena_array(&a, 100, 10);
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(p[i] | q[i % 1000], 0);
	arena_fini(&a);
}

static void copies_of_text_end_where_they_should(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 1 << 20);
	assert_string_equal(arena_strdup(&a, "abc"), "abc");
	assert_string_equal(arena_strndup(&a, "abcdef", 2), "ab");
	assert_string_equal(arena_strndup(&a, "ab", 100), "ab");
	assert_string_equal(arena_printf(&a, "%s-%d", "P", 12), "P-12");
	assert_memory_equal(arena_memdup(&a, "a\0b", 3), "a\0b", 3);
	char *wide = arena_printf(&a, "%09000d", 7);
	assert_int_equal(strlen(wide), 9000);
	arena_fini(&a);
	arena_init(&a, 16);
	assert_null(arena_printf(&a, "%s", "longer than sixteen bytes"));
	assert_null(arena_strdup(&a, "longer than sixteen bytes"));
	arena_fini(&a);
}

static void a_reset_arena_has_its_whole_ceiling_again(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 4096);
	for (int i = 0; i < 10; i++) {
		assert_non_null(arena_alloc(&a, 4096));
		assert_null(arena_alloc(&a, 1));
		arena_reset(&a);
		assert_int_equal(a.used, 0);
	}
	arena_fini(&a);
}

static void protobuf_c_takes_from_the_arena(void **state)
{
	(void)state;
	struct arena a;
	arena_init(&a, 64);
	ProtobufCAllocator allocator = arena_protobuf(&a);
	void *p = allocator.alloc(allocator.allocator_data, 32);
	assert_non_null(p);
	allocator.free(allocator.allocator_data, p);
	assert_int_equal(a.used, 32);
	assert_null(allocator.alloc(allocator.allocator_data, 33));
	arena_fini(&a);
}

static void memory_not_handed_out_is_poisoned(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	struct arena a;
	arena_init(&a, 8192);
	char *p = arena_alloc(&a, 13);
	assert_false(__asan_address_is_poisoned(p + 12));
	assert_true(__asan_address_is_poisoned(p + 13));
	assert_true(__asan_address_is_poisoned(p + 16));
	arena_reset(&a);
	assert_true(__asan_address_is_poisoned(p));
	arena_fini(&a);
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
		cmocka_unit_test(nothing_is_allocated_before_the_first_use),
		cmocka_unit_test(the_ceiling_holds_over_many_blocks_and_one_large_one),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(nothing_is_still_a_pointer),
		cmocka_unit_test(a_large_piece_does_not_waste_the_block_in_use),
		cmocka_unit_test(zeroed_means_zeroed_even_in_memory_used_before),
		cmocka_unit_test(copies_of_text_end_where_they_should),
		cmocka_unit_test(a_reset_arena_has_its_whole_ceiling_again),
		cmocka_unit_test(protobuf_c_takes_from_the_arena),
		cmocka_unit_test(memory_not_handed_out_is_poisoned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

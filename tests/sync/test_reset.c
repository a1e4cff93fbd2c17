/* test_reset.c -- a replica's way back: cursors that can be continued, manifests compared,
 * mutations numbered anew.  Seeded histories against plain models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <string.h>

#include "arena.h"
#include "cursor.h"
#include "manifest.h"
#include "resume.h"

/* ---- cursors
 * ---------------------------------------------------------------------------------------- */

static void a_cursor_is_continued_in_its_epoch_and_view_only(void **state)
{
	const struct cursor c = {7, 8, 50, 0}, fresh = {0, 0, 0, 0}, empty = {7, 8, 0, 0};

	(void)state;
	assert_int_equal(cursor_check(&c, 7, 8), CURSOR_FINE);
	assert_int_equal(cursor_check(&c, 6, 8), CURSOR_EPOCH);
	assert_int_equal(cursor_check(&c, 7, 9), CURSOR_VIEW);
	assert_int_equal(cursor_check(&fresh, 1, 2), CURSOR_FINE);
	assert_int_equal(cursor_check(&empty, 1, 8), CURSOR_EPOCH);
	assert_int_equal(cursor_check_read(&c, 50, 49, 0), CURSOR_AHEAD);
	assert_int_equal(cursor_check_read(&c, 50, 90, 50), CURSOR_FINE);
	assert_int_equal(cursor_check_read(&c, 50, 90, 51), CURSOR_PURGED);
	/* The replica of an empty territory may hold its own pushes. */
	assert_int_equal(cursor_check_read(&empty, 0, 9, 3), CURSOR_PURGED);
}

static void a_load_misses_only_what_was_deleted_since_it_began(void **state)
{
	const struct cursor load = {7, 8, 20, 60};

	(void)state;
	assert_int_equal(cursor_check_read(&load, 20, 90, 60), CURSOR_FINE);
	assert_int_equal(cursor_check_read(&load, 20, 90, 61), CURSOR_PURGED);
	assert_int_equal(cursor_check_read(&load, 70, 90, 61), CURSOR_FINE);
	assert_true(cursor_skips(&load, 60));
	assert_false(cursor_skips(&load, 61));
	assert_int_equal(cursor_way(false, false), CURSOR_LOAD);
	assert_int_equal(cursor_way(true, false), CURSOR_VERIFY);
}

/* ---- manifests
 * -------------------------------------------------------------------------------------- */

enum { IDS = 64 };

struct compared {
	unsigned kept[IDS], dropped[IDS], fetched[IDS];
};

static int keep(void *ctx, const struct manifest_row *row)
{
	((struct compared *)ctx)->kept[row->id[15]]++;
	return 0;
}

static int drop(void *ctx, const struct manifest_row *row)
{
	((struct compared *)ctx)->dropped[row->id[15]]++;
	return 0;
}

static int fetch(void *ctx, const uint8_t id[MANIFEST_ID])
{
	((struct compared *)ctx)->fetched[id[15]]++;
	return 0;
}

static unsigned dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

/* 0: not there, 1 and 2: two contents, 3: a tombstone. */
static void compare_drawn(uint64_t seed)
{
	uint8_t entries[IDS * MANIFEST_ENTRY] = {0};
	struct manifest_row rows[IDS];
	unsigned there[IDS], here[IDS];
	struct compared c = {{0}, {0}, {0}};
	const struct manifest_acts acts = {&c, keep, drop, fetch};
	size_t len = 0, n = 0;

	memset(rows, 0, sizeof rows);
	for (uint8_t i = 0; i < IDS; i++) {
		const struct span body = {(const uint8_t *)"ab", 2};

		there[i] = dice(&seed, 3);
		here[i] = dice(&seed, 4);
		if (there[i]) {
			entries[len + 15] = i;
			manifest_check(there[i], body, entries + len + MANIFEST_ID);
			len += MANIFEST_ENTRY;
		}
		if (here[i]) {
			rows[n].id[15] = i;
			rows[n].live = here[i] != 3;
			manifest_check(here[i], body, rows[n++].check);
		}
	}
	assert_int_equal(manifest_page((struct span){entries, len}, NULL, NULL), 0);
	assert_int_equal(manifest_diff((struct span){entries, len}, rows, n, &acts), 0);
	for (unsigned i = 0; i < IDS; i++) {
		const bool same = there[i] && there[i] == here[i];

		assert_int_equal(c.kept[i], same);
		assert_int_equal(c.dropped[i], here[i] && !there[i]);
		assert_int_equal(c.fetched[i], there[i] && !same);
	}
}

static void each_record_is_kept_dropped_or_fetched(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++)
		compare_drawn(seed);
}

static void rev_and_content_are_both_told_apart(void **state)
{
	uint8_t a[MANIFEST_CHECK], b[MANIFEST_CHECK];
	const struct span one = {(const uint8_t *)"x", 1}, other = {(const uint8_t *)"y", 1};

	(void)state;
	manifest_check(1, one, a);
	manifest_check(1, other, b);
	assert_memory_not_equal(a, b, sizeof a);
	manifest_check(2, one, b);
	assert_memory_not_equal(a, b, sizeof a);
	manifest_check(1, one, b);
	assert_memory_equal(a, b, sizeof a);
}

static void a_page_out_of_order_or_broken_off_is_refused(void **state)
{
	uint8_t two[2 * MANIFEST_ENTRY] = {0};
	struct err e = {0};

	(void)state;
	two[15] = 4;
	two[MANIFEST_ENTRY + 15] = 4;
	assert_int_equal(manifest_page((struct span){two, sizeof two}, NULL, &e), -ERR_PROTOCOL);
	two[MANIFEST_ENTRY + 15] = 5;
	assert_int_equal(manifest_page((struct span){two, sizeof two}, NULL, &e), 0);
	assert_int_equal(manifest_page((struct span){two, sizeof two}, two, &e), -ERR_PROTOCOL);
	assert_int_equal(manifest_page((struct span){two, sizeof two - 1}, NULL, &e),
			 -ERR_PROTOCOL);
	assert_int_equal(manifest_last((struct span){two, sizeof two})[15], 5);
}

/* ---- numbers
 * ---------------------------------------------------------------------------------------- */

static void only_what_the_server_lacks_is_offered_again(void **state)
{
	const struct resume_point p = {.epoch = 2, .last_mid = 25};

	(void)state;
	assert_false(resume_lost(&p, true, 25, 1));
	assert_true(resume_lost(&p, true, 26, 1));
	assert_false(resume_lost(&p, true, 26, 2)); /* this very history acknowledged it */
	assert_true(resume_lost(&p, false, 3, 1));
	assert_false(resume_renames(&p, true, 25)); /* answered from its verdict */
	assert_true(resume_renames(&p, true, 26));
	assert_true(resume_renames(&p, false, 25));
}

static void the_last_mutation_is_known_by_its_bytes(void **state)
{
	struct resume_point p = {.epoch = 2, .last_mid = 25, .has_hash = true};
	const struct span mine = {(const uint8_t *)"mine", 4},
			  other = {(const uint8_t *)"other", 5}, gone = {NULL, 0};

	(void)state;
	SHA256(mine.at, mine.len, p.hash);
	assert_true(resume_trusts(&p, mine));
	assert_false(resume_trusts(&p, other));
	assert_true(resume_trusts(&p, gone));
}

static void fresh_numbers_leave_no_gap_and_parents_follow(void **state)
{
	Seve__Change changes[4];
	Seve__Change *lists[4];
	Seve__Mutation mutations[4];
	Seve__Mutation *list[4];
	static const uint64_t old[] = {26, 29, 30, 41}, parents[] = {20, 26, 28, 30},
			      bases[] = {90, 110, 0, 100};
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 16);
	for (int i = 0; i < 4; i++) {
		seve__change__init(&changes[i]);
		changes[i].base_mid = parents[i];
		changes[i].base_rev = bases[i];
		lists[i] = &changes[i];
		seve__mutation__init(&mutations[i]);
		mutations[i].mid = old[i];
		mutations[i].n_changes = 1;
		mutations[i].changes = &lists[i];
		list[i] = &mutations[i];
	}
	assert_int_equal(resume_renumber(&a, list, 4, 25, 100, &e), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(mutations[i].mid, 26 + i);
	assert_int_equal(changes[0].base_mid, 20); /* in effect */
	assert_int_equal(changes[1].base_mid, 26);
	assert_int_equal(changes[2].base_mid, 0); /* it was refused: no parent any more */
	assert_int_equal(changes[3].base_mid, 28);
	assert_int_equal(changes[1].base_rev, 100); /* beyond it, numbers mean something else */
	assert_int_equal(changes[0].base_rev, 90);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_is_continued_in_its_epoch_and_view_only),
		cmocka_unit_test(a_load_misses_only_what_was_deleted_since_it_began),
		cmocka_unit_test(each_record_is_kept_dropped_or_fetched),
		cmocka_unit_test(rev_and_content_are_both_told_apart),
		cmocka_unit_test(a_page_out_of_order_or_broken_off_is_refused),
		cmocka_unit_test(only_what_the_server_lacks_is_offered_again),
		cmocka_unit_test(the_last_mutation_is_known_by_its_bytes),
		cmocka_unit_test(fresh_numbers_leave_no_gap_and_parents_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

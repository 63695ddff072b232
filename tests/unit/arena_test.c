/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdalign.h>
#include <string.h>

#include "base/arena.h"
#include "tests/unit/alloc.h"

#define MIB ((size_t)1024 * 1024)

static struct arena *
arena_of(size_t limit)
{
	struct arena *a = arena_new(limit);

	assert_non_null(a);
	return a;
}

static void
assert_zeroed(const char *piece, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(piece[i], 0);
}

static void
pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct arena *a = arena_of(MIB);
	unsigned char *pieces[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i] = arena_alloc(a, i + 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		assert_zeroed((const char *)pieces[i], i + 1);
		memset(pieces[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		for (size_t n = 0; n <= i; n++)
			assert_int_equal(pieces[i][n], i);
	arena_free(a);
}

static void
one_piece_may_be_larger_than_any_chunk(void **state)
{
	struct arena *a = arena_of(8 * MIB);
	char *small = arena_alloc(a, 1);
	char *large = arena_alloc(a, 4 * MIB);
	char *after = arena_alloc(a, 1);

	(void)state;
	assert_non_null(small);
	assert_non_null(large);
	assert_non_null(after);
	assert_zeroed(large, 4 * MIB);
	memset(large, 0xff, 4 * MIB);
	assert_int_equal(*small, 0);
	assert_int_equal(*after, 0);
	arena_free(a);
}

static void
the_limit_can_be_used_up_whole(void **state)
{
	static const size_t limits[] = {16, 4096, 64 * 1024, 64 * 1024 + 16, MIB};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct arena *a = arena_of(limits[i]);

		assert_non_null(arena_alloc(a, limits[i]));
		assert_int_equal(arena_used(a), limits[i]);
		assert_null(arena_alloc(a, 1));
		arena_free(a);
	}
}

static void
the_piece_that_would_pass_the_limit_is_refused(void **state)
{
	struct arena *a = arena_of(1000);

	(void)state;
	assert_null(arena_alloc(a, 1001));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, 512));
	assert_null(arena_alloc(a, 489));
	assert_non_null(arena_alloc(a, 488));
	assert_int_equal(arena_used(a), 1000);
	assert_null(arena_alloc(a, 1));
	arena_free(a);
}

static void
an_arena_without_room_gives_nothing(void **state)
{
	struct arena *a = arena_of(0);

	(void)state;
	assert_null(arena_alloc(a, 1));
	assert_null(arena_text(a, "", 0));
	arena_free(a);
}

static void
sizes_that_overflow_are_refused(void **state)
{
	static const size_t limits[] = {1000, SIZE_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct arena *a = arena_of(limits[i]);

		for (size_t less = 0; less < 64; less++)
			assert_null(arena_alloc(a, SIZE_MAX - less));
		assert_null(arena_array(a, SIZE_MAX, 2));
		assert_null(arena_array(a, SIZE_MAX / 2 + 1, 2));
		assert_null(arena_array(a, 2, SIZE_MAX));
		assert_null(arena_text(a, "x", SIZE_MAX));
		assert_int_equal(arena_used(a), 0);
		arena_free(a);
	}
}

static void
arrays_are_zeroed_and_counted(void **state)
{
	struct arena *a = arena_of(1024);
	uint64_t *numbers = arena_array(a, 64, sizeof(*numbers));

	(void)state;
	assert_non_null(numbers);
	assert_zeroed((const char *)numbers, 64 * sizeof(*numbers));
	assert_int_equal(arena_used(a), 512);
	assert_null(arena_array(a, 65, sizeof(*numbers)));
	assert_non_null(arena_array(a, 0, sizeof(*numbers)));
	arena_free(a);
}

static void
text_is_copied_with_a_nul(void **state)
{
	struct arena *a = arena_of(1024);
	char source[] = "google.com";
	char *copy = arena_text(a, source, 6);
	char *bytes = arena_text(a, "a\0b", 3);
	char *empty = arena_text(a, source, 0);

	(void)state;
	source[0] = 'x';
	assert_string_equal(copy, "google");
	assert_memory_equal(bytes, "a\0b", 4);
	assert_string_equal(empty, "");
	arena_free(a);
}

static void
text_keeps_its_nul_whatever_comes_next(void **state)
{
	struct arena *a = arena_of(16384);

	(void)state;
	for (size_t len = 0; len <= 64; len++) {
		char source[64];
		char *copy, *next;

		memset(source, 'x', sizeof(source));
		copy = arena_text(a, source, len);
		next = arena_alloc(a, 1);
		assert_non_null(copy);
		assert_non_null(next);
		*next = 'y';
		assert_int_equal(strlen(copy), len);
	}
	arena_free(a);
}

static void
text_needs_room_for_its_nul(void **state)
{
	struct arena *a = arena_of(4);

	(void)state;
	assert_null(arena_text(a, "four", 4));
	assert_string_equal(arena_text(a, "for", 3), "for");
	arena_free(a);
}

static void
out_of_memory_is_told_and_can_be_tried_again(void **state)
{
	struct arena *a;

	(void)state;
	alloc_fail_at(0);
	assert_null(arena_new(1000));
	a = arena_of(1000);
	alloc_fail_at(0);
	assert_null(arena_alloc(a, 10));
	assert_int_equal(arena_used(a), 0);
	assert_non_null(arena_alloc(a, 10));
	alloc_reset();
	arena_free(a);
	arena_free(NULL);
}

static void
many_small_pieces_take_few_allocations(void **state)
{
	struct arena *a = arena_of(16 * MIB);

	(void)state;
	alloc_reset();
	for (size_t i = 0; i < 65536; i++)
		assert_non_null(arena_alloc(a, 16));
	assert_int_equal(alloc_count(), 8); /* 4 to 256 KiB, then a huge page */
	arena_free(a);
}

static void
a_cleared_arena_is_as_new(void **state)
{
	struct arena *a = arena_of(2 * MIB);

	(void)state;
	arena_clear(a); /* nothing was taken yet */
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 1; i <= 3000; i += 7) {
			char *piece = arena_alloc(a, i);

			assert_non_null(piece);
			assert_zeroed(piece, i);
			memset(piece, 0xff, i);
		}
		arena_clear(a);
		assert_int_equal(arena_used(a), 0);
	}
	assert_non_null(arena_alloc(a, 2 * MIB));
	arena_clear(a); /* a chunk of that size is not kept */
	assert_non_null(arena_alloc(a, 2 * MIB));
	arena_free(a);
}

static void
a_cleared_arena_allocates_no_more(void **state)
{
	struct arena *a = arena_of(MIB);

	(void)state;
	assert_non_null(arena_alloc(a, 3000));
	alloc_reset();
	for (int i = 0; i < 10; i++) {
		arena_clear(a);
		assert_non_null(arena_alloc(a, 3000));
	}
	assert_int_equal(alloc_count(), 0);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
	    cmocka_unit_test(one_piece_may_be_larger_than_any_chunk),
	    cmocka_unit_test(the_limit_can_be_used_up_whole),
	    cmocka_unit_test(the_piece_that_would_pass_the_limit_is_refused),
	    cmocka_unit_test(an_arena_without_room_gives_nothing),
	    cmocka_unit_test(sizes_that_overflow_are_refused),
	    cmocka_unit_test(arrays_are_zeroed_and_counted),
	    cmocka_unit_test(text_is_copied_with_a_nul),
	    cmocka_unit_test(text_keeps_its_nul_whatever_comes_next),
	    cmocka_unit_test(text_needs_room_for_its_nul),
	    cmocka_unit_test(out_of_memory_is_told_and_can_be_tried_again),
	    cmocka_unit_test(many_small_pieces_take_few_allocations),
	    cmocka_unit_test(a_cleared_arena_is_as_new),
	    cmocka_unit_test(a_cleared_arena_allocates_no_more),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

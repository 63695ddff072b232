/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "tests/unit/alloc.h"

struct entry {
	int key;
	struct table_link link;
	bool seen;
};

static bool
matches(const struct table_link *link, const void *key)
{
	const char *bytes = (const char *)link - offsetof(struct entry, link);

	return ((const struct entry *)(const void *)bytes)->key == *(const int *)key;
}

static struct entry *
find(const struct table *t, uint64_t hash, int key)
{
	struct table_link *link = table_find(t, hash, matches, &key);

	return link != NULL ? CONTAINER_OF(link, struct entry, link) : NULL;
}

static void
add(struct table *t, uint64_t hash, struct entry *e)
{
	assert_int_equal(table_add(t, hash, &e->link), 0);
}

static void
what_is_added_is_found_until_it_is_removed(void **state)
{
	struct entry a = {.key = 1}, b = {.key = 2};
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 10), 0);
	assert_null(find(&t, 1, 1));
	add(&t, 1, &a);
	add(&t, 2, &b);
	assert_ptr_equal(find(&t, 1, 1), &a);
	assert_ptr_equal(find(&t, 2, 2), &b);
	assert_null(find(&t, 1, 2));
	assert_null(find(&t, 2, 1));
	table_remove(&t, &a.link);
	assert_null(find(&t, 1, 1));
	assert_ptr_equal(find(&t, 2, 2), &b);
	assert_int_equal(t.len, 1);
	table_done(&t);
}

static void
a_removed_entry_may_be_added_again(void **state)
{
	struct entry a = {.key = 1};
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 1), 0);
	for (uint64_t round = 0; round < 3; round++) {
		add(&t, round, &a);
		assert_ptr_equal(find(&t, round, 1), &a);
		table_remove(&t, &a.link);
	}
	assert_int_equal(t.len, 0);
	table_done(&t);
}

static void
one_chain_keeps_equal_hashes_and_buckets_apart(void **state)
{
	struct entry e[5] = {{.key = 0}, {.key = 1}, {.key = 2}, {.key = 3}, {.key = 4}};
	uint64_t high = (uint64_t)1 << 63;
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 5), 0);
	for (size_t i = 0; i < 3; i++)
		add(&t, 7, &e[i]);
	add(&t, 7 + high, &e[3]); /* the same bucket, another hash */
	add(&t, 7 + high + 16, &e[4]);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(find(&t, 7, i), &e[i]);
	assert_null(find(&t, 7, 3));
	assert_ptr_equal(find(&t, 7 + high, 3), &e[3]);
	table_remove(&t, &e[1].link); /* from the middle, then both ends */
	assert_ptr_equal(find(&t, 7, 0), &e[0]);
	assert_ptr_equal(find(&t, 7, 2), &e[2]);
	table_remove(&t, &e[0].link);
	table_remove(&t, &e[3].link);
	assert_ptr_equal(find(&t, 7, 2), &e[2]);
	assert_ptr_equal(find(&t, 7 + high + 16, 4), &e[4]);
	table_done(&t);
}

static void
the_limit_is_exact_and_refuses(void **state)
{
	static const size_t limits[] = {1, 2, 15, 16, 17, 100};
	struct entry e[101];
	struct table t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		assert_int_equal(table_init(&t, limits[i]), 0);
		for (size_t n = 0; n < limits[i]; n++) {
			e[n].key = (int)n;
			add(&t, n, &e[n]);
		}
		e[limits[i]].key = (int)limits[i];
		assert_int_equal(table_add(&t, limits[i], &e[limits[i]].link), -ENOSPC);
		assert_int_equal(t.len, limits[i]);
		assert_null(find(&t, limits[i], (int)limits[i]));
		table_remove(&t, &e[0].link);
		add(&t, limits[i], &e[limits[i]]);
		table_done(&t);
	}
}

static void
no_room_at_all_is_no_table(void **state)
{
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 0), -EINVAL);
	assert_int_equal(table_init(&t, SIZE_MAX), -EINVAL);
}

static void
out_of_memory_is_told(void **state)
{
	struct table t;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(table_init(&t, 1000), -ENOMEM);
	alloc_reset();
}

static void
buckets_never_move_after_init(void **state)
{
	struct entry e[100];
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 100), 0);
	alloc_reset();
	for (size_t n = 0; n < 100; n++) {
		e[n].key = (int)n;
		add(&t, n * 7919, &e[n]);
	}
	assert_int_equal(alloc_count(), 0);
	table_done(&t);
}

/* So that what a table of a million with few entries reads lies close together. */
static void
no_more_buckets_are_used_than_there_are_entries(void **state)
{
	struct entry e[100];
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 1000000), 0);
	for (size_t n = 0; n < 100; n++) {
		e[n].key = (int)n;
		add(&t, n * 0x9e3779b97f4a7c15ULL, &e[n]);
		for (size_t bucket = MAX_OF(n + 1, 16); bucket < 1048576; bucket++)
			assert_null(t.buckets[bucket].first);
		for (size_t old = 0; old <= n; old++)
			assert_ptr_equal(
			    find(&t, old * 0x9e3779b97f4a7c15ULL, (int)old), &e[old]);
	}
	table_done(&t);
}

static void
no_chain_is_long_at_any_number_of_entries(void **state)
{
	static struct entry e[5000];
	struct table t;
	size_t longest = 0;

	(void)state;
	assert_int_equal(table_init(&t, ARRAY_LEN(e)), 0);
	for (size_t n = 0; n < ARRAY_LEN(e); n++) {
		size_t len = 0;

		e[n].key = (int)n;
		add(&t, ARRAY_LEN(e) - n, &e[n]); /* as even as hashes can be */
		for (struct table_link *l = t.buckets[8].first; l != NULL; l = l->next)
			len++;
		longest = MAX_OF(longest, len);
	}
	assert_int_equal(longest, 2); /* before it is split */
	table_done(&t);
}

static void
a_table_over_the_callers_buckets_uses_all(void **state)
{
	struct table_bucket buckets[128] = {{0}};
	struct entry e[100];
	struct table t;

	(void)state;
	assert_int_equal(table_buckets(100), ARRAY_LEN(buckets));
	table_over(&t, buckets, 100);
	for (size_t n = 0; n < 100; n++) {
		e[n].key = (int)n;
		add(&t, n, &e[n]);
		assert_ptr_equal(buckets[n].first, &e[n].link);
	}
	assert_ptr_equal(find(&t, 99, 99), &e[99]);
}

static void
check_bits(const struct table *t)
{
	for (size_t n = 0; n < t->used; n++) {
		uint64_t bits = 0;

		for (struct table_link *l = t->buckets[n].first; l != NULL; l = l->next)
			bits |= UINT64_C(1) << (l->hash >> 58);
		assert_int_equal(t->buckets[n].bits, bits);
	}
}

/* One too few would hide an entry; one too many costs time. */
static void
a_buckets_bits_are_those_of_its_chain(void **state)
{
	struct entry e[200];
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 200), 0);
	for (size_t n = 0; n < 200; n++) {
		e[n] = (struct entry){.key = (int)n};
		add(&t, n / 3 * 0x9e3779b97f4a7c15ULL, &e[n]);
		check_bits(&t);
		if (n % 4 == 3) {
			table_remove(&t, &e[n - 2].link);
			check_bits(&t);
		}
	}
	table_done(&t);
}

static void
walk_meets_every_entry_once(void **state)
{
	struct entry e[200];
	struct table t;
	size_t met = 0;

	(void)state;
	assert_int_equal(table_init(&t, 200), 0);
	for (size_t n = 0; n < 200; n++) {
		e[n] = (struct entry){.key = (int)n};
		add(&t, n / 3 * 0x9e3779b97f4a7c15ULL, &e[n]);
	}
	for (struct table_link *link = table_first(&t); link != NULL;
	     link = table_next(&t, link), met++) {
		struct entry *at = CONTAINER_OF(link, struct entry, link);

		assert_false(at->seen);
		at->seen = true;
	}
	assert_int_equal(met, 200);
	table_done(&t);
}

static void
walk_allows_removing_what_was_met(void **state)
{
	struct entry e[200];
	struct table t;
	struct table_link *next;

	(void)state;
	assert_int_equal(table_init(&t, 200), 0);
	for (size_t n = 0; n < 200; n++) {
		e[n] = (struct entry){.key = (int)n};
		add(&t, n / 3, &e[n]);
	}
	for (struct table_link *link = table_first(&t); link != NULL; link = next) {
		next = table_next(&t, link);
		if (CONTAINER_OF(link, struct entry, link)->key % 2 == 0)
			table_remove(&t, link);
	}
	assert_int_equal(t.len, 100);
	for (int n = 0; n < 200; n++)
		assert_int_equal(find(&t, (uint64_t)n / 3, n) != NULL, n % 2 != 0);
	for (struct table_link *link = table_first(&t); link != NULL; link = next) {
		next = table_next(&t, link);
		table_remove(&t, link);
	}
	assert_null(table_first(&t));
	table_done(&t);
}

static void
walk_of_nothing_ends_at_once(void **state)
{
	struct table empty = {0};
	struct table t;

	(void)state;
	assert_null(table_first(&empty));
	assert_int_equal(table_init(&t, 1), 0);
	assert_null(table_first(&t));
	table_done(&t);
	assert_null(table_first(&t));
	table_done(&t); /* twice is harmless */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_added_is_found_until_it_is_removed),
	    cmocka_unit_test(a_removed_entry_may_be_added_again),
	    cmocka_unit_test(one_chain_keeps_equal_hashes_and_buckets_apart),
	    cmocka_unit_test(the_limit_is_exact_and_refuses),
	    cmocka_unit_test(no_room_at_all_is_no_table),
	    cmocka_unit_test(out_of_memory_is_told),
	    cmocka_unit_test(buckets_never_move_after_init),
	    cmocka_unit_test(no_more_buckets_are_used_than_there_are_entries),
	    cmocka_unit_test(no_chain_is_long_at_any_number_of_entries),
	    cmocka_unit_test(a_table_over_the_callers_buckets_uses_all),
	    cmocka_unit_test(a_buckets_bits_are_those_of_its_chain),
	    cmocka_unit_test(walk_meets_every_entry_once),
	    cmocka_unit_test(walk_allows_removing_what_was_met),
	    cmocka_unit_test(walk_of_nothing_ends_at_once),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

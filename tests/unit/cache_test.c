/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "resolver/cache.h"
#include "resolver/wire.h"
#include "tests/unit/alloc.h"
#include "tests/unit/message.h"

static const struct hash_key key = {.k = {1, 2}};
static const struct cache_limits roomy = {
    .bytes = 1 << 20, .ttl_max_s = 3600, .negative_max_s = 60};

static struct message m;
static struct cache_use use; /* what the last find said */

/* An answer born at 0, with an address, or negative without. */
static struct answer *
make(const char *name, uint16_t type, uint32_t ttl_s, bool negative)
{
	struct name n = message_parsed(name);
	struct answer *a;

	message_reply(&m, name, type);
	if (negative)
		message_soa(&m, ".", ttl_s, ttl_s);
	else if (type == TYPE_A)
		message_a(&m, "@", ttl_s, "192.0.2.1");
	else
		message_aaaa(&m, "@", ttl_s, "2001:db8::1");
	assert_int_equal(answer_examine(m.bytes, m.len, &n, type, 0, &a), 0);
	return a;
}

/* The cache alone holds it afterwards. */
static struct answer *
add(struct cache *c, size_t group, const char *name, uint16_t type, uint32_t ttl_s)
{
	struct answer *a = make(name, type, ttl_s, false);

	cache_add(c, group, a, 0);
	answer_unref(a);
	return a;
}

static struct answer *
find(struct cache *c, size_t group, const char *name, uint16_t type, int64_t now_ms)
{
	struct name n = message_parsed(name);

	return cache_find(c, group, &n, type, now_ms, &use);
}

static void
an_answer_is_found_by_group_name_and_type(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a = add(c, 0, "a", TYPE_A, 60);
	struct answer *b = add(c, 1, "a", TYPE_A, 60);
	struct answer *aaaa = add(c, 0, "a", TYPE_AAAA, 60);

	(void)state;
	assert_ptr_equal(find(c, 0, "A", TYPE_A, 1), a);
	assert_ptr_equal(find(c, 1, "a", TYPE_A, 1), b);
	assert_ptr_equal(find(c, 0, "a", TYPE_AAAA, 1), aaaa);
	assert_null(find(c, 1, "a", TYPE_AAAA, 1));
	assert_null(find(c, 2, "a", TYPE_A, 1));
	assert_null(find(c, 0, "a", TYPE_TXT, 1));
	assert_null(find(c, 0, "b", TYPE_A, 1));
	assert_int_equal(cache_counts(c).answers, 3);
	assert_int_equal(cache_counts(c).hits, 3);
	assert_int_equal(cache_counts(c).misses, 4);
	cache_free(c);
}

static void
an_answer_that_is_over_is_a_miss_and_gone(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	size_t empty = cache_counts(c).bytes;

	(void)state;
	add(c, 0, "a", TYPE_A, 10);
	assert_non_null(find(c, 0, "a", TYPE_A, 9999));
	assert_null(find(c, 0, "a", TYPE_A, 10000));
	assert_int_equal(cache_counts(c).answers, 0);
	assert_int_equal(cache_counts(c).bytes, empty);
	assert_int_equal(cache_counts(c).misses, 1);
	cache_free(c);
}

static void
nothing_is_kept_longer_than_the_limits_say(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a = make("n", TYPE_A, 3000, true);

	(void)state;
	add(c, 0, "a", TYPE_A, 604800);
	assert_non_null(find(c, 0, "a", TYPE_A, 3600 * 1000 - 1));
	assert_null(find(c, 0, "a", TYPE_A, 3600 * 1000));
	cache_add(c, 0, a, 0);
	answer_unref(a);
	assert_non_null(find(c, 0, "n", TYPE_A, 60 * 1000 - 1));
	assert_null(find(c, 0, "n", TYPE_A, 60 * 1000));
	cache_free(c);
}

static void
item_52_ttl_0_is_not_kept(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a = make("b", TYPE_A, 10, false);

	(void)state;
	add(c, 0, "a", TYPE_A, 0);
	assert_null(find(c, 0, "a", TYPE_A, 0));
	cache_add(c, 0, a, 10000); /* it is over already */
	answer_unref(a);
	assert_null(find(c, 0, "b", TYPE_A, 0));
	assert_int_equal(cache_counts(c).answers, 0);
	cache_free(c);
}

/* An answer without any record. */
static struct answer *
make_nxdomain(const char *name, uint16_t type, int64_t now_ms)
{
	struct name n = message_parsed(name);
	struct answer *a;

	message_reply(&m, name, type);
	m.bytes[3] |= RCODE_NXDOMAIN;
	message_soa(&m, ".", 50, 50);
	assert_int_equal(answer_examine(m.bytes, m.len, &n, type, now_ms, &a), 0);
	return a;
}

static void
add_nxdomain(struct cache *c, const char *name, uint16_t type, int64_t now_ms)
{
	struct answer *a = make_nxdomain(name, type, now_ms);

	cache_add(c, 0, a, now_ms);
	answer_unref(a);
}

static void
item_55_nxdomain_holds_for_all_types(void **state)
{
	struct cache *c = cache_new(&roomy, &key);

	(void)state;
	add_nxdomain(c, "a", TYPE_A, 0);
	assert_non_null(find(c, 0, "a", TYPE_A, 1));
	assert_non_null(find(c, 0, "a", TYPE_AAAA, 1));
	assert_non_null(find(c, 0, "a", 0, 1));
	assert_null(find(c, 1, "a", TYPE_AAAA, 1));
	assert_null(find(c, 0, "a.a", TYPE_A, 1));
	add_nxdomain(c, "a", TYPE_TXT, 2);
	assert_int_equal(cache_counts(c).answers, 1);
	add(c, 0, "a", TYPE_AAAA, 60); /* so it exists after all */
	assert_null(find(c, 0, "a", TYPE_A, 3));
	assert_int_equal(cache_counts(c).answers, 1);
	cache_free(c);
}

static void
item_55_nodata_holds_for_its_type(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a = make("a", TYPE_A, 30, true), *zero = make("b", 0, 30, true);

	(void)state;
	cache_add(c, 0, a, 0);
	cache_add(c, 0, zero, 0); /* a type like any other */
	assert_ptr_equal(find(c, 0, "a", TYPE_A, 1), a);
	assert_null(find(c, 0, "a", TYPE_AAAA, 1));
	assert_null(find(c, 0, "b", TYPE_A, 1));
	answer_unref(a);
	answer_unref(zero);
	cache_free(c);
}

static void
item_55_an_alias_that_leads_nowhere_exists(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct name n = message_parsed("a");
	struct answer *a;

	(void)state;
	message_reply(&m, "a", TYPE_A);
	m.bytes[3] |= RCODE_NXDOMAIN;
	message_alias(&m, "@", 50, "b");
	message_soa(&m, ".", 50, 50);
	assert_int_equal(answer_examine(m.bytes, m.len, &n, TYPE_A, 0, &a), 0);
	cache_add(c, 0, a, 0);
	assert_ptr_equal(find(c, 0, "a", TYPE_A, 1), a);
	assert_null(find(c, 0, "a", TYPE_AAAA, 1));
	answer_unref(a);
	cache_free(c);
}

static struct answer *
find_old(struct cache *c, const char *name, uint16_t type, int64_t now_ms)
{
	struct name n = message_parsed(name);

	return cache_find_old(c, 0, &n, type, now_ms);
}

static void
item_57_old_answers_are_kept_within_the_limit(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;
	struct answer *a;

	(void)state;
	limits.old_max_s = 100;
	c = cache_new(&limits, &key);
	a = add(c, 0, "a", TYPE_A, 10);
	assert_ptr_equal(find_old(c, "a", TYPE_A, 0), a);
	assert_null(find(c, 0, "a", TYPE_A, 10000));
	assert_ptr_equal(find_old(c, "a", TYPE_A, 10000), a);
	assert_null(find_old(c, "a", TYPE_AAAA, 10000));
	assert_ptr_equal(find_old(c, "a", TYPE_A, 109999), a);
	assert_int_equal(cache_counts(c).hits, 0);
	assert_null(find_old(c, "a", TYPE_A, 110000));
	assert_int_equal(cache_counts(c).answers, 0);
	add_nxdomain(c, "a", TYPE_TXT, 1000);
	assert_null(find(c, 0, "a", TYPE_A, 51000));
	assert_int_equal(find_old(c, "a", TYPE_A, 51000)->rcode, RCODE_NXDOMAIN);
	a = add(c, 0, "a", TYPE_A, 0); /* the new one is not kept, the old one wrong */
	assert_null(find_old(c, "a", TYPE_A, 51000));
	cache_free(c);
}

static void
of_two_old_answers_the_newer_counts(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;

	(void)state;
	limits.old_max_s = 1000;
	c = cache_new(&limits, &key);
	add(c, 0, "a", TYPE_A, 10);
	add_nxdomain(c, "a", TYPE_TXT, 5000);
	assert_int_equal(find(c, 0, "a", TYPE_A, 6000)->rcode, RCODE_NOERROR);
	assert_int_equal(find(c, 0, "a", TYPE_A, 20000)->rcode, RCODE_NXDOMAIN);
	assert_int_equal(find_old(c, "a", TYPE_A, 100000)->rcode, RCODE_NXDOMAIN);
	cache_free(c);
}

static void
limits_may_change_but_for_the_size(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c = cache_new(&roomy, &key);

	(void)state;
	limits.ttl_max_s = 5;
	limits.bytes = 0;
	cache_limit(c, &limits);
	add(c, 0, "a", TYPE_A, 60);
	assert_non_null(find(c, 0, "a", TYPE_A, 4999));
	assert_null(find(c, 0, "a", TYPE_A, 5000));
	cache_free(c);
}

static void
a_popular_answer_is_due_once_near_its_end(void **state)
{
	struct cache *c = cache_new(&roomy, &key);

	(void)state;
	add(c, 0, "a", TYPE_A, 100);
	for (size_t i = 1; i < CACHE_POPULAR; i++) {
		assert_non_null(find(c, 0, "a", TYPE_A, 95000));
		assert_false(use.due);
		assert_int_equal(use.steady_ms, 0); /* each use counts */
	}
	assert_non_null(find(c, 0, "a", TYPE_A, 89999));
	assert_false(use.due);
	assert_int_equal(use.steady_ms, 90000);
	assert_non_null(find(c, 0, "a", TYPE_A, 90000));
	assert_true(use.due);
	assert_non_null(find(c, 0, "a", TYPE_A, 99999));
	assert_false(use.due);
	assert_int_equal(use.steady_ms, 100000);
	add(c, 0, "a", TYPE_A, 100); /* it has to become popular anew */
	assert_non_null(find(c, 0, "a", TYPE_A, 95000));
	assert_false(use.due);
	cache_free(c);
}

static void
a_newer_answer_takes_the_olders_place(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a;
	size_t bytes;

	(void)state;
	add(c, 0, "a", TYPE_A, 60);
	bytes = cache_counts(c).bytes;
	a = add(c, 0, "a", TYPE_A, 50);
	assert_ptr_equal(find(c, 0, "a", TYPE_A, 0), a);
	assert_int_equal(cache_counts(c).answers, 1);
	assert_int_equal(cache_counts(c).bytes, bytes);
	cache_add(c, 0, a, 0); /* the one that only the cache holds */
	assert_ptr_equal(find(c, 0, "a", TYPE_A, 0), a);
	add(c, 0, "a", TYPE_A, 0);
	assert_null(find(c, 0, "a", TYPE_A, 0));
	cache_free(c);
}

static void
the_least_recently_used_go_first(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c = cache_new(&roomy, &key);
	size_t each, fixed = cache_counts(c).bytes;
	char name[2] = "a";

	(void)state;
	add(c, 0, "a", TYPE_A, 60);
	each = cache_counts(c).bytes - fixed;
	cache_free(c);
	limits.bytes = 8 * each;
	c = cache_new(&limits, &key);
	fixed = cache_counts(c).bytes;
	assert_true(fixed < 3 * each);
	cache_free(c);
	for (size_t room = 3; room <= 5; room++) {
		/* the table of a cache that small has as many buckets as the other */
		limits.bytes = fixed + room * each;
		c = cache_new(&limits, &key);
		assert_int_equal(cache_counts(c).bytes, fixed);
		for (name[0] = 'a'; name[0] < 'a' + (char)room; name[0]++)
			add(c, 0, name, TYPE_A, 60);
		assert_int_equal(cache_counts(c).evictions, 0);
		assert_non_null(find(c, 0, "a", TYPE_A, 0));
		add(c, 0, "z", TYPE_A, 60);
		assert_int_equal(cache_counts(c).evictions, 1);
		assert_int_equal(cache_counts(c).answers, room);
		assert_non_null(find(c, 0, "a", TYPE_A, 0));
		assert_null(find(c, 0, "b", TYPE_A, 0));
		assert_non_null(find(c, 0, "c", TYPE_A, 0));
		assert_true(cache_counts(c).bytes <= limits.bytes);
		cache_free(c);
	}
}

static void
the_limit_holds_for_thousands(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;
	char name[16];

	(void)state;
	limits.bytes = 100000;
	c = cache_new(&limits, &key);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		add(c, 0, name, TYPE_A, 60);
		assert_true(cache_counts(c).bytes <= limits.bytes);
		assert_non_null(find(c, 0, name, TYPE_A, 0));
	}
	assert_int_equal(cache_counts(c).answers + cache_counts(c).evictions, 5000);
	assert_true(cache_counts(c).answers > 100);
	cache_free(c);
}

static void
an_answer_larger_than_the_cache_leaves_the_others_in_place(void **state)
{
	static const uint8_t zeros[8000];
	struct cache_limits limits = roomy;
	struct name n = message_parsed("big");
	struct answer *big;
	struct cache *c;

	(void)state;
	message_reply(&m, "big", TYPE_NULL);
	message_record(&m, ANSWER, "@", TYPE_NULL, 60, zeros, sizeof(zeros));
	assert_int_equal(answer_examine(m.bytes, m.len, &n, TYPE_NULL, 0, &big), 0);
	limits.bytes = 4000;
	c = cache_new(&limits, &key);
	add(c, 0, "a", TYPE_A, 60);
	cache_add(c, 0, big, 0);
	assert_int_equal(big->refs, 1);
	assert_null(find(c, 0, "big", TYPE_NULL, 0));
	assert_non_null(find(c, 0, "a", TYPE_A, 0));
	cache_free(c);
	limits.bytes = 0; /* no cache at all */
	c = cache_new(&limits, &key);
	add(c, 0, "a", TYPE_A, 60);
	assert_null(find(c, 0, "a", TYPE_A, 0));
	cache_free(c);
	answer_unref(big);
}

static void
an_answer_in_use_outlives_the_cache(void **state)
{
	struct cache *c = cache_new(&roomy, &key);
	struct answer *a = make("a", TYPE_A, 60, false);
	size_t empty = cache_counts(c).bytes;

	(void)state;
	cache_add(c, 0, a, 0);
	assert_int_equal(a->refs, 2);
	cache_clear(c);
	assert_int_equal(a->refs, 1);
	assert_null(find(c, 0, "a", TYPE_A, 0));
	assert_int_equal(cache_counts(c).bytes, empty);
	cache_add(c, 0, a, 0);
	cache_free(c);
	assert_int_equal(a->address_count, 1);
	answer_unref(a);
	cache_free(NULL);
}

static void
without_memory_an_answer_is_simply_absent(void **state)
{
	struct cache *c;
	struct answer *a = make("a", TYPE_A, 60, false);

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		alloc_fail_at(n);
		assert_null(cache_new(&roomy, &key));
	}
	alloc_reset();
	c = cache_new(&roomy, &key);
	alloc_fail_at(0);
	cache_add(c, 0, a, 0);
	alloc_reset();
	assert_int_equal(a->refs, 1);
	assert_null(find(c, 0, "a", TYPE_A, 0));
	cache_add(c, 0, a, 0);
	alloc_fail_at(0);
	assert_ptr_equal(find(c, 0, "a", TYPE_A, 0), a);
	assert_int_equal(alloc_count(), 0);
	alloc_reset();
	cache_free(c);
	answer_unref(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_is_found_by_group_name_and_type),
	    cmocka_unit_test(an_answer_that_is_over_is_a_miss_and_gone),
	    cmocka_unit_test(nothing_is_kept_longer_than_the_limits_say),
	    cmocka_unit_test(item_52_ttl_0_is_not_kept),
	    cmocka_unit_test(item_55_nxdomain_holds_for_all_types),
	    cmocka_unit_test(item_55_nodata_holds_for_its_type),
	    cmocka_unit_test(item_55_an_alias_that_leads_nowhere_exists),
	    cmocka_unit_test(item_57_old_answers_are_kept_within_the_limit),
	    cmocka_unit_test(of_two_old_answers_the_newer_counts),
	    cmocka_unit_test(limits_may_change_but_for_the_size),
	    cmocka_unit_test(a_popular_answer_is_due_once_near_its_end),
	    cmocka_unit_test(a_newer_answer_takes_the_olders_place),
	    cmocka_unit_test(the_least_recently_used_go_first),
	    cmocka_unit_test(the_limit_holds_for_thousands),
	    cmocka_unit_test(an_answer_larger_than_the_cache_leaves_the_others_in_place),
	    cmocka_unit_test(an_answer_in_use_outlives_the_cache),
	    cmocka_unit_test(without_memory_an_answer_is_simply_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/query/wildcard.h"
#include "tests/unit/alloc.h"

static const struct hash_key key = {{1, 2}};
static const struct wildcard_budget ten = {.names = 10};

static int
enter(void **state)
{
	struct wildcard *w;

	assert_int_equal(wildcard_new(&key, &w), 0);
	*state = w;
	return 0;
}

static int
leave(void **state)
{
	wildcard_free(*state);
	return 0;
}

/* 13 bytes on the wire. */
static struct name
numbered(unsigned number)
{
	char text[32];
	struct name n;
	int len = snprintf(text, sizeof(text), "n%05u.test", number);

	assert_int_equal(name_parse(text, (size_t)len, &n), 0);
	return n;
}

static bool
take(struct wildcard *w, uint64_t pod, unsigned number,
    const struct wildcard_budget *budget, int64_t now_ms)
{
	const struct addr addr = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1});
	const struct wildcard_pod who = {.identity = pod, .addr = &addr};
	const struct name name = numbered(number);

	return wildcard_take(w, &who, &name, budget, now_ms);
}

/* Of the names from first on, how many the pod may ask for. */
static unsigned
taken(struct wildcard *w, uint64_t pod, unsigned first, unsigned count,
    const struct wildcard_budget *budget, int64_t now_ms)
{
	unsigned passed = 0;

	for (unsigned i = first; i < first + count; i++)
		passed += take(w, pod, i, budget, now_ms);
	return passed;
}

static void
so_many_names_in_a_minute(void **state)
{
	assert_int_equal(taken(*state, 1, 0, 50, &ten, 5000), 10);
	assert_int_equal(taken(*state, 1, 50, 50, &ten, 5000 + 59999), 0);
	assert_int_equal(taken(*state, 1, 50, 50, &ten, 5000 + 60000), 10);
}

static void
a_name_counts_once(void **state)
{
	for (int i = 0; i < 100; i++)
		assert_true(take(*state, 1, 7, &ten, 5000 + i));
	assert_int_equal(taken(*state, 1, 100, 50, &ten, 6000), 9);
	assert_true(take(*state, 1, 7, &ten, 6000)); /* with nothing left for others */
	assert_false(take(*state, 1, 8, &ten, 6000));
}

static void
a_name_counts_again_in_the_next_minute(void **state)
{
	assert_int_equal(taken(*state, 1, 0, 10, &ten, 5000), 10);
	assert_true(take(*state, 1, 3, &ten, 65000));
	assert_int_equal(taken(*state, 1, 100, 50, &ten, 65000), 9);
}

static void
bytes_have_a_budget_too(void **state)
{
	const struct wildcard_budget bytes = {.bytes = 100}; /* 7 names of 13 */
	const struct wildcard_budget both = {.names = 5, .bytes = 100};

	assert_int_equal(numbered(1).len, 13);
	assert_int_equal(taken(*state, 1, 0, 50, &bytes, 5000), 7);
	assert_int_equal(taken(*state, 2, 0, 50, &both, 5000), 5);
}

static void
what_was_taken_is_told(void **state)
{
	const struct wildcard_budget bytes = {.bytes = 100};
	const struct addr addr = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1});
	const struct wildcard_pod who = {.identity = 1, .addr = &addr};
	struct wildcard_budget t = wildcard_taken(*state, &who, 5000);

	assert_true(t.names == 0 && t.bytes == 0); /* it has never asked */
	assert_int_equal(taken(*state, 1, 0, 50, &bytes, 5000), 7);
	t = wildcard_taken(*state, &who, 5000 + 59999);
	assert_true(t.names == 7 && t.bytes == 7 * 13);
	t = wildcard_taken(*state, &who, 5000 + 60000);
	assert_true(t.names == 0 && t.bytes == 0);
}

static void
pods_do_not_share(void **state)
{
	assert_int_equal(taken(*state, 1, 0, 50, &ten, 5000), 10);
	assert_int_equal(taken(*state, 2, 0, 50, &ten, 5000), 10);
	/* a name that another one has asked for is none that this one has */
	assert_int_equal(taken(*state, 3, 0, 5, &ten, 5000), 5);
	assert_int_equal(taken(*state, 3, 50, 50, &ten, 5000), 5);
}

static void
who_is_not_known_counts_by_address(void **state)
{
	const struct addr addrs[] = {addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1}),
	    addr_make(AF_INET, (uint8_t[]){10, 0, 0, 2})};

	for (size_t i = 0; i < 2; i++) {
		const struct wildcard_pod who = {.addr = &addrs[i]};
		unsigned passed = 0;

		for (unsigned n = 0; n < 50; n++) {
			const struct name name = numbered(n);

			passed += wildcard_take(*state, &who, &name, &ten, 5000);
		}
		assert_int_equal(passed, 10);
	}
}

static void
no_limit_is_no_limit(void **state)
{
	const struct wildcard_budget none = {0};

	assert_int_equal(taken(*state, 1, 0, 20000, &none, 5000), 20000);
}

/* However full the table is of names that are over. */
static void
no_name_of_a_budget_is_counted_twice(void **state)
{
	const struct wildcard_budget thousand = {.names = 1000};

	for (int64_t now_ms = 0; now_ms < 200 * 60000; now_ms += 60000) {
		assert_int_equal(taken(*state, 1, 0, 1000, &thousand, now_ms), 1000);
		assert_int_equal(taken(*state, 1, 0, 1000, &thousand, now_ms), 1000);
		assert_int_equal(taken(*state, 1, 1000, 1000, &thousand, now_ms), 0);
	}
}

/* A pod that goes on keeps its account, however many others come and go. */
static void
who_goes_on_is_not_forgotten(void **state)
{
	const unsigned others = 4 * WILDCARD_SETS * WILDCARD_WAYS;
	unsigned passed = 0;

	for (unsigned i = 0; i < others; i++) {
		passed += take(*state, 1, i, &ten, 5000 + i);
		assert_true(take(*state, 2 + i, 99999, &ten, 5000 + i));
	}
	assert_int_equal(passed, 10);
}

static void
memory_may_lack(void **state)
{
	struct wildcard *w = NULL;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(wildcard_new(&key, &w), -ENOMEM);
	alloc_reset();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(so_many_names_in_a_minute),
	    TEST(a_name_counts_once),
	    TEST(a_name_counts_again_in_the_next_minute),
	    TEST(bytes_have_a_budget_too),
	    TEST(what_was_taken_is_told),
	    TEST(pods_do_not_share),
	    TEST(who_is_not_known_counts_by_address),
	    TEST(no_limit_is_no_limit),
	    TEST(no_name_of_a_budget_is_counted_twice),
	    TEST(who_goes_on_is_not_forgotten),
	    cmocka_unit_test(memory_may_lack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/log/history.h"
#include "tests/unit/alloc.h"

static int
enter(void **state)
{
	struct history *h;

	assert_int_equal(history_new(&h), 0);
	*state = h;
	return 0;
}

static int
leave(void **state)
{
	history_free(*state);
	return 0;
}

static uint32_t
add(struct history *h, uint16_t pod, uint64_t key, int64_t now_ms)
{
	const struct history_record r = {
	    .event = LOG_REFUSED_CONNECTION,
	    .pod = addr_make(
		AF_INET, (uint8_t[]){10, 244, (uint8_t)(pod >> 8), (uint8_t)pod}),
	    .port = (uint16_t)key,
	};

	return history_add(h, key, &r, now_ms);
}

static size_t
count_of(const struct history *h, uint16_t pod)
{
	const struct addr a =
	    addr_make(AF_INET, (uint8_t[]){10, 244, (uint8_t)(pod >> 8), (uint8_t)pod});
	const struct history_record *list[HISTORY_MAX];
	size_t len = history_list(h, list), n = 0;

	for (size_t i = 0; i < len; i++)
		n += addr_equal(&list[i]->pod, &a);
	return n;
}

static void
the_latest_stands_first_and_repeats_are_counted(void **state)
{
	const struct history_record *list[HISTORY_MAX];
	struct history *h = *state;
	uint32_t place;

	assert_int_equal(history_list(h, list), 0);
	place = add(h, 1, 10, 1000);
	add(h, 1, 11, 2000);
	assert_int_equal(history_list(h, list), 2);
	assert_int_equal(list[0]->port, 11);
	history_repeat(h, place, 10, 3000);
	assert_int_equal(add(h, 1, 10, 4000), place);
	assert_int_equal(history_list(h, list), 2);
	assert_int_equal(list[0]->port, 10);
	assert_int_equal(list[0]->count, 3);
	assert_int_equal(list[0]->first_ms, 1000);
	assert_int_equal(list[0]->last_ms, 4000);
}

static void
a_place_that_is_another_s_by_now_is_not_counted(void **state)
{
	const struct history_record *list[HISTORY_MAX];
	struct history *h = *state;
	uint32_t place = add(h, 1, 10, 1000);

	history_repeat(h, place, 12, 2000);
	history_repeat(h, place + 1, 10, 2000);
	history_repeat(h, HISTORY_MAX, 10, 2000);
	assert_int_equal(history_list(h, list), 1);
	assert_int_equal(list[0]->count, 1);
}

static void
a_pod_displaces_its_own(void **state)
{
	struct history *h = *state;

	add(h, 2, 5, 1);
	for (uint64_t i = 0; i < 10 * HISTORY_MAX; i++)
		add(h, 1, 100 + i, 1000 + (int64_t)i);
	assert_int_equal(count_of(h, 1), HISTORY_POD_MAX);
	assert_int_equal(count_of(h, 2), 1);
}

static void
all_together_displace_the_oldest(void **state)
{
	const struct history_record *list[HISTORY_MAX];
	struct history *h = *state;

	for (uint16_t i = 0; i < HISTORY_MAX + 5; i++)
		add(h, i, 100u + i, i);
	assert_int_equal(history_list(h, list), HISTORY_MAX);
	assert_int_equal(count_of(h, 4), 0);
	assert_int_equal(count_of(h, 5), 1);
	assert_int_equal(list[0]->last_ms, HISTORY_MAX + 4);
}

static void
without_one_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(add(NULL, 1, 1, 1), 0);
	history_repeat(NULL, 0, 1, 1);
	history_free(NULL);
}

static void
no_memory(void **state)
{
	struct history *h = NULL;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(history_new(&h), -ENOMEM);
	alloc_reset();
	assert_null(h);
}

#define HISTORY_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    HISTORY_TEST(the_latest_stands_first_and_repeats_are_counted),
	    HISTORY_TEST(a_place_that_is_another_s_by_now_is_not_counted),
	    HISTORY_TEST(a_pod_displaces_its_own),
	    HISTORY_TEST(all_together_displace_the_oldest),
	    cmocka_unit_test(without_one_nothing_happens),
	    cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/netlink.h"
#include "daemon/enforcer/round.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

static struct {
	struct netlink nl;
	struct round round;
	struct enforcer_message messages[ROUND_MAX];
	int64_t now_ms, step_ms;
} scene;

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	memset(&scene.round, 0, sizeof(scene.round));
	scene.now_ms = 1000;
	scene.step_ms = 0;
	return netlink_open(&scene.nl);
}

static int
leave(void **state)
{
	(void)state;
	netlink_close(&scene.nl);
	return 0;
}

/* Each look at the clock takes its time. */
static int64_t
now_ms(void)
{
	scene.now_ms += scene.step_ms;
	return scene.now_ms;
}

static void
put_layout(uint32_t size)
{
	const struct layout_found none = {0};
	const struct layout_way way = {0};

	netlink_begin(&scene.nl);
	layout_put(&scene.nl, size, &none, &way);
	assert_int_equal(netlink_commit(&scene.nl, NULL), 0);
}

/* A request for count leases, none of which another request names. */
static struct enforcer_message *
add(size_t count)
{
	const size_t i = scene.round.count++;
	struct enforcer_message *m = &scene.messages[i];

	*m = sample_message(ENFORCER_LEASES, (uint32_t)i, (uint16_t)count);
	(void)snprintf(m->name, sizeof(m->name), "n%zu.example", i);
	for (size_t j = 0; j < count; j++) {
		m->body.leases[j] = sample_lease("10.244.0.5", "192.0.0.0", 60000);
		m->body.leases[j].destination.bytes[2] = (uint8_t)i;
		m->body.leases[j].destination.bytes[3] = (uint8_t)j;
	}
	scene.round.requests[i].message = m;
	return m;
}

static int
result(size_t i)
{
	return scene.round.requests[i].result;
}

/* Transactions that were sent; netlink numbers its messages. */
static uint32_t
commit(void)
{
	const uint32_t before = scene.nl.seq;

	round_commit(&scene.round, &scene.nl, now_ms);
	return scene.nl.seq - before;
}

static void
a_full_round_is_one_transaction(void **state)
{
	(void)state;
	put_layout(ROUND_MAX * ENFORCER_LEASES_MAX);
	for (size_t i = 0; i < ROUND_MAX; i++)
		(void)add(ENFORCER_LEASES_MAX);
	/* 8192 elements of 80 bytes, 64 KiB each, between a begin and an end */
	assert_in_range(commit(), 3, 14);
	for (size_t i = 0; i < ROUND_MAX; i++)
		assert_int_equal(result(i), 0);
}

static void
a_request_for_nothing_is_done(void **state)
{
	(void)state;
	put_layout(10);
	(void)add(0);
	assert_int_equal(commit(), 0);
	assert_int_equal(result(0), 0);
}

/* The merged one, of two messages of elements, and three that had to be looked at alone,
 * of one; each between a begin and an end. Not 64. */
static void
what_cannot_fit_is_not_tried_again(void **state)
{
	(void)state;
	put_layout(10);
	(void)add(1);
	for (size_t i = 1; i < ROUND_MAX; i++)
		(void)add(i == 20 ? 1 : 20);
	assert_int_equal(commit(), 4 + 3 * 3);
	assert_int_equal(result(0), 0);
	assert_int_equal(result(1), -ENFILE);
	assert_int_equal(result(20), 0);
	assert_int_equal(result(63), -ENFILE);
}

static void
without_a_table_nothing_is_tried_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROUND_MAX; i++)
		(void)add(1);
	assert_int_equal(commit(), 3);
	for (size_t i = 0; i < ROUND_MAX; i++)
		assert_int_equal(result(i), -ENOENT);
}

static void
deadlines_are_looked_at_before_each_try(void **state)
{
	(void)state;
	put_layout(2);
	scene.step_ms = 10;
	add(1)->deadline_ms = 1000 + 20;
	(void)add(5);
	add(1)->deadline_ms = 1000 + 20; /* passes while the others are tried alone */
	add(1)->deadline_ms = 1000 + 5;  /* has passed already */
	(void)commit();
	assert_int_equal(result(0), 0);
	assert_int_equal(result(1), -ENFILE);
	assert_int_equal(result(2), -ETIMEDOUT);
	assert_int_equal(result(3), -ETIMEDOUT);
}

#define ROUND_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROUND_TEST(a_full_round_is_one_transaction),
	    ROUND_TEST(a_request_for_nothing_is_done),
	    ROUND_TEST(what_cannot_fit_is_not_tried_again),
	    ROUND_TEST(without_a_table_nothing_is_tried_twice),
	    ROUND_TEST(deadlines_are_looked_at_before_each_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

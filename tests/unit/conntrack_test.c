/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/alloc.h"
#include "tests/unit/flows_bed.h"

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	flows_begin();
	/* conntrack works where a rule asks it */
	return scene_run(
	    "nft 'table inet t { chain c { type filter hook output priority 0; "
	    "ct state new accept; }; }'");
}

/* What to do with the one flow that there is. */
struct one {
	struct conntrack conntrack;
	struct conntrack_flow flow;
	size_t count;
	int deleted, again, without;
};

static void
on_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct one *one = ctx;
	struct conntrack_flow nameless = *flow;

	one->flow = *flow;
	one->count++;
	nameless.tuple = NULL;
	one->without = conntrack_delete(&one->conntrack, &nameless);
	one->deleted = conntrack_delete(&one->conntrack, flow);
	one->again = conntrack_delete(&one->conntrack, flow);
}

static void
look_at_one(const char *source, const char *destination)
{
	const struct addr from = sample_addr(source), to = sample_addr(destination);
	struct one one = {.count = 0};
	int r = 0;

	flows_send(source, destination, 443);
	assert_int_equal(flows_from_to(source, destination), 1);
	assert_int_equal(conntrack_open(&one.conntrack), 0);
	assert_int_equal(conntrack_ask(&one.conntrack, from.family), 0);
	while (r == 0)
		r = conntrack_read(&one.conntrack, on_flow, &one);
	assert_int_equal(r, 1);
	assert_int_equal(one.count, 1);
	assert_true(addr_equal(&one.flow.source, &from));
	assert_true(addr_equal(&one.flow.destination, &to));
	assert_int_equal(one.flow.proto, IPPROTO_UDP);
	assert_int_equal(one.flow.port, 443);
	assert_int_equal(one.without, -EINVAL);
	assert_int_equal(one.deleted, 0);
	assert_int_equal(one.again, -ENOENT);
	assert_int_equal(conntrack_read(&one.conntrack, on_flow, &one), -EAGAIN);
	conntrack_close(&one.conntrack);
	assert_int_equal(flows_from_to(source, destination), 0);
}

static void
a_flow_is_read_and_deleted(void **state)
{
	(void)state;
	look_at_one("10.244.0.5", "192.0.2.1");
	look_at_one("fd00:244::5", "2001:db8::1");
}

static void
a_family_is_asked_for_alone(void **state)
{
	(void)state;
	flows_send("10.244.0.5", "192.0.2.1", 443);
	look_at_one("fd00:244::5", "2001:db8::1");
	assert_int_equal(flows_from_to("10.244.0.5", "192.0.2.1"), 1);
}

static void
out_of_memory_leaves_nothing_open(void **state)
{
	struct conntrack c;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(conntrack_open(&c), -ENOMEM);
	alloc_reset();
	assert_int_equal(c.fd, -1);
	assert_int_equal(c.other, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_flow_is_read_and_deleted, enter),
	    cmocka_unit_test_setup(a_family_is_asked_for_alone, enter),
	    cmocka_unit_test(out_of_memory_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/lease/change.h"

struct fixture {
	struct change change;
	size_t pos; /* of the next frame */
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct enforcer_table table = {.enforce = 1, .set_size = 5};

	memset(&f, 0, sizeof(f));
	change_begin(&f.change, &table);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	change_done(&f->change);
	return 0;
}

static bool
next(struct fixture *f, struct enforcer_message *m)
{
	uint32_t size;

	if (f->pos == f->change.frames.len)
		return false;
	memcpy(&size, f->change.frames.bytes + f->pos, sizeof(size));
	memcpy(m, f->change.frames.bytes + f->pos + sizeof(size), size);
	assert_int_equal(enforcer_size(m), size);
	f->pos += sizeof(size) + size;
	return true;
}

static void
expect(
    struct fixture *f, enum enforcer_kind kind, size_t count, struct enforcer_message *m)
{
	assert_true(next(f, m));
	assert_int_equal(m->kind, kind);
	assert_int_equal(m->count, count);
}

static struct lease_target
target(uint16_t port)
{
	return (struct lease_target){
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1}),
	    .port = port,
	    .proto = IPPROTO_TCP,
	};
}

static void
test_empty_change_is_the_table_and_its_end(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m;

	assert_int_equal(change_end(&f->change), 0);
	expect(f, ENFORCER_TABLE, 1, &m);
	assert_int_equal(m.body.table.set_size, 5);
	expect(f, ENFORCER_END, 0, &m);
	assert_false(next(f, &m));
}

static void
test_each_kind_has_its_own_messages(void **state)
{
	struct fixture *f = *state;
	struct prefix range = {
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 0}), .len = 8};
	struct endpoint listen = {
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1}), .port = 53};
	struct enforcer_fixed fixed = {
	    .pods = range, .destination = range, .port = 80, .proto = IPPROTO_TCP};
	struct enforcer_way way = {
	    .service = 1, .weight = 5, .proto = IPPROTO_TCP, .port = 81};
	struct lease_target t = target(443);
	struct enforcer_message m;

	change_interface(&f->change, "veth*");
	change_interface(&f->change, "cni0");
	change_range(&f->change, ENFORCER_PODS, &range);
	change_range(&f->change, ENFORCER_INTERNAL, &range);
	change_listen(&f->change, &listen);
	change_fixed(&f->change, &fixed);
	change_way(&f->change, &way);
	change_open(&f->change, &listen.addr);
	change_cut_pods(&f->change, &range);
	change_cut(&f->change, &listen.addr, &t);
	assert_int_equal(change_end(&f->change), 0);
	expect(f, ENFORCER_TABLE, 1, &m);
	expect(f, ENFORCER_INTERFACES, 2, &m);
	assert_string_equal(m.body.interfaces[0].pattern, "veth*");
	assert_string_equal(m.body.interfaces[1].pattern, "cni0");
	expect(f, ENFORCER_PODS, 1, &m);
	assert_int_equal(m.body.ranges[0].len, 8);
	expect(f, ENFORCER_INTERNAL, 1, &m);
	expect(f, ENFORCER_LISTEN, 1, &m);
	assert_int_equal(m.body.listen[0].port, 53);
	expect(f, ENFORCER_FIXED, 1, &m);
	assert_int_equal(m.body.fixed[0].port, 80);
	expect(f, ENFORCER_WAYS, 1, &m);
	assert_int_equal(m.body.ways[0].weight, 5);
	expect(f, ENFORCER_OPEN, 1, &m);
	assert_true(addr_equal(&m.body.open[0], &listen.addr));
	expect(f, ENFORCER_CUT, 2, &m);
	assert_int_equal(m.body.cuts[0].pods.len, 8);
	assert_int_equal(m.body.cuts[0].destination.family, 0);
	assert_int_equal(m.body.cuts[1].pods.len, 32);
	assert_true(addr_equal(&m.body.cuts[1].destination, &t.addr));
	assert_int_equal(m.body.cuts[1].port, 443);
	expect(f, ENFORCER_END, 0, &m);
}

static void
test_leases_of_one_name_share_messages_that_take_so_many(void **state)
{
	struct fixture *f = *state;
	struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	struct enforcer_message m;
	struct lease_target t;

	for (uint16_t i = 1; i <= ENFORCER_LEASES_MAX + 1; i++) {
		t = target(i);
		change_lease(&f->change, &pod, &t, "a.test", 1000);
	}
	change_lease(&f->change, &pod, &t, "b.test", 2000);
	change_revoke(&f->change, &pod, &t);
	assert_int_equal(change_end(&f->change), 0);
	expect(f, ENFORCER_TABLE, 1, &m);
	expect(f, ENFORCER_LEASES, ENFORCER_LEASES_MAX, &m);
	assert_string_equal(m.name, "a.test");
	expect(f, ENFORCER_LEASES, 1, &m);
	assert_string_equal(m.name, "a.test");
	assert_int_equal(m.body.leases[0].port, ENFORCER_LEASES_MAX + 1);
	assert_int_equal(m.body.leases[0].renew, 1);
	assert_int_equal(m.body.leases[0].timeout_ms, 1000);
	expect(f, ENFORCER_LEASES, 1, &m);
	assert_string_equal(m.name, "b.test");
	expect(f, ENFORCER_REVOKE, 1, &m);
	assert_string_equal(m.name, "");
	expect(f, ENFORCER_END, 0, &m);
}

static void
test_leases_that_go_and_their_flows_share_messages(void **state)
{
	struct fixture *f = *state;
	struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1});
	struct enforcer_message m;

	for (uint16_t port = 1; port <= ENFORCER_LIST_MAX; port++) {
		struct lease_target t = target(port);

		change_revoke(&f->change, &pod, &t);
		change_cut(&f->change, &pod, &t);
	}
	assert_int_equal(change_end(&f->change), 0);
	expect(f, ENFORCER_TABLE, 1, &m);
	expect(f, ENFORCER_REVOKE, ENFORCER_LIST_MAX, &m);
	expect(f, ENFORCER_CUT, ENFORCER_LIST_MAX, &m);
	expect(f, ENFORCER_END, 0, &m);
}

static void
test_change_that_does_not_fit_fails(void **state)
{
	struct fixture *f = *state;

	f->change.frames.limit = 16;
	change_interface(&f->change, "veth*");
	assert_int_equal(change_end(&f->change), -ENOMEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_empty_change_is_the_table_and_its_end),
	    TEST(test_each_kind_has_its_own_messages),
	    TEST(test_leases_of_one_name_share_messages_that_take_so_many),
	    TEST(test_leases_that_go_and_their_flows_share_messages),
	    TEST(test_change_that_does_not_fit_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <unistd.h>

#include "daemon/lease/found.h"
#include "daemon/lease/recent.h"
#include "tests/unit/gate_bed.h"

static void
test_start_keeps_what_is_allowed_and_revokes_the_rest(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	assert_string_equal(gate_state_text(f->gate), "starting");
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_dump_one(f, id, "gone.test", 2, 60000);
	bed_dump_one(f, id, "not a name..", 3, 60000);
	bed_dumped(f, id);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 2);
	assert_int_equal(f->leases, 0);
	assert_int_equal(f->table.enforce, 1);
	bed_answer(f, id, 0);
	assert_string_equal(gate_state_text(f->gate), "standing");
	assert_int_equal(f->outcome.kept, 1);
	assert_int_equal(f->outcome.withdrawn, 2);
}

static void
test_start_without_a_table_makes_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	bed_repair(f);
	assert_true(gate_ready(f->gate));
	assert_int_equal(f->outcome.result, 0);
}

static void
test_start_that_fails_says_so(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	bed_answer(f, bed_expect(f, ENFORCER_END), -EOPNOTSUPP);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->outcome.result, -EOPNOTSUPP);
	assert_false(gate_ready(f->gate));
}

/* What was left is counted from when the kernel was asked: a dump may take long. */
static void
test_restored_lease_covers_no_longer_than_in_the_kernel(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_pass(5000);
	bed_dumped(f, id);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_true(bed_covers(f, "a.test", 1, bed_now() + 55000));
	assert_false(bed_covers(f, "a.test", 1, bed_now() + 55001));
}

#define POD(name, addresses)                                                             \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name                              \
	"}\nstatus: {podIPs: [" addresses "]}\n---\n"
#define ALLOW_ANY                                                                        \
	"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\n"       \
	"spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}\n"

/* Pods under ALLOW_ANY; one outside of the pods' ranges is none to the kernel. */
static void
test_open_pods_are_told(void **state)
{
	struct fixture *f = *state;
	size_t v4, v6;
	uint32_t id;

	bed_start(f);
	built_close(&f->one);
	assert_int_equal(built_from(&f->one, POD("a", "{ip: 10.244.0.7}, {ip: 'fd00::7'}")
						 POD("b", "{ip: 10.245.0.7}") ALLOW_ANY),
	    0);
	f->other_config.pod_range_count = 2;
	f->other_config.pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	f->other_config.pod_ranges[1] =
	    (struct prefix){.addr = addr_make(AF_INET6, (uint8_t[16]){0xfd}), .len = 8};
	assert_int_equal(bed_switch_to_one(f), 0);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->table.enforce, 1);
	assert_int_equal(f->open_count, 2);
	v4 = f->open[0].family == AF_INET ? 0 : 1;
	v6 = 1 - v4;
	assert_int_equal(f->open[v4].bytes[1], 244);
	assert_int_equal(f->open[v6].bytes[15], 7);
	bed_answer(f, id, 0);
}

static void
test_switch_withdraws(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_start(f);
	assert_int_equal(bed_switch_to_one(f), 0);
	assert_int_equal(bed_switch_unforeseen(f), -EBUSY);
	id = bed_expect(f, ENFORCER_END);
	assert_string_equal(gate_state_text(f->gate), "changing");
	assert_int_equal(f->revokes, 1);
	assert_string_equal(f->revoked, "198.51.100.2");
	bed_answer(f, id, 0);
	assert_int_equal(f->told, 2);
	assert_int_equal(f->outcome.withdrawn, 1);
	assert_true(bed_covers(f, "a.test", 1, bed_now() + 60000));
	assert_false(bed_covers(f, "b.test", 2, bed_now()));
}

static void
test_flows_go_with_leases_or_stay(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_start(f);
	f->other_config.revoke_flows = false;
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), -EPERM);
	assert_int_equal(f->cuts, 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "b.test", 2, 60000);
	bed_dumped(f, id);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	f->other_config.revoke_flows = true;
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->cuts, 1);
	bed_say(f, (struct enforcer_message){.kind = ENFORCER_FLOWS, .packets = 7});
	bed_turn(f);
	assert_int_equal(f->flows, 7);
}

/* A switch that failed has withdrawn nothing in the kernel: the next one must still do
 * it. */
static void
test_switch_that_fails_keeps_all_leases_for_the_next_one_to_withdraw(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_start(f);
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), -EPERM);
	assert_int_equal(f->outcome.result, -EPERM);
	id = bed_expect(f, ENFORCER_DUMP); /* at once */
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_dump_one(f, id, "b.test", 2, 60000);
	bed_dumped(f, id);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 0);
	bed_answer(f, id, 0);
	assert_true(gate_ready(f->gate));
	assert_true(bed_covers(f, "b.test", 2, bed_now() + 60000));

	assert_int_equal(bed_switch_to_one(f), 0);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 1);
	assert_string_equal(f->revoked, "198.51.100.2");
	bed_answer(f, id, 0);
}

static void
test_lost_table_is_made_again_with_all_leases(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	bed_turn(f);
	assert_int_equal(f->lost, 1);
	assert_false(gate_ready(f->gate));
	assert_string_equal(gate_state_text(f->gate), "lost");
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->tables, 1);
	assert_int_equal(f->leases, 2);
	bed_answer(f, id, 0);
	assert_true(gate_ready(f->gate));
	assert_int_equal(f->restored, 1);
}

/* Flows that began while nothing refused them go, unless flows are to be left alone. */
static void
test_flows_from_before_a_repair_go(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(prefix_parse("10.244.0.0/16", 13, &f->config.pod_ranges[0]), 0);
	f->config.pod_range_count = 1;
	bed_lose(f);
	bed_turn(f);
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->cuts, 1);
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->cuts, 1); /* of the lease that went */
}

/* The enforcer says LOST once: a switch that makes the table anew would leave the leases
 * of the old one out, and nobody would know. */
static void
test_no_switch_before_a_lost_table_stands_again(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	bed_answer(f, bed_expect(f, ENFORCER_END), -ENOMEM);
	assert_false(gate_ready(f->gate));
	assert_int_equal(bed_switch_unforeseen(f), -EBUSY);
	bed_wait_for_repair(f);
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->leases, 2);
	bed_answer(f, id, 0);
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
}

/* It may hold what nobody here knows: nothing of it is kept. */
static void
test_table_that_cannot_be_read_is_replaced(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	for (size_t i = 0; i < FOUND_DUMPS_MAX; i++)
		bed_answer(f, bed_expect(f, ENFORCER_DUMP), -EPERM);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->table.adopt, 0);
	assert_int_equal(f->leases, 2);
	bed_answer(f, id, 0);
	assert_true(gate_ready(f->gate));
}

static void
test_repair_that_is_too_large_begins_anew(void **state)
{
	struct fixture *f = *state;

	bed_lose(f);
	bed_dumped(f, bed_expect(f, ENFORCER_DUMP));
	bed_answer(f, bed_expect(f, ENFORCER_END), -ENOBUFS);
	assert_int_equal(f->table.adopt, 1);
	bed_wait_for_repair(f);
	bed_dumped(f, bed_expect(f, ENFORCER_DUMP));
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->table.adopt, 0);
	assert_int_equal(f->leases, 2);
	assert_true(gate_ready(f->gate));
}

static void
test_dump_that_fails_is_repeated(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 7, 50000);
	bed_answer(f, id, -EINTR);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "foreign.test", 8, 60000);
	bed_dumped(f, id);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->table.adopt, 1);
	assert_int_equal(f->revokes, 1);
	assert_int_equal(f->leases, 3);
	bed_answer(f, id, 0);
}

/* A lease in the kernel that is not known here: its acknowledgement was lost, or somebody
 * else wrote it. */
static void
test_repair_judges_what_only_the_kernel_knows(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_lose(f);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_dump_one(f, id, "a.test", 7, 50000);
	bed_dump_one(f, id, "foreign.test", 8, 60000);
	bed_dumped(f, id);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->revokes, 1);
	assert_string_equal(f->revoked, "198.51.100.8");
	assert_int_equal(f->leases, 3);
	bed_answer(f, id, 0);
	assert_true(bed_covers(f, "a.test", 7, bed_now() + 50000));
	assert_false(bed_covers(f, "a.test", 7, bed_now() + 50001));
}

static void
test_table_made_anew_by_a_switch_is_repaired(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_start(f);
	assert_int_equal(bed_switch_to_one(f), 0);
	id = bed_expect(f, ENFORCER_END);
	bed_say(f, (struct enforcer_message){.kind = ENFORCER_LOST});
	bed_answer(f, id, 0);
	assert_int_equal(f->told, 2);
	assert_int_equal(f->outcome.result, 0);
	assert_false(gate_ready(f->gate));
	bed_wait_for_repair(f);
	bed_repair(f);
	assert_int_equal(f->leases, 1);
	assert_true(gate_ready(f->gate));
}

/* The enforcer refuses a transaction with a longer lease as a whole. */
static void
test_nothing_is_longer_than_what_the_table_says(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	bed_start(f);
	f->other_config.lease_cap_s = 10;
	f->other_config.lease_floor_s = f->other_config.lease_grace_s = 1;
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_int_equal(f->table.timeout_max_ms, 11000);
	bed_say(f, (struct enforcer_message){.kind = ENFORCER_LOST});
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	id = bed_expect(f, ENFORCER_END);
	assert_int_equal(f->leases, 1);
	assert_int_equal(f->longest_ms, 11000);
	bed_answer(f, id, 0);
	assert_false(bed_covers(f, "a.test", 1, bed_now() + 11001));
}

static void
test_longest_cap_is_one_that_the_enforcer_takes(void **state)
{
	struct fixture *f = *state;

	f->config.lease_cap_s = 24 * 3600;
	bed_start(f);
	assert_true(f->table.timeout_max_ms <= ENFORCER_TIMEOUT_MAX_MS);
}

static void
test_end_of_the_enforcer_is_told(void **state)
{
	struct fixture *f = *state;

	bed_start(f);
	assert_int_equal(close(f->enforcer), 0);
	f->enforcer = -1;
	bed_turn(f);
	assert_int_equal(f->dead, 1);
	assert_false(gate_ready(f->gate));
}

static void
test_freed_while_a_switch_is_under_way(void **state)
{
	struct fixture *f = *state;

	bed_start(f);
	assert_int_equal(bed_switch_to_one(f), 0);
	bed_turn(f);
}

static void
test_refused_packets_are_passed_on(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m = {.kind = ENFORCER_REFUSED, .count = 3};

	bed_start(f);
	bed_say(f, m);
	bed_turn(f);
	assert_int_equal(f->refused, 3);
	assert_int_equal(f->dead, 0);
	assert_true(gate_ready(f->gate));
}

static void
test_names_found_in_the_kernel_are_remembered(void **state)
{
	struct fixture *f = *state;
	const struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	const struct addr first = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1});
	const struct name *name;
	char text[NAME_TEXT_MAX];

	bed_start(f);
	name = recent_find(f->recent, &pod, &first, bed_now());
	assert_non_null(name);
	assert_string_equal(name_format(name, text), "a.test");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_start_keeps_what_is_allowed_and_revokes_the_rest),
	    TEST(test_start_without_a_table_makes_one),
	    TEST(test_start_that_fails_says_so),
	    TEST(test_restored_lease_covers_no_longer_than_in_the_kernel),
	    TEST(test_open_pods_are_told),
	    TEST(test_flows_go_with_leases_or_stay),
	    TEST(test_switch_withdraws),
	    TEST(test_switch_that_fails_keeps_all_leases_for_the_next_one_to_withdraw),
	    TEST(test_lost_table_is_made_again_with_all_leases),
	    TEST(test_flows_from_before_a_repair_go),
	    TEST(test_no_switch_before_a_lost_table_stands_again),
	    TEST(test_table_that_cannot_be_read_is_replaced),
	    TEST(test_dump_that_fails_is_repeated),
	    TEST(test_repair_that_is_too_large_begins_anew),
	    TEST(test_repair_judges_what_only_the_kernel_knows),
	    TEST(test_table_made_anew_by_a_switch_is_repaired),
	    TEST(test_nothing_is_longer_than_what_the_table_says),
	    TEST(test_longest_cap_is_one_that_the_enforcer_takes),
	    TEST(test_refused_packets_are_passed_on),
	    TEST(test_names_found_in_the_kernel_are_remembered),
	    TEST(test_end_of_the_enforcer_is_told),
	    TEST(test_freed_while_a_switch_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LEAD: a service leads elsewhere, while the table stays.
 */
#include "tests/unit/unit.h"

#include "tests/unit/owner_bed.h"

static int
lead(uint32_t id, uint32_t service, const char *destination)
{
	struct enforcer_message m = sample_message(ENFORCER_LEAD, id, 2);

	m.body.ways[0] = (struct enforcer_way){.service = service};
	m.body.ways[1] = (struct enforcer_way){
	    .service = service,
	    .weight = 1,
	    .addr = sample_addr(destination),
	    .proto = IPPROTO_TCP,
	    .port = 80,
	};
	scene.len = 0;
	give(&m);
	return result_of(id);
}

static void
a_service_of_the_table_may_lead_elsewhere(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_FIXED, 1, 1);

	(void)state;
	assert_int_equal(lead(2, 1, "192.0.2.7"), -ENOENT);
	sample_begin(1, &table, give);
	m.body.fixed[0] = sample_fixed("0.0.0.0/0", "192.0.2.1");
	m.body.fixed[0].service = 1;
	give(&m);
	assert_int_equal(end(1), 0);
	assert_true(scene_shows("chain service1 {\n\t\tgoto nowhere\n"));
	assert_int_equal(lead(2, 1, "192.0.2.7"), 0);
	assert_true(scene_shows("dnat ip to 192.0.2.7:80\n\t\tgoto nowhere\n"));
	assert_int_equal(lead(3, 2, "192.0.2.8"), -EPERM); /* there is none */
	assert_int_equal(lead(4, 1, "127.0.0.1"), -EPERM);
	assert_true(scene_shows("dnat ip to 192.0.2.7:80"));
	sample_begin(5, &table, give); /* one without services */
	m = sample_message(ENFORCER_LEAD, 5, 1);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	assert_int_equal(end(5), 0);
	assert_int_equal(lead(6, 1, "192.0.2.7"), -EPERM);
	assert_int_equal(scene.lost, 0);
}

static void
a_service_whose_chain_has_gone_is_lost(void **state)
{
	struct enforcer_table table = sample_table();
	struct enforcer_message m = sample_message(ENFORCER_FIXED, 1, 1);

	(void)state;
	table.own = 0;
	sample_begin(1, &table, give);
	m.body.fixed[0] = sample_fixed("0.0.0.0/0", "192.0.2.1");
	m.body.fixed[0].service = 1;
	give(&m);
	assert_int_equal(end(1), 0);
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_int_equal(lead(2, 1, "192.0.2.7"), -ENOENT);
	assert_int_equal(scene.lost, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    OWNER_TEST(a_service_of_the_table_may_lead_elsewhere),
	    OWNER_TEST(a_service_whose_chain_has_gone_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

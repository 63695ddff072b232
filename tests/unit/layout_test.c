/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>

#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/netlink.h"
#include "tests/unit/scene.h"

static int
enter(void **state)
{
	static struct netlink nl;

	scene_enter();
	*state = &nl;
	return netlink_open(&nl);
}

static int
leave(void **state)
{
	netlink_close(*state);
	return 0;
}

static int
put(struct netlink *nl, uint32_t size, bool own, bool replace)
{
	const struct layout_way way = {.own = own, .replace = replace};
	struct layout_found found;

	assert_int_equal(layout_find(nl, &found), 0);
	netlink_begin(nl);
	layout_put(nl, size, &found, &way);
	return netlink_commit(nl, NULL);
}

static void
nothing_is_found_as_nothing(void **state)
{
	struct layout_found found;

	assert_int_equal(layout_find(*state, &found), 0);
	assert_false(found.exists);
	assert_int_equal(found.set_size[0], 0);
	assert_false(layout_is_owned(*state, &found));
}

static void
what_is_put_is_found(void **state)
{
	struct netlink *nl = *state;
	struct layout_found found;

	assert_int_equal(put(nl, 1000, false, false), 0);
	assert_int_equal(layout_find(nl, &found), 0);
	assert_true(found.exists);
	assert_int_equal(found.version, LAYOUT_VERSION);
	assert_int_equal(found.owner, 0);
	assert_int_equal(found.set_size[0], 1000);
	assert_int_equal(found.set_size[1], 1000);
	assert_false(layout_is_owned(nl, &found));
}

static void
an_owned_table_names_us(void **state)
{
	struct netlink *nl = *state, other;
	struct layout_found found;

	scene_needs_persist();
	assert_int_equal(put(nl, 1000, true, false), 0);
	assert_int_equal(layout_find(nl, &found), 0);
	assert_true(layout_is_owned(nl, &found));
	assert_int_equal(put(nl, 1000, true, false), 0);  /* again is nothing new */
	assert_int_equal(put(nl, 1000, false, false), 0); /* and is not given up */
	assert_int_equal(netlink_open(&other), 0);
	assert_int_equal(layout_find(&other, &found), 0);
	assert_false(layout_is_owned(&other, &found));
	assert_int_equal(put(&other, 1000, true, false), -EPERM);
	netlink_close(&other);
}

/* Since Linux 6.5 declaring a set again with another size would change it. */
static void
a_set_keeps_the_size_that_it_was_made_with(void **state)
{
	struct netlink *nl = *state;
	struct layout_found found;

	assert_int_equal(put(nl, 1000, false, false), 0);
	assert_int_equal(put(nl, 7, false, false), 0);
	assert_int_equal(layout_find(nl, &found), 0);
	assert_int_equal(found.set_size[0], 1000);
	assert_int_equal(put(nl, 7, false, true), 0);
	assert_int_equal(layout_find(nl, &found), 0);
	assert_int_equal(found.set_size[0], 7);
}

static void
rules_and_lists_go_and_leases_stay(void **state)
{
	struct netlink *nl = *state;

	assert_int_equal(put(nl, 1000, false, false), 0);
	assert_int_equal(
	    scene_run(
		"nft 'add element inet egressd leases4 { 10.244.0.5 . 192.0.2.1 . tcp "
		". 443 timeout 9m }; add element inet egressd pods4 { "
		"10.244.0.0/16 }; add element inet egressd fixed4 { 10.0.0.0/8 . "
		"198.51.100.0/24 . tcp . 80 }; add rule inet egressd pod accept'"),
	    0);
	assert_int_equal(put(nl, 1000, false, false), 0);
	assert_true(scene_shows("192.0.2.1"));
	assert_false(scene_shows("10.244.0.0/16"));
	assert_false(scene_shows("198.51.100.0/24"));
	assert_false(scene_shows("\taccept"));
	assert_int_equal(put(nl, 1000, false, true), 0);
	assert_false(scene_shows("192.0.2.1"));
}

static void
versions_are_read_strictly(void **state)
{
	static const struct {
		const char *comment;
		uint32_t version;
	} cases[] = {
	    {"egressd 1", 1},
	    {"egressd 2", 2},
	    {"egressd 31", 31},
	    {"egressd", 0},
	    {"egressd ", 0},
	    {"egressd x", 0},
	    {"egressd 1x", 0},
	    {"egressd 123456789012", 0},
	    {"something else", 0},
	};
	struct layout_found found;
	char command[128];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(command, sizeof(command),
		    "nft 'add table inet egressd { comment \"%s\"; }'", cases[i].comment);
		assert_int_equal(scene_run(command), 0);
		assert_int_equal(layout_find(*state, &found), 0);
		assert_true(found.exists);
		assert_int_equal(found.version, cases[i].version);
		assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	}
}

static void
removing_needs_a_table_without_a_living_owner(void **state)
{
	struct netlink *nl = *state;

	scene_needs_persist();
	assert_int_equal(layout_remove(), -ENOENT);
	assert_int_equal(put(nl, 1000, true, false), 0);
	assert_int_equal(layout_remove(), -EBUSY);
	assert_true(scene_shows("leases4"));
	netlink_close(nl); /* the owner has died */
	assert_int_equal(layout_remove(), 0);
	assert_int_equal(layout_remove(), -ENOENT);
	assert_int_equal(netlink_open(nl), 0);
}

#define LAYOUT_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LAYOUT_TEST(nothing_is_found_as_nothing),
	    LAYOUT_TEST(what_is_put_is_found),
	    LAYOUT_TEST(an_owned_table_names_us),
	    LAYOUT_TEST(a_set_keeps_the_size_that_it_was_made_with),
	    LAYOUT_TEST(rules_and_lists_go_and_leases_stay),
	    LAYOUT_TEST(versions_are_read_strictly),
	    LAYOUT_TEST(removing_needs_a_table_without_a_living_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

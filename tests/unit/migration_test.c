/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "daemon/enforcer/element_dump.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/migration.h"
#include "tests/unit/alloc.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

static struct {
	struct netlink nl;
	struct migration migration;
} scene;

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	migration_init(&scene.migration);
	return netlink_open(&scene.nl);
}

static int
leave(void **state)
{
	(void)state;
	alloc_reset();
	migration_done(&scene.migration);
	netlink_close(&scene.nl);
	return 0;
}

static struct layout_found
put_layout(bool replace, uint32_t size, bool carry)
{
	const struct layout_way way = {.replace = replace};
	struct layout_found found;

	assert_int_equal(layout_find(&scene.nl, &found), 0);
	netlink_begin(&scene.nl);
	layout_put(&scene.nl, size, &found, &way);
	if (carry)
		migration_put(&scene.migration, &scene.nl);
	assert_int_equal(netlink_commit(&scene.nl, NULL), 0);
	assert_int_equal(layout_find(&scene.nl, &found), 0);
	return found;
}

/* Half a minute above what is looked for: so long may a busy machine take. */
static const char three[] =
    "nft 'add element inet egressd leases4 { 10.244.0.5 . 192.0.2.1 . tcp . 443 timeout "
    "8m30s comment \"a.example\", 10.244.0.6 . 192.0.2.1 . udp . 53 timeout 7m30s "
    "comment "
    "\"b.example\" }; add element inet egressd leases6 { fd00:244::5 . 2001:db8::1 . tcp "
    ". 443 timeout 6m30s }; add element inet egressd cut4 { 10.244.0.7 . 192.0.2.7 . tcp "
    ". "
    "443 "
    "timeout 5m30s }'";

static void
leases_go_over_with_name_and_time(void **state)
{
	struct layout_found found = put_layout(false, 10, false);

	(void)state;
	assert_int_equal(scene_run(three), 0);
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_true(scene.migration.whole);
	assert_int_equal(scene.migration.leases.count, 3);
	put_layout(true, 10, true);
	assert_true(scene_shows("10.244.0.5 . 192.0.2.1 . tcp . 443 timeout 8m"));
	assert_true(scene_shows("comment \"a.example\""));
	assert_true(scene_shows("10.244.0.6 . 192.0.2.1 . udp . 53 timeout 7m"));
	assert_true(scene_shows("comment \"b.example\""));
	assert_true(scene_shows("fd00:244::5 . 2001:db8::1 . tcp . 443 timeout 6m"));
	assert_true(scene_shows("10.244.0.7 . 192.0.2.7 . tcp . 443 timeout 5m"));
	/* read again it is not twice there */
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_int_equal(scene.migration.leases.count, 3);
}

static void
the_sets_have_room_for_what_comes(void **state)
{
	struct layout_found found = put_layout(false, 10, false);

	(void)state;
	assert_int_equal(scene_run(three), 0);
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_true(migration_set_size(&scene.migration, 1) >= 3);
	assert_int_equal(migration_set_size(&scene.migration, 100000), 100000);
}

static void
what_cannot_be_read_is_told(void **state)
{
	struct layout_found found = put_layout(false, 10, false);

	(void)state;
	assert_int_equal(scene_run(three), 0);
	found.version = 0;
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_false(scene.migration.whole);
	assert_int_equal(scene.migration.leases.count, 0);
	/* one family is better than none */
	found.version = LAYOUT_VERSION;
	assert_int_equal(scene_run("nft delete set inet egressd leases6"), 0);
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_false(scene.migration.whole);
	assert_int_equal(scene.migration.leases.count, 2);
	/* elements of another shape are none of ours */
	assert_int_equal(
	    scene_run(
		"nft 'delete set inet egressd leases4; add set inet egressd leases4 { "
		"type ipv4_addr; flags timeout; }; add element inet egressd "
		"leases4 { 192.0.2.1 timeout 9m }'"),
	    0);
	assert_int_equal(migration_read(&scene.migration, &scene.nl, &found), 0);
	assert_false(scene.migration.whole);
	assert_int_equal(scene.migration.leases.count, 0);
	migration_give_up(&scene.migration);
	assert_false(scene.migration.whole);
}

/* destination . port . pod, as no version had it. */
static bool
read_other_key(
    const uint8_t *key, size_t len, uint8_t family, struct enforcer_lease *ret_lease)
{
	if (len != 12 || family != AF_INET)
		return false;
	*ret_lease = (struct enforcer_lease){
	    .pod = addr_make(family, key + 8),
	    .destination = addr_make(family, key),
	    .port = (uint16_t)(key[4] << 8 | key[5]),
	    .proto = IPPROTO_TCP,
	};
	return true;
}

static int
see(void *ctx, const struct enforcer_lease *lease, const char *name)
{
	assert_string_equal(name, "a.example");
	*(struct enforcer_lease *)ctx = *lease;
	return 0;
}

static void
a_form_may_have_other_sets_and_keys(void **state)
{
	const struct element_form form = {
	    .leases = {"open_v4", "open_v6"}, .read_key = read_other_key};
	struct enforcer_lease lease = {0};
	const struct addr pod = sample_addr("10.244.0.5"),
			  destination = sample_addr("192.0.2.1");

	(void)state;
	assert_int_equal(
	    scene_run("nft 'add table inet egressd; add set inet egressd open_v4 { type "
		      "ipv4_addr . inet_service . ipv4_addr; flags timeout; }; add set "
		      "inet egressd open_v6 { type ipv6_addr; flags timeout; }; add "
		      "element inet egressd open_v4 { 192.0.2.1 . 443 . 10.244.0.5 "
		      "timeout 9m comment \"a.example\" }'"),
	    0);
	assert_int_equal(element_dump_all(&scene.nl, &form, form.leases, see, &lease), 0);
	assert_true(addr_equal(&lease.pod, &pod));
	assert_true(addr_equal(&lease.destination, &destination));
	assert_int_equal(lease.port, 443);
	assert_in_range(lease.timeout_ms, 8 * 60 * 1000, 9 * 60 * 1000);
}

static void
every_version_up_to_ours_has_a_form(void **state)
{
	(void)state;
	assert_null(element_form_of(0));
	for (uint32_t version = 1; version <= LAYOUT_VERSION; version++) {
		assert_non_null(element_form_of(version));
		assert_true(element_form_of(version)->since <= version);
	}
	assert_null(element_form_of(LAYOUT_VERSION + 1));
	assert_ptr_equal(element_form_present(), element_form_of(LAYOUT_VERSION));
}

static void
out_of_memory_is_told(void **state)
{
	struct layout_found found = put_layout(false, 10, false);
	bool done = false;
	int r;

	(void)state;
	assert_int_equal(scene_run(three), 0);
	for (size_t n = 0; !done; n++) {
		alloc_fail_at(n);
		r = migration_read(&scene.migration, &scene.nl, &found);
		done = alloc_count() <= n;
		alloc_reset();
		assert_true(r == 0 || r == -ENOMEM);
		assert_true(done || r < 0 || !scene.migration.whole ||
			    scene.migration.cuts.count == 0);
	}
	assert_true(scene.migration.whole);
	assert_int_equal(scene.migration.leases.count, 3);
}

#define MIGRATION_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    MIGRATION_TEST(leases_go_over_with_name_and_time),
	    MIGRATION_TEST(the_sets_have_room_for_what_comes),
	    MIGRATION_TEST(what_cannot_be_read_is_told),
	    MIGRATION_TEST(a_form_may_have_other_sets_and_keys),
	    cmocka_unit_test(every_version_up_to_ours_has_a_form),
	    MIGRATION_TEST(out_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

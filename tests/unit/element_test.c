/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#include "daemon/enforcer/element.h"
#include "daemon/enforcer/element_dump.h"
#include "daemon/enforcer/layout.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

static int
enter(void **state)
{
	const struct layout_found none = {0};
	const struct layout_way way = {0};
	static struct netlink nl;

	scene_enter();
	*state = &nl;
	if (netlink_open(&nl) < 0)
		return -1;
	netlink_begin(&nl);
	layout_put(&nl, 1000, &none, &way);
	return netlink_commit(&nl, NULL);
}

static int
leave(void **state)
{
	netlink_close(*state);
	return 0;
}

/* "N" for NEWSETELEM, "D" for DELSETELEM, in the order of the batch. */
static void
types_of(const struct netlink *nl, char *types)
{
	int left = (int)nl->len;

	for (const struct nlmsghdr *nlh = (const void *)nl->bytes;
	     mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM))
			*types++ = 'N';
		if (nlh->nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELSETELEM))
			*types++ = 'D';
	}
	*types = '\0';
}

static struct element
element_of(const struct enforcer_lease *lease, const char *name, bool renew)
{
	return (struct element){.lease = lease,
	    .name = name,
	    .timeout_ms = lease->timeout_ms,
	    .renew = renew};
}

static void
renewing_is_add_delete_add_in_one_batch(void **state)
{
	struct netlink *nl = *state;
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 60000);
	struct element e = element_of(&lease, "a.example", true);
	char types[16];

	netlink_begin(nl);
	element_grant(nl, &e, 1);
	types_of(nl, types);
	assert_string_equal(types, "NDN");
	assert_int_equal(netlink_commit(nl, NULL), 0);

	e.renew = false;
	netlink_begin(nl);
	element_grant(nl, &e, 1);
	types_of(nl, types);
	assert_string_equal(types, "N");
	assert_int_equal(netlink_commit(nl, NULL), 0);

	netlink_begin(nl);
	element_revoke(nl, &e, 1);
	types_of(nl, types);
	assert_string_equal(types, "ND");
	assert_int_equal(netlink_commit(nl, NULL), 0);
}

static size_t
count_bytes(const struct netlink *nl, const void *bytes, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i + len <= nl->len; i++)
		count += memcmp(nl->bytes + i, bytes, len) == 0;
	return count;
}

/* The bytes on the wire, because a kernel from 6.12 on hides the mistake that this
 * prevents. Word by word: the elements' keys, and which have a timeout. */
static void
the_renewing_batch_has_these_bytes(void **state)
{
	static const uint8_t key[] = {
	    10, 244, 0, 5, 192, 0, 2, 1, 6, 0, 0, 0, 1, 187, 0, 0};
	struct netlink *nl = *state;
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 60000);
	const struct element e = element_of(&lease, "a.example", true);
	const char comment[] = "\0\012a.example";
	const uint8_t timeout[] = {0, 0, 0, 0, 0, 0, 0xea, 0x60};

	netlink_begin(nl);
	element_grant(nl, &e, 1);
	assert_int_equal(count_bytes(nl, key, sizeof(key)), 3);
	assert_int_equal(count_bytes(nl, comment, sizeof(comment)), 2);
	assert_int_equal(count_bytes(nl, timeout, sizeof(timeout)), 2);
	assert_int_equal(netlink_commit(nl, NULL), 0);
}

static void
merging_keeps_the_longest_and_every_renewal(void **state)
{
	const struct enforcer_lease leases[] = {
	    sample_lease("fd00:244::5", "2001:db8::1", 1000),
	    sample_lease("10.244.0.5", "192.0.2.1", 30000),
	    sample_lease("10.244.0.5", "192.0.2.1", 60000),
	    sample_lease("10.244.0.6", "192.0.2.1", 5000),
	    sample_lease("10.244.0.5", "192.0.2.1", 10000),
	};
	struct element list[] = {
	    element_of(&leases[0], "six", false),
	    element_of(&leases[1], "short", true),
	    element_of(&leases[2], "long", false),
	    element_of(&leases[3], "other", false),
	    element_of(&leases[4], "shorter", false),
	};

	(void)state;
	assert_int_equal(element_merge(list, ARRAY_LEN(list)), 3);
	assert_string_equal(list[0].name, "long");
	assert_int_equal(list[0].timeout_ms, 60000);
	assert_true(list[0].renew);
	assert_string_equal(list[1].name, "other");
	assert_false(list[1].renew);
	assert_string_equal(list[2].name, "six"); /* families do not mix */
	assert_int_equal(element_merge(list, 0), 0);
}

static void
families_go_to_their_own_sets(void **state)
{
	struct netlink *nl = *state;
	const struct enforcer_lease leases[] = {
	    sample_lease("10.244.0.5", "192.0.2.1", 60000),
	    sample_lease("fd00:244::5", "2001:db8::1", 60000),
	};
	struct element list[] = {
	    element_of(&leases[0], "a.example", true),
	    element_of(&leases[1], "", true),
	};
	char types[16];

	netlink_begin(nl);
	element_grant(nl, list, 2);
	types_of(nl, types);
	assert_string_equal(types, "NDNNDN");
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_true(scene_shows("10.244.0.5 . 192.0.2.1 . tcp . 443 timeout 1m"));
	assert_true(scene_shows("comment \"a.example\""));
	assert_true(scene_shows("fd00:244::5 . 2001:db8::1 . tcp . 443 timeout 1m"));
}

struct seen {
	size_t count;
	size_t endless;
	struct enforcer_lease last;
	char name[ENFORCER_NAME_MAX];
};

static int
see(void *ctx, const struct enforcer_lease *lease, const char *name)
{
	struct seen *seen = ctx;

	seen->count++;
	seen->endless += lease->timeout_ms == 0;
	seen->last = *lease;
	memcpy(seen->name, name, strlen(name) + 1);
	return 0;
}

static void
what_is_put_comes_back(void **state)
{
	struct netlink *nl = *state;
	const struct enforcer_lease lease =
	    sample_lease("fd00:244::5", "2001:db8::1", 3000000);
	char name[ENFORCER_NAME_MAX];
	struct element e = element_of(&lease, name, false);
	struct seen seen = {0};

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0'; /* the longest there is */
	netlink_begin(nl);
	element_grant(nl, &e, 1);
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_int_equal(
	    element_dump(nl, element_form_present(), "leases4", AF_INET, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(
	    element_dump(nl, element_form_present(), "leases6", AF_INET6, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.name, name);
	assert_true(addr_equal(&seen.last.pod, &lease.pod));
	assert_true(addr_equal(&seen.last.destination, &lease.destination));
	assert_int_equal(seen.last.port, 443);
	assert_int_equal(seen.last.proto, IPPROTO_TCP);
	assert_in_range(seen.last.timeout_ms, 2400000, 3000000);
}

static void
elements_of_others_do_no_harm(void **state)
{
	struct seen seen = {0};

	assert_int_equal(
	    scene_run("nft 'add element inet egressd leases4 { 10.0.0.1 . "
		      "10.0.0.2 . tcp . 80 }; add element inet egressd "
		      "leases4 { 10.0.0.1 . 10.0.0.3 . udp . 80 timeout 9m }'"),
	    0);
	assert_int_equal(
	    element_dump(*state, element_form_present(), "leases4", AF_INET, see, &seen),
	    0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.endless, 1); /* told, to be revoked */
	assert_string_equal(seen.name, "");
}

static void
without_the_set_there_is_nothing_to_dump(void **state)
{
	struct seen seen = {0};

	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_int_equal(
	    element_dump(*state, element_form_present(), "leases4", AF_INET, see, &seen),
	    -ENOENT);
}

/* Many pods, so that lists run over into further messages. */
static void
many_elements_take_few_messages(void **state)
{
	enum { COUNT = 900 };
	struct netlink *nl = *state;
	struct enforcer_lease *leases = calloc(COUNT, sizeof(*leases));
	struct element *list = calloc(COUNT, sizeof(*list));
	struct seen seen = {0};
	char types[64], name[ENFORCER_NAME_MAX];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < COUNT; i++) {
		leases[i] = sample_lease("10.244.0.0", "192.0.2.1", 3000000);
		leases[i].pod.bytes[2] = (uint8_t)(i >> 8);
		leases[i].pod.bytes[3] = (uint8_t)i;
		list[i] = element_of(&leases[i], name, false);
	}
	netlink_begin(nl);
	element_grant(nl, list, COUNT);
	types_of(nl, types);
	assert_string_equal(types, "NNNNN"); /* 900 times 320 bytes, 64 KiB each */
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_int_equal(
	    element_dump(nl, element_form_present(), "leases4", AF_INET, see, &seen), 0);
	assert_int_equal(seen.count, COUNT);
	netlink_begin(nl);
	element_revoke(nl, list, COUNT);
	assert_int_equal(netlink_commit(nl, NULL), 0);
	seen.count = 0;
	assert_int_equal(
	    element_dump(nl, element_form_present(), "leases4", AF_INET, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	free(leases);
	free(list);
}

static void
ranges_read_as_nft_would_write_them(void **state)
{
	struct netlink *nl = *state;
	const struct prefix list[] = {
	    sample_prefix("10.244.0.0/16"),
	    sample_prefix("255.255.0.0/16"), /* has no end */
	    sample_prefix("::/0"),
	};
	struct cover_range *four, *six;
	size_t four_count, six_count;

	assert_int_equal(cover_ranges(list, 3, AF_INET, &four, &four_count), 0);
	assert_int_equal(cover_ranges(list, 3, AF_INET6, &six, &six_count), 0);
	netlink_begin(nl);
	element_put_ranges(nl, "pods4", four, four_count);
	element_put_ranges(nl, "pods6", six, six_count);
	element_put_ranges(nl, "internal4", NULL, 0);
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_true(scene_shows("elements = { 10.244.0.0/16, 255.255.0.0/16 }"));
	assert_true(scene_shows("elements = { ::/0 }"));
	assert_int_equal(scene_run("nft get element inet egressd pods4 "
				   "'{ 255.255.255.255 }' >/dev/null"),
	    0);
	netlink_begin(nl);
	element_flush(nl, "pods4");
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_false(scene_shows("255.255.0.0/16"));
	free(four);
	free(six);
}

static void
boxes_and_endpoints_read_as_nft_would_write_them(void **state)
{
	struct netlink *nl = *state;
	const struct enforcer_fixed list[] = {
	    sample_fixed("0.0.0.0/0", "198.51.100.0/24"),
	    sample_fixed("10.244.0.5/32", "198.51.0.0/16"),
	};
	const struct endpoint listen[] = {
	    sample_endpoint("0.0.0.0:53"),
	    sample_endpoint("169.254.20.10:5353"),
	    sample_endpoint("[::]:53"),
	};
	struct cover_box *boxes;
	size_t count;

	assert_int_equal(cover_boxes(list, ARRAY_LEN(list), AF_INET, &boxes, &count), 0);
	netlink_begin(nl);
	element_put_boxes(nl, "fixed4", boxes, count);
	element_put_endpoints(nl, "listen4", AF_INET, listen, ARRAY_LEN(listen));
	element_put_endpoints(nl, "listen6", AF_INET6, listen, ARRAY_LEN(listen));
	assert_int_equal(netlink_commit(nl, NULL), 0);
	free(boxes);
	assert_true(scene_shows("0.0.0.0/0 . 198.51.100.0/24 . tcp . 443"));
	assert_true(scene_shows("10.244.0.5 . 198.51.101.0-198.51.255.255 . tcp . 443"));
	assert_true(scene_shows("elements = { 169.254.20.10 . 5353 }"));
	assert_false(scene_shows(":: . 53"));
}

static void
a_wildcard_is_all_zero(void **state)
{
	const struct addr four = sample_addr("0.0.0.0"), six = sample_addr("::"),
			  other = sample_addr("::1");

	(void)state;
	assert_true(element_is_wildcard(&four));
	assert_true(element_is_wildcard(&six));
	assert_false(element_is_wildcard(&other));
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KERNEL_TEST(renewing_is_add_delete_add_in_one_batch),
	    KERNEL_TEST(the_renewing_batch_has_these_bytes),
	    cmocka_unit_test(merging_keeps_the_longest_and_every_renewal),
	    KERNEL_TEST(families_go_to_their_own_sets),
	    KERNEL_TEST(what_is_put_comes_back),
	    KERNEL_TEST(elements_of_others_do_no_harm),
	    KERNEL_TEST(without_the_set_there_is_nothing_to_dump),
	    KERNEL_TEST(many_elements_take_few_messages),
	    KERNEL_TEST(ranges_read_as_nft_would_write_them),
	    KERNEL_TEST(boxes_and_endpoints_read_as_nft_would_write_them),
	    cmocka_unit_test(a_wildcard_is_all_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

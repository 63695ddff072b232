/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/claim.h"
#include "tests/unit/rejudge_bed.h"

static void
test_what_is_still_allowed_stays(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 0);
	assert_int_equal(f->rejudge.added, 0);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 0);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 0);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

static void
test_removed_name_and_removed_port_go(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_hold(f, "google.com", 1, 80);
	leased_hold(f, "gone.test", 2, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 2);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 2);
	assert_int_equal(leased_records(f, ENFORCER_CUT, ""), 2);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	assert_int_equal(leases_counts(f->leases).grants, 1);
}

#define POD(metadata)                                                                    \
	"apiVersion: v1\nkind: Pod\nmetadata: {" metadata                                \
	"}\nstatus: {podIP: 10.244.0.2}\n---\n"
#define GOOGLE ENTRY("google", "google.com", HTTPS, "")

/* Judge by one registry after another; what is left of a lease that was found in the
 * kernel. */
static size_t
left_after(struct fixture *f, const char *first, const char *second)
{
	const char *const texts[] = {first, second};
	size_t left;

	leased_hold(f, "google.com", 1, 443);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		leased_judge(f, texts[i]);
		rejudge_settle(&f->rejudge, true);
		if (i == 0)
			assert_int_equal(f->rejudge.withdrawn, 0);
	}
	left = leases_counts(f->leases).leases;
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 1 - left);
	return left;
}

static void
test_leases_go_with_their_pod(void **state)
{
	static const char *const none = POLICY GOOGLE;
	static const char *const one = POLICY GOOGLE POD("name: a, uid: u1");
	static const struct {
		const char *now;
		size_t left;
	} cases[] = {
	    {POLICY GOOGLE POD("name: a, uid: u1, labels: {app: v2}"), 1},
	    {POLICY GOOGLE POD("name: b, uid: u1"), 0},
	    {POLICY GOOGLE POD("name: a, uid: u1, namespace: other"), 0},
	    {POLICY GOOGLE POD("name: a, uid: u2"), 0},
	    {POLICY GOOGLE, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(left_after(f, one, cases[i].now), cases[i].left);
	/* who was not known may be who is known now */
	assert_int_equal(left_after(f, none, none), 1);
	assert_int_equal(left_after(f, none, one), 1);
}

static void
test_allow_any_keeps_no_lease(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 1);
	rejudge_settle(&f->rejudge, true);
}

static void
test_new_port_comes_on_known_addresses(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_hold(f, "google.com", 2, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	assert_int_equal(f->rejudge.added, 2);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 2);
	assert_int_equal(leases_counts(f->leases).leases, 4);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 4);
}

/* So that it may be renewed for as long as the port that was looked up. */
static void
test_new_port_is_needed_for_as_long_as_the_known_one(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1}),
	    .port = 80,
	    .proto = IPPROTO_TCP,
	};
	const struct lease *lease;

	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	rejudge_settle(&f->rejudge, true);
	lease = lease_find(f->leases, &f->pod, &t);
	assert_non_null(lease);
	assert_int_equal(LIST_FIRST(&lease->claims)->until_ms, NOW + 60000);
}

static void
test_new_port_that_the_kernel_refused_is_not_there(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	rejudge_settle(&f->rejudge, false);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

static void
test_shared_address_stays_for_the_other_name_under_its_name(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "gone.test", 1, 443);
	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 0);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 0);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 1);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

/* The name that the kernel knows it by has ended by itself, before this change. */
static void
test_a_name_that_ended_is_replaced(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_hold(f, "google.com", 2, 443);
	LIST_FIRST(&grants_first(leases_grants(f->leases))->claims)->lease->renamed =
	    true;
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 1);
	rejudge_settle(&f->rejudge, true);
}

static void
test_address_that_became_forbidden_goes(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = {.addr = addr_make(AF_INET, (uint8_t[]){10, 0, 0, 1}),
	    .port = 443,
	    .proto = IPPROTO_TCP};
	struct name name;

	assert_int_equal(name_parse("google.com", 10, &name), 0);
	assert_int_equal(lease_restore(f->leases, &f->pod, &name, &t, NOW + 60000), 0);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 1);
	rejudge_settle(&f->rejudge, true);
}

#define ENDPOINTS(list) "  endpoints: [" list "]\n"
#define AT(address) "{address: " address "}"
#define BEHIND(list) POLICY ENTRY("google", "google.com", HTTPS, ENDPOINTS(list))

/* All leases of google.com came by what text says of it. */
static void
came_by(struct fixture *f, const char *text)
{
	struct registry *registry = leased_build(text);
	struct verdict v;
	struct name name;
	struct grant *g;

	assert_int_equal(name_parse("google.com", 10, &name), 0);
	registry_judge(registry, NULL, &name, &v);
	assert_int_equal(v.kind, VERDICT_HOST);
	g = lease_grant(f->leases, &f->pod, &name);
	assert_non_null(g);
	g->origin = v.host->origin;
	lease_grant_release(f->leases, g);
	registry_unref(registry);
}

static size_t
left(struct fixture *f)
{
	rejudge_settle(&f->rejudge, true);
	return leases_counts(f->leases).leases;
}

static void
test_same_endpoints_keep_what_came_from_them(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	came_by(f, BEHIND(AT("a.test") ", " AT("b.test")));
	leased_judge(f, BEHIND(AT("B.test") ", " AT("a.test")));
	assert_int_equal(left(f), 1);
	leased_judge(f, BEHIND(AT("b.test") ", " AT("a.test")));
	assert_int_equal(left(f), 1);
}

static void
test_other_endpoints_keep_only_what_is_listed(void **state)
{
	static const char *const others[] = {
	    BEHIND(AT("a.test") ", " AT("198.51.100.1")),
	    BEHIND(
		AT("a.test") ", " AT("b.test") ", " AT("c.test") ", " AT("198.51.100.1")),
	    BEHIND(AT("a.test") ", " AT("c.test") ", " AT("198.51.100.1")),
	    POLICY ENTRY("google", "google.com", HTTPS, "  addresses: [198.51.100.1]\n"),
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		leased_hold(f, "google.com", 1, 443);
		leased_hold(f, "google.com", 2, 443);
		came_by(f, BEHIND(AT("a.test") ", " AT("b.test")));
		leased_judge(f, others[i]);
		assert_int_equal(f->rejudge.withdrawn, 1);
		assert_int_equal(left(f), 1);
	}
}

static void
test_what_the_host_itself_gave_goes_when_others_are_asked(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(left(f), 1);
	leased_judge(f, BEHIND(AT("a.test")));
	assert_int_equal(left(f), 0);
}

static void
test_repeat_writes_each_lease_once(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	leased_hold(f, "other.test", 1, 443);
	leased_hold(f, "other.test", 2, 443);
	rejudge_repeat(&f->rejudge, NOW);
	assert_int_equal(change_end(&f->change), 0);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 1);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "other.test"), 1);
}

static void
test_repeat_leaves_out_what_has_ended(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	rejudge_repeat(&f->rejudge, NOW + 60000);
	assert_int_equal(change_end(&f->change), 0);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 0);
}

/* Both names go, in whatever order the walk meets them: what is made and revoked in one
 * change would be made. */
static void
test_shared_address_goes_with_its_last_name(void **state)
{
	static const char *const names[] = {"gone.test", "away.test"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		leased_hold(
		    f, names[i], (uint8_t)i, 443); /* stands in the kernel by this name */
		leased_hold(f, names[1 - i], (uint8_t)i, 443);
	}
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 2);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(leased_records(f, ENFORCER_LEASES, names[i]), 0);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_what_is_written_again_is_not_cut_below_what_is_under_way(void **state)
{
	struct fixture *f = *state;
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
	struct enforcer_message m;
	struct lease *lease;
	struct grant *g;
	struct name name;
	bool renew;

	leased_hold(f, "google.com", 1, 443);
	assert_int_equal(name_parse("google.com", 10, &name), 0);
	g = lease_grant(f->leases, &f->pod, &name);
	lease = lease_reserve(f->leases, g, &t, &renew);
	lease_grant_release(f->leases, g);
	assert_int_equal(lease_ask(f->leases, lease, NOW, NOW + 900000), 900000);
	rejudge_repeat(&f->rejudge, NOW);
	assert_int_equal(change_end(&f->change), 0);
	assert_true(leased_message(f, &m));
	assert_int_equal(m.body.leases[0].timeout_ms, 900000);
	lease_settle(f->leases, lease, true, NOW + 900000);
}

/* A commit of it is under way, and fails when the change has written it: it is known, so
 * that the next change can withdraw it. */
static void
test_what_the_change_writes_early_stands_by_the_change(void **state)
{
	struct fixture *f = *state;
	const struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	    .to = 8443,
	};
	struct lease *lease;
	struct grant *g;
	struct name name;
	bool renew;

	assert_int_equal(name_parse("google.com", 10, &name), 0);
	g = lease_grant(f->leases, &f->pod, &name);
	lease = lease_reserve(f->leases, g, &t, &renew);
	lease_grant_release(f->leases, g);
	(void)lease_ask(f->leases, lease, NOW, NOW + 60000);
	leased_judge(
	    f, POLICY ENTRY("google", "google.com",
		   "{number: 443, name: https, protocol: HTTPS, targetPort: 8443}", ""));
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 1);
	lease_settle(f->leases, lease, false, 0); /* the commit came too late */
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
	leased_judge(f, POLICY);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 1);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 0);
}

static void
test_nothing_is_asked_for_longer_than_the_limit(void **state)
{
	struct fixture *f = *state;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 5000};
	struct enforcer_message m;

	leased_hold(f, "google.com", 1, 443);
	leases_set_limits(f->leases, &limits);
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	assert_true(leased_message(f, &m));
	assert_int_equal(m.count, 1);
	assert_int_equal(m.body.leases[0].timeout_ms, 5000);
	rejudge_settle(&f->rejudge, true);
}

/* Whose address is no pod's any more: the table does not look at it, nor at its flows. */
static void
test_leases_of_no_pod_go_and_no_flow(void **state)
{
	struct fixture *f = *state;

	leased_hold(f, "google.com", 1, 443);
	f->config.pod_ranges[0].addr.bytes[1] = 245;
	leased_judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(f->rejudge.withdrawn, 1);
	assert_int_equal(f->rejudge.added, 0);
	assert_int_equal(leased_records(f, ENFORCER_REVOKE, ""), 1);
	assert_int_equal(leased_records(f, ENFORCER_LEASES, "google.com"), 0);
	assert_int_equal(leased_records(f, ENFORCER_CUT, ""), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_is_still_allowed_stays),
	    TEST(test_removed_name_and_removed_port_go),
	    TEST(test_leases_go_with_their_pod),
	    cmocka_unit_test_setup_teardown(
		test_leases_of_no_pod_go_and_no_flow, leased_set_up, leased_tear_down),
	    TEST(test_allow_any_keeps_no_lease),
	    TEST(test_new_port_comes_on_known_addresses),
	    TEST(test_new_port_is_needed_for_as_long_as_the_known_one),
	    TEST(test_new_port_that_the_kernel_refused_is_not_there),
	    TEST(test_shared_address_stays_for_the_other_name_under_its_name),
	    TEST(test_a_name_that_ended_is_replaced),
	    TEST(test_address_that_became_forbidden_goes),
	    TEST(test_shared_address_goes_with_its_last_name),
	    TEST(test_what_is_written_again_is_not_cut_below_what_is_under_way),
	    TEST(test_what_the_change_writes_early_stands_by_the_change),
	    TEST(test_nothing_is_asked_for_longer_than_the_limit),
	    TEST(test_same_endpoints_keep_what_came_from_them),
	    TEST(test_other_endpoints_keep_only_what_is_listed),
	    TEST(test_what_the_host_itself_gave_goes_when_others_are_asked),
	    TEST(test_repeat_writes_each_lease_once),
	    TEST(test_repeat_leaves_out_what_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

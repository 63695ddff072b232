/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/rejudge.h"
#include "policy/registry.h"

#define NOW INT64_C(1000000)

#define POLICY                                                                           \
	"apiVersion: install.istio.io/v1alpha1\n"                                        \
	"kind: IstioOperator\n"                                                          \
	"metadata: {name: mesh, namespace: istio-system}\n"                              \
	"spec: {meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}}\n"           \
	"---\n"
#define ENTRY(name, host, ports, more)                                                   \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: " name "}\n"                                                   \
	"spec:\n"                                                                        \
	"  hosts: [\"" host "\"]\n"                                                      \
	"  ports: [" ports "]\n"                                                         \
	"  resolution: DNS\n" more "---\n"
#define HTTPS "{number: 443, name: https, protocol: HTTPS}"
#define HTTP "{number: 80, name: http, protocol: HTTP}"

struct fixture {
	struct pods pods;
	struct leases *leases;
	struct change change;
	struct rejudge rejudge;
	struct addr pod;
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct hash_key key = {{1, 2}};
	struct enforcer_table table = {.enforce = 1};

	memset(&f, 0, sizeof(f));
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	change_begin(&f.change, &table);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	change_done(&f->change);
	leases_free(f->leases);
	pods_done(&f->pods);
	return 0;
}

static struct registry *
build(const char *text)
{
	struct registry_settings settings = {0};
	struct registry *registry = NULL;
	struct registry_builder *b;
	struct findings findings;

	findings_init(&findings, FINDINGS_MAX);
	b = registry_builder_new(&settings, &findings);
	assert_non_null(b);
	assert_int_equal(registry_builder_add(b, "test.yaml", text, strlen(text)), 0);
	assert_int_equal(registry_builder_finish(b, &registry), 0);
	findings_done(&findings);
	return registry;
}

static void
hold(struct fixture *f, const char *text, uint8_t host, uint16_t port)
{
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = port,
	    .proto = IPPROTO_TCP,
	};
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	assert_int_equal(lease_restore(f->leases, &f->pod, &name, &t, NOW + 60000), 0);
}

/* Judge all leases by this registry. */
static void
judge(struct fixture *f, const char *text)
{
	struct registry *registry = build(text);

	rejudge_run(&f->rejudge, f->leases, registry, true, &f->change, NOW);
	assert_int_equal(change_end(&f->change), 0);
	registry_unref(registry);
}

static size_t
records(struct fixture *f, enum enforcer_kind kind, const char *name)
{
	struct enforcer_message m;
	size_t n = 0;
	uint32_t size;

	for (size_t pos = 0; pos < f->change.frames.len; pos += sizeof(size) + size) {
		memcpy(&size, f->change.frames.bytes + pos, sizeof(size));
		memcpy(&m, f->change.frames.bytes + pos + sizeof(size), size);
		if (m.kind == kind && strcmp(m.name, name) == 0)
			n += m.count;
	}
	return n;
}

/* The first message with leases. */
static bool
lease_message(struct fixture *f, struct enforcer_message *m)
{
	uint32_t size;

	for (size_t pos = 0; pos < f->change.frames.len; pos += sizeof(size) + size) {
		memcpy(&size, f->change.frames.bytes + pos, sizeof(size));
		memcpy(m, f->change.frames.bytes + pos + sizeof(size), size);
		if (m->kind == ENFORCER_LEASES)
			return true;
	}
	return false;
}

static void
test_what_is_still_allowed_stays(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 0);
	assert_int_equal(f->rejudge.added, 0);
	assert_int_equal(records(f, ENFORCER_REVOKE, ""), 0);
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 0);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

static void
test_removed_name_and_removed_port_go(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	hold(f, "google.com", 1, 80);
	hold(f, "gone.test", 2, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 2);
	assert_int_equal(records(f, ENFORCER_REVOKE, ""), 2);
	assert_int_equal(records(f, ENFORCER_CUT, ""), 2);
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
	const struct enforcer_table table = {.enforce = 1};
	const char *const texts[] = {first, second};
	size_t left;

	hold(f, "google.com", 1, 443);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		change_done(&f->change);
		change_begin(&f->change, &table);
		judge(f, texts[i]);
		rejudge_settle(&f->rejudge, true);
		if (i == 0)
			assert_int_equal(f->rejudge.withdrawn, 0);
	}
	left = leases_counts(f->leases).leases;
	assert_int_equal(records(f, ENFORCER_REVOKE, ""), 1 - left);
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

	hold(f, "google.com", 1, 443);
	judge(f, ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 1);
	rejudge_settle(&f->rejudge, true);
}

static void
test_new_port_comes_on_known_addresses(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	hold(f, "google.com", 2, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	assert_int_equal(f->rejudge.added, 2);
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 2);
	assert_int_equal(leases_counts(f->leases).leases, 4);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 4);
}

static void
test_new_port_that_the_kernel_refused_is_not_there(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	rejudge_settle(&f->rejudge, false);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

static void
test_shared_address_stays_for_the_other_name_under_its_name(void **state)
{
	struct fixture *f = *state;

	hold(f, "gone.test", 1, 443);
	hold(f, "google.com", 1, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 0);
	assert_int_equal(records(f, ENFORCER_REVOKE, ""), 0);
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 1);
	rejudge_settle(&f->rejudge, true);
	assert_int_equal(leases_counts(f->leases).leases, 1);
}

/* The name that the kernel knows it by has ended by itself, before this change. */
static void
test_a_name_that_ended_is_replaced(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	hold(f, "google.com", 2, 443);
	LIST_FIRST(&leases_first_grant(f->leases)->claims)->lease->renamed = true;
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 1);
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
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
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
	struct registry *registry = build(text);
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

	hold(f, "google.com", 1, 443);
	came_by(f, BEHIND(AT("a.test") ", " AT("b.test")));
	judge(f, BEHIND(AT("B.test") ", " AT("a.test")));
	assert_int_equal(left(f), 1);
	judge(f, BEHIND(AT("b.test") ", " AT("a.test")));
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
		hold(f, "google.com", 1, 443);
		hold(f, "google.com", 2, 443);
		came_by(f, BEHIND(AT("a.test") ", " AT("b.test")));
		judge(f, others[i]);
		assert_int_equal(f->rejudge.withdrawn, 1);
		assert_int_equal(left(f), 1);
	}
}

static void
test_what_the_host_itself_gave_goes_when_others_are_asked(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(left(f), 1);
	judge(f, BEHIND(AT("a.test")));
	assert_int_equal(left(f), 0);
}

static void
test_repeat_writes_each_lease_once(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	hold(f, "other.test", 1, 443);
	hold(f, "other.test", 2, 443);
	rejudge_repeat(f->leases, &f->change, NOW);
	assert_int_equal(change_end(&f->change), 0);
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 1);
	assert_int_equal(records(f, ENFORCER_LEASES, "other.test"), 1);
}

static void
test_repeat_leaves_out_what_has_ended(void **state)
{
	struct fixture *f = *state;

	hold(f, "google.com", 1, 443);
	rejudge_repeat(f->leases, &f->change, NOW + 60000);
	assert_int_equal(change_end(&f->change), 0);
	assert_int_equal(records(f, ENFORCER_LEASES, "google.com"), 0);
}

/* Both names go, in whatever order the walk meets them: what is made and revoked in one
 * change would be made. */
static void
test_shared_address_goes_with_its_last_name(void **state)
{
	static const char *const names[] = {"gone.test", "away.test"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		hold(
		    f, names[i], (uint8_t)i, 443); /* stands in the kernel by this name */
		hold(f, names[1 - i], (uint8_t)i, 443);
	}
	judge(f, POLICY ENTRY("google", "google.com", HTTPS, ""));
	assert_int_equal(f->rejudge.withdrawn, 2);
	assert_int_equal(records(f, ENFORCER_REVOKE, ""), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(records(f, ENFORCER_LEASES, names[i]), 0);
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

	hold(f, "google.com", 1, 443);
	assert_int_equal(name_parse("google.com", 10, &name), 0);
	g = lease_grant(f->leases, &f->pod, &name);
	lease = lease_reserve(f->leases, g, &t, &renew);
	lease_grant_release(f->leases, g);
	assert_int_equal(lease_ask(f->leases, lease, NOW, NOW + 900000), 900000);
	rejudge_repeat(f->leases, &f->change, NOW);
	assert_int_equal(change_end(&f->change), 0);
	assert_true(lease_message(f, &m));
	assert_int_equal(m.body.leases[0].timeout_ms, 900000);
	lease_settle(f->leases, lease, true, NOW + 900000);
}

static void
test_nothing_is_asked_for_longer_than_the_limit(void **state)
{
	struct fixture *f = *state;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 5000};
	struct enforcer_message m;

	hold(f, "google.com", 1, 443);
	leases_set_limits(f->leases, &limits);
	judge(f, POLICY ENTRY("google", "google.com", HTTPS "," HTTP, ""));
	assert_true(lease_message(f, &m));
	assert_int_equal(m.count, 1);
	assert_int_equal(m.body.leases[0].timeout_ms, 5000);
	rejudge_settle(&f->rejudge, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_what_is_still_allowed_stays),
	    TEST(test_removed_name_and_removed_port_go),
	    TEST(test_leases_go_with_their_pod),
	    TEST(test_allow_any_keeps_no_lease),
	    TEST(test_new_port_comes_on_known_addresses),
	    TEST(test_new_port_that_the_kernel_refused_is_not_there),
	    TEST(test_shared_address_stays_for_the_other_name_under_its_name),
	    TEST(test_a_name_that_ended_is_replaced),
	    TEST(test_address_that_became_forbidden_goes),
	    TEST(test_shared_address_goes_with_its_last_name),
	    TEST(test_what_is_written_again_is_not_cut_below_what_is_under_way),
	    TEST(test_nothing_is_asked_for_longer_than_the_limit),
	    TEST(test_same_endpoints_keep_what_came_from_them),
	    TEST(test_other_endpoints_keep_only_what_is_listed),
	    TEST(test_what_the_host_itself_gave_goes_when_others_are_asked),
	    TEST(test_repeat_writes_each_lease_once),
	    TEST(test_repeat_leaves_out_what_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

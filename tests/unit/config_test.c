/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/alloc.h"
#include "tests/unit/config_bed.h"

static void
an_empty_file_means_the_defaults(void **state)
{
	const struct config *c;

	(void)state;
	accept_text("# nothing\n");
	c = bed.config;
	assert_int_equal(bed.findings.len, 0);
	assert_false(c->mesh.has_outbound);
	assert_true(c->listen_is_default);
	assert_int_equal(c->listen_count, 4);
	assert_true(has_endpoint(&c->listen[0], "169.254.20.10:53"));
	assert_true(has_endpoint(&c->listen[1], "[fd00:a9fe:140a::10]:53"));
	assert_true(has_endpoint(&c->listen[2], "169.254.20.10:54"));
	assert_true(has_endpoint(&c->listen[3], "[fd00:a9fe:140a::10]:54"));
	assert_int_equal(c->upstream_count, 1);
	assert_true(has_endpoint(&c->upstreams[0], "192.0.2.53:53"));
	assert_int_equal(c->zone_count, 0);
	assert_int_equal(c->registry_count, 1);
	assert_string_equal(c->registry[0], CONFIG_DEFAULT_REGISTRY);
	assert_int_equal(c->pod_range_count, 2);
	assert_true(has_prefix(&c->pod_ranges[0], "10.244.0.0/16"));
	assert_true(has_prefix(&c->pod_ranges[1], "fd00:10:244::/56"));
	assert_int_equal(c->interface_count, 3);
	assert_string_equal(c->interfaces[0], "veth*");
	assert_string_equal(c->interfaces[1], "cali*");
	assert_string_equal(c->interfaces[2], "cni0");
	assert_int_equal(c->internal_count, 4);
	assert_true(has_prefix(&c->internal[0], "10.244.0.0/16"));
	assert_true(has_prefix(&c->internal[1], "10.96.0.0/12"));
	assert_true(has_prefix(&c->internal[2], "fd00:10:244::/56"));
	assert_true(has_prefix(&c->internal[3], "fd00:10:96::/112"));
}

static void
the_defaults_are_there_without_any_file(void **state)
{
	size_t count;

	(void)state;
	alloc_reset();
	assert_int_equal(config_defaults(&bed.config), 0);
	count = alloc_count();
	assert_int_equal(bed.config->upstream_count, 0);
	assert_true(bed.config->listen_is_default);
	assert_int_equal(bed.config->internal_count, 4);
	assert_int_equal(bed.config->pod_range_count, 2);
	assert_string_equal(bed.config->control, "/run/egressd/control.sock");
	for (size_t i = 0; i < count; i++) {
		struct config *c = NULL;

		alloc_fail_at(i);
		assert_int_equal(config_defaults(&c), -ENOMEM);
		assert_null(c);
	}
	alloc_reset();
}

static void
the_default_numbers_are_the_documented_ones(void **state)
{
	const struct config *c;

	(void)state;
	accept_text("");
	c = bed.config;
	assert_int_equal(c->lease_floor_s, 30);
	assert_int_equal(c->lease_grace_s, 30);
	assert_int_equal(c->lease_cap_s, 3600);
	assert_int_equal(c->lease_flows_s, 12 * 3600);
	assert_int_equal(c->lease_per_name, 1000);
	assert_int_equal(c->lease_per_pod, 20000);
	assert_int_equal(c->lease_size, 1000000);
	assert_int_equal(c->wildcard_names, 1000);
	assert_int_equal(c->wildcard_bytes, 64 * 1024);
	assert_int_equal(c->cache_bytes, 32 * 1024 * 1024);
	assert_int_equal(c->cache_ttl_max_s, 3600);
	assert_int_equal(c->cache_old_s, 3600);
	assert_int_equal(c->cache_patience_ms, 1800);
	assert_int_equal(c->refused_rcode, CONFIG_NXDOMAIN);
	assert_int_equal(c->refused_ttl_s, 5);
	assert_false(c->https_lease);
	assert_false(c->unlisted_drop);
	assert_false(c->skip_broken);
	assert_true(c->intercept);
	assert_int_equal(c->commit_deadline_ms, 1000);
	assert_int_equal(c->query_deadline_ms, 4000);
	assert_string_equal(c->control, "/run/egressd/control.sock");
}

static void
every_key_is_read(void **state)
{
	const struct config *c;

	(void)state;
	accept_text(
	    "meshConfig: {outboundTrafficPolicy: {mode: ALLOW_ANY}}\n"
	    "listen: [\"192.0.2.1:5353\"]\n"
	    "upstreams: [192.0.2.2, \"[2001:db8::1]:54\"]\n"
	    "zones: [{name: cluster.local, upstreams: [\"10.96.0.10:53\"]}]\n"
	    "registry: [/a, /b]\n"
	    "registryErrors: skip\n"
	    "pods: {cidrs: [10.1.0.0/16], interfaces: [eth7]}\n"
	    "internal: []\n"
	    "lease: {floor: 10s, grace: 20s, cap: 5m, flows: 90m, perName: 7, perPod: 8, "
	    "size: 9}\n"
	    "cache: {size: 1MiB, maxTTL: 2h}\n"
	    "refused: {rcode: REFUSED, ttl: 0s}\n"
	    "httpsRecords: lease\n"
	    "unlisted: drop\n"
	    "intercept: false\n"
	    "deadline: {commit: 250ms, query: 2s}\n"
	    "control: /x/y\n");
	c = bed.config;
	assert_int_equal(bed.findings.len, 0);
	assert_true(c->mesh.has_outbound);
	assert_int_equal(c->mesh.outbound, OUTBOUND_ALLOW_ANY);
	assert_false(c->listen_is_default);
	assert_int_equal(c->listen_count, 1);
	assert_true(has_endpoint(&c->listen[0], "192.0.2.1:5353"));
	assert_int_equal(c->upstream_count, 2);
	assert_true(has_endpoint(&c->upstreams[0], "192.0.2.2:53"));
	assert_true(has_endpoint(&c->upstreams[1], "[2001:db8::1]:54"));
	assert_int_equal(c->zone_count, 1);
	assert_int_equal(c->zones[0].name.labels, 2);
	assert_int_equal(c->zones[0].upstream_count, 1);
	assert_true(has_endpoint(&c->zones[0].upstreams[0], "10.96.0.10:53"));
	assert_int_equal(c->registry_count, 2);
	assert_string_equal(c->registry[1], "/b");
	assert_int_equal(c->pod_range_count, 1);
	assert_int_equal(c->interface_count, 1);
	assert_int_equal(c->internal_count, 0);
	assert_int_equal(c->lease_floor_s, 10);
	assert_int_equal(c->lease_grace_s, 20);
	assert_int_equal(c->lease_cap_s, 300);
	assert_int_equal(c->lease_flows_s, 5400);
	assert_int_equal(c->lease_per_name, 7);
	assert_int_equal(c->lease_per_pod, 8);
	assert_int_equal(c->lease_size, 9);
	assert_int_equal(c->cache_bytes, 1024 * 1024);
	assert_int_equal(c->cache_ttl_max_s, 7200);
	assert_int_equal(c->refused_rcode, CONFIG_REFUSED);
	assert_int_equal(c->refused_ttl_s, 0);
	assert_true(c->https_lease);
	assert_true(c->unlisted_drop);
	assert_true(c->skip_broken);
	assert_false(c->intercept);
	assert_int_equal(c->commit_deadline_ms, 250);
	assert_int_equal(c->query_deadline_ms, 2000);
	assert_string_equal(c->control, "/x/y");
}

/* An absent policy, an empty one and a stated one are three things. */
static void
an_empty_outbound_policy_is_registry_only(void **state)
{
	(void)state;
	accept_text("meshConfig: {}\n");
	assert_false(bed.config->mesh.has_outbound);
	accept_text("meshConfig: {outboundTrafficPolicy: {}}\n");
	assert_true(bed.config->mesh.has_outbound);
	assert_int_equal(bed.config->mesh.outbound, OUTBOUND_REGISTRY_ONLY);
	accept_text("meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n");
	assert_true(bed.config->mesh.has_outbound);
	assert_int_equal(bed.config->mesh.outbound, OUTBOUND_REGISTRY_ONLY);
}

static void
mesh_settings_are_read(void **state)
{
	const struct mesh *m;

	(void)state;
	accept_text("meshConfig: {rootNamespace: mesh, defaultServiceExportTo: [., x], "
		    "discoverySelectors: [{matchLabels: {a: b}}]}\n");
	m = &bed.config->mesh;
	assert_false(m->has_outbound);
	assert_string_equal(m->root_namespace, "mesh");
	assert_int_equal(m->export_to->count, 2);
	assert_int_equal(m->selector_count, 1);
	assert_int_equal(m->selectors[0].labels.count, 1);
}

static void
the_cluster_domain_is_a_name(void **state)
{
	(void)state;
	accept_text("{}\n");
	assert_string_equal(bed.config->cluster_domain, "cluster.local");
	accept_text("clusterDomain: k8s.example\n");
	assert_string_equal(bed.config->cluster_domain, "k8s.example");
	refuse_text("clusterDomain: ''\n", 1, 16, "a domain name");
	refuse_text("clusterDomain: a_b\n", 1, 16, "a domain name");
	refuse_text("clusterDomain: [a]\n", 1, 16, "a domain name");
}

/* Each of these, passed over, would leave everything open. */
static void
a_slip_in_the_mesh_configuration_is_an_error(void **state)
{
	(void)state;
	refuse_text("meshConfig: {outboundTrafficPolicy: {mode: REGISTRY}}\n", 1, 44,
	    "\"REGISTRY\"");
	refuse_text("meshConfig:\n  outboundTraficPolicy: {mode: REGISTRY_ONLY}\n", 2, 3,
	    "unknown key \"outboundTraficPolicy\"");
	refuse_text("meshConfig:\n  outboundTrafficPolicy:\n", 2, 25, "REGISTRY_ONLY");
	refuse_text("meshConfig: REGISTRY_ONLY\n", 1, 13, "a mapping");
	refuse_text("meshConfig:\n", 1, 12, "a mapping");
	refuse_text("meshConfig:\n  rootNamespace:\n", 2, 17, "leave the key out");
	refuse_text("meshConfig:\n  accessLogFile: x\n", 2, 3, "unknown key");
	refuse_text("meshConfig: {defaultServiceExportTo: ['*', a]}\n", 1, 39,
	    "cannot stand beside");
}

static void
unknown_keys_are_errors_that_name_the_known_ones(void **state)
{
	(void)state;
	refuse_text("listen: [192.0.2.1]\npods: {cidrs: [10.0.0.0/8]}\nlisten2: 3\n", 3,
	    1,
	    "unknown key \"listen2\": known here are meshConfig, listen, upstreams, "
	    "zones, "
	    "clusterDomain, registry, registryErrors, pods, internal, lease, cache, "
	    "refused, httpsRecords, unlisted, revoke, autopath, intercept, deadline, "
	    "control, metrics");
	refuse_text("lease:\n  flor: 30s\n", 2, 3,
	    "unknown key \"flor\" in lease: known here are floor, grace, cap, flows, "
	    "perName, perPod, size");
	refuse_text("lease.floor: 30s\n", 1, 1, "unknown key \"lease.floor\"");
	refuse_text("\"a\\nb\": 1\n", 1, 1, "unknown key \"a\\x0ab\"");
	refuse_text("zones: [{name: a, upstreams: [192.0.2.1], port: 3}]\n", 1, 43,
	    "unknown key \"port\": name and upstreams");
}

static void
all_errors_are_told_not_just_the_first(void **state)
{
	(void)state;
	load("listen: [x, 192.0.2.1, y]\nbogus: 1\nlease: {floor: 0s, cap: 99h}\n"
	     "unlisted: maybe\n");
	assert_int_equal(bed.findings.errors, 6);
	assert_true(found(FINDING_ERROR, 1, 10, "listen: \"x\""));
	assert_true(found(FINDING_ERROR, 1, 24, "listen: \"y\""));
	assert_true(found(FINDING_ERROR, 2, 1, "\"bogus\""));
	assert_true(found(FINDING_ERROR, 3, 16, "lease.floor: \"0s\""));
	assert_true(found(FINDING_ERROR, 3, 25, "lease.cap: \"99h\""));
	assert_true(found(FINDING_ERROR, 4, 11, "unlisted: \"maybe\""));
}

static void
the_file_must_be_one_mapping(void **state)
{
	(void)state;
	refuse_text("[1, 2]\n", 1, 1, "a mapping");
	refuse_text("just text\n", 1, 1, "a mapping");
	refuse_text("unlisted: drop\n---\nunlisted: reject\n", 3, 1, "second document");
	refuse_text("unlisted: drop\nunlisted: drop\n", 2, 1, "twice");
	refuse_text("unlisted: [\n", 2, 1, "YAML");
}

static void
a_group_without_keys_is_no_error_and_anything_else_is(void **state)
{
	(void)state;
	accept_text("lease:\n#  floor: 1s\ncache: {}\n");
	refuse_text("lease: 30s\n", 1, 8,
	    "lease must be a mapping of floor, grace, cap, flows, perName, perPod, size");
	refuse_text("pods: [a]\n", 1, 7, "pods must be a mapping of cidrs, interfaces");
}

static void
options_that_contradict_each_other_are_errors(void **state)
{
	(void)state;
	refuse_text(
	    "lease: {cap: 59s}\n", 1, 14, "60s, more than lease.cap, which is 59s");
	accept_text("lease: {cap: 60s}\n");
	refuse_text("lease: {grace: 1h, floor: 1s}\n", 1, 27, "more than lease.cap");
	refuse_text("lease: {grace: 3600s}\n", 1, 16, "more than lease.cap");
	refuse_text("deadline: {query: 999ms}\n", 1, 19, "longer than deadline.query");
	accept_text("deadline: {query: 1s}\n");
	refuse_text("listen: [192.0.2.1]\npods: {cidrs: [10.0.0.0/8]}\n"
		    "upstreams: [192.0.2.9, \"192.0.2.1:53\"]\n",
	    3, 24, "circles");
	accept_text("listen: [192.0.2.1]\nupstreams: [\"192.0.2.1:54\"]\n");
	refuse_text("upstreams: [169.254.20.10]\n", 1, 13, "circles");
	refuse_text("listen: [192.0.2.1]\npods: {cidrs: [10.0.0.0/8]}\nzones:\n"
		    "- {name: a, upstreams: [192.0.2.3]}\n"
		    "- {name: b, upstreams: [192.0.2.3, 192.0.2.1]}\n",
	    5, 36, "circles");
}

static void
pods_of_a_family_without_a_listener_are_a_warning(void **state)
{
	(void)state;
	accept_text("listen: [192.0.2.1]\n");
	assert_int_equal(bed.findings.warnings, 1);
	assert_true(found(FINDING_WARNING, 1, 9, "pods.cidrs has IPv6 ranges"));
	accept_text("pods: {cidrs: [\"2001:db8::/64\"]}\nlisten: [192.0.2.1]\n");
	assert_true(found(FINDING_WARNING, 2, 9, "IPv6"));
	accept_text("listen: [192.0.2.1]\nintercept: false\n");
	assert_int_equal(bed.findings.warnings, 0);
	accept_text("listen: [192.0.2.1]\npods: {cidrs: [10.0.0.0/8]}\n");
	assert_int_equal(bed.findings.warnings, 0);
}

static void
a_named_file_must_exist_and_be_a_file(void **state)
{
	(void)state;
	load_path(scratch_path("absent.yaml"));
	assert_true(found(FINDING_ERROR, 0, 0, "does not exist"));
	load_path(scratch_mkdir("folder"));
	assert_true(found(FINDING_ERROR, 0, 0, "is a folder"));
	assert_int_equal(mkfifo(scratch_path("fifo"), 0644), 0);
	load_path(scratch_path("fifo"));
	assert_true(found(FINDING_ERROR, 0, 0, "no regular file"));
	load_path("/dev/null");
	assert_true(found(FINDING_ERROR, 0, 0, "no regular file"));
	scratch_link("loop", "loop");
	load_path(scratch_path("loop"));
	assert_true(found(FINDING_ERROR, 0, 0, "leads to itself"));
}

/* A link is as good as a file here: a mounted ConfigMap has nothing else. */
static void
the_configuration_may_be_a_link(void **state)
{
	(void)state;
	(void)scratch_file("real.yaml", "unlisted: drop\n");
	scratch_link("real.yaml", "link.yaml");
	load_path(scratch_path("link.yaml"));
	assert_int_equal(bed.result, 0);
	assert_true(bed.config->unlisted_drop);
}

static void
a_file_that_others_may_change_is_refused(void **state)
{
	const char *path = scratch_file("c.yaml", "");

	(void)state;
	assert_int_equal(chmod(path, 0646), 0);
	load_path(path);
	assert_true(found(FINDING_ERROR, 0, 0, "could be changed by others"));
	assert_int_equal(chmod(path, 0664), 0);
	if (geteuid() != 0)
		return;
	load_path(path); /* root's group */
	assert_int_equal(bed.findings.len, 0);
	assert_int_equal(chown(path, 0, 65534), 0);
	load_path(path);
	assert_int_equal(bed.result, 0);
	assert_true(found(FINDING_WARNING, 0, 0, "a group may write"));
	assert_int_equal(chown(path, 65534, 0), 0);
	load_path(path);
	assert_true(found(FINDING_ERROR, 0, 0, "could be changed by others"));
}

static void
a_file_above_the_limit_is_not_read(void **state)
{
	const char *path = scratch_file("c.yaml", "");

	(void)state;
	assert_int_equal(truncate(path, CONFIG_FILE_MAX + 1), 0);
	load_path(path);
	assert_true(found(FINDING_ERROR, 0, 0, "too large"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(an_empty_file_means_the_defaults),
	    TEST(the_defaults_are_there_without_any_file),
	    TEST(the_default_numbers_are_the_documented_ones),
	    TEST(every_key_is_read),
	    TEST(an_empty_outbound_policy_is_registry_only),
	    TEST(mesh_settings_are_read),
	    TEST(the_cluster_domain_is_a_name),
	    TEST(a_slip_in_the_mesh_configuration_is_an_error),
	    TEST(unknown_keys_are_errors_that_name_the_known_ones),
	    TEST(all_errors_are_told_not_just_the_first),
	    TEST(the_file_must_be_one_mapping),
	    TEST(a_group_without_keys_is_no_error_and_anything_else_is),
	    TEST(options_that_contradict_each_other_are_errors),
	    TEST(pods_of_a_family_without_a_listener_are_a_warning),
	    TEST(a_named_file_must_exist_and_be_a_file),
	    TEST(the_configuration_may_be_a_link),
	    TEST(a_file_that_others_may_change_is_refused),
	    TEST(a_file_above_the_limit_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/config.h"
#include "daemon/file.h"
#include "daemon/option.h"
#include "daemon/quantity.h"
#include "daemon/resolv_conf.h"
#include "tests/unit/scratch.h"

#define MANUAL "daemon/egressd.yaml.5"
#define TEXT_MAX 4096

struct bed {
	struct findings findings;
	struct config *config;
	const char *resolv_conf;
	int result;
};

static struct bed bed;

static void
forget(void)
{
	findings_done(&bed.findings);
	findings_init(&bed.findings, FINDINGS_MAX);
	config_free(bed.config);
	bed.config = NULL;
}

static int
set_up(void **state)
{
	(void)state;
	scratch_open();
	memset(&bed, 0, sizeof(bed));
	findings_init(&bed.findings, FINDINGS_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	forget();
	scratch_close();
	return 0;
}

static void
load_path(const char *path)
{
	forget();
	bed.result =
	    config_read(path, scratch_file("resolv.conf", "nameserver 192.0.2.53\n"),
		&bed.findings, &bed.config);
	assert_true(bed.result == 0 || bed.config == NULL);
	assert_int_equal(bed.result<0, bed.findings.errors> 0);
}

static void
load(const char *text)
{
	load_path(scratch_file("c.yaml", text));
}

static void
dump(void)
{
	for (size_t i = 0; i < bed.findings.len; i++) {
		char *text = finding_format(&bed.findings.list[i]);

		print_message("%s\n", text != NULL ? text : "?");
		free(text);
	}
}

static void
accept_text(const char *text)
{
	load(text);
	if (bed.result != 0)
		dump();
	assert_int_equal(bed.result, 0);
}

/* Is there a finding at line:column that says part? */
static bool
found(enum finding_severity severity, unsigned line, unsigned column, const char *part)
{
	for (size_t i = 0; i < bed.findings.len; i++) {
		const struct finding *f = &bed.findings.list[i];

		if (f->severity == severity && f->line == line && f->column == column &&
		    strstr(f->text, part) != NULL)
			return true;
	}
	print_message("no finding at %u:%u says: %s; there are:\n", line, column, part);
	dump();
	return false;
}

/* One error and no more. */
static void
refuse_text(const char *text, unsigned line, unsigned column, const char *part)
{
	load(text);
	assert_true(found(FINDING_ERROR, line, column, part));
	assert_int_equal(bed.result, -EINVAL);
	if (bed.findings.errors != 1)
		dump();
	assert_int_equal(bed.findings.errors, 1);
}

static bool
has_endpoint(const struct endpoint *e, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	return strcmp(endpoint_format(e, buf), text) == 0;
}

static bool
has_prefix(const struct prefix *p, const char *text)
{
	char buf[ADDR_TEXT_MAX];

	return strcmp(prefix_format(p, buf), text) == 0;
}

static void
an_empty_file_means_the_defaults(void **state)
{
	const struct config *c;

	(void)state;
	accept_text("# nothing\n");
	c = bed.config;
	assert_int_equal(bed.findings.len, 0);
	assert_false(c->has_outbound);
	assert_true(c->listen_is_default);
	assert_int_equal(c->listen_count, 2);
	assert_true(has_endpoint(&c->listen[0], "169.254.20.10:53"));
	assert_true(has_endpoint(&c->listen[1], "[fd00:a9fe:140a::10]:53"));
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
the_default_numbers_are_the_documented_ones(void **state)
{
	const struct config *c;

	(void)state;
	accept_text("");
	c = bed.config;
	assert_int_equal(c->lease_floor_s, 30);
	assert_int_equal(c->lease_grace_s, 30);
	assert_int_equal(c->lease_cap_s, 3600);
	assert_int_equal(c->lease_per_name, 1000);
	assert_int_equal(c->lease_per_pod, 20000);
	assert_int_equal(c->lease_size, 1000000);
	assert_int_equal(c->cache_bytes, 32 * 1024 * 1024);
	assert_int_equal(c->cache_ttl_max_s, 3600);
	assert_int_equal(c->refused_rcode, CONFIG_NXDOMAIN);
	assert_int_equal(c->refused_ttl_s, 5);
	assert_false(c->unlisted_drop);
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
	    "pods: {cidrs: [10.1.0.0/16], interfaces: [eth7]}\n"
	    "internal: []\n"
	    "lease: {floor: 10s, grace: 20s, cap: 5m, perName: 7, perPod: 8, size: 9}\n"
	    "cache: {size: 1MiB, maxTTL: 2h}\n"
	    "refused: {rcode: REFUSED, ttl: 0s}\n"
	    "unlisted: drop\n"
	    "intercept: false\n"
	    "deadline: {commit: 250ms, query: 2s}\n"
	    "control: /x/y\n");
	c = bed.config;
	assert_int_equal(bed.findings.len, 0);
	assert_true(c->has_outbound);
	assert_int_equal(c->outbound, OUTBOUND_ALLOW_ANY);
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
	assert_int_equal(c->lease_per_name, 7);
	assert_int_equal(c->lease_per_pod, 8);
	assert_int_equal(c->lease_size, 9);
	assert_int_equal(c->cache_bytes, 1024 * 1024);
	assert_int_equal(c->cache_ttl_max_s, 7200);
	assert_int_equal(c->refused_rcode, CONFIG_REFUSED);
	assert_int_equal(c->refused_ttl_s, 0);
	assert_true(c->unlisted_drop);
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
	assert_false(bed.config->has_outbound);
	accept_text("meshConfig: {outboundTrafficPolicy: {}}\n");
	assert_true(bed.config->has_outbound);
	assert_int_equal(bed.config->outbound, OUTBOUND_REGISTRY_ONLY);
	accept_text("meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n");
	assert_true(bed.config->has_outbound);
	assert_int_equal(bed.config->outbound, OUTBOUND_REGISTRY_ONLY);
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
}

static void
unknown_keys_are_errors_that_name_the_known_ones(void **state)
{
	(void)state;
	refuse_text("listen: [192.0.2.1]\npods: {cidrs: [10.0.0.0/8]}\nlisten2: 3\n", 3,
	    1,
	    "unknown key \"listen2\": known here are meshConfig, listen, upstreams, "
	    "zones, "
	    "registry, pods, internal, lease, cache, refused, unlisted, intercept, "
	    "deadline, control");
	refuse_text("lease:\n  flor: 30s\n", 2, 3,
	    "unknown key \"flor\" in lease: known here are floor, grace, cap, perName, "
	    "perPod, size");
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
	    "lease must be a mapping of floor, grace, cap, perName, perPod, size");
	refuse_text("pods: [a]\n", 1, 7, "pods must be a mapping of cidrs, interfaces");
}

/* Values at and just beyond the limits of each scalar option. */
static const struct limit_case {
	const char *name, *low, *high, *below, *above;
	const char *with; /* what the high value needs besides */
} limits[] = {
    {"lease.floor", "1s", "1h", "0s", "3601s", "lease: {cap: 24h, floor: %s}\n"},
    {"lease.grace", "1s", "1h", "0s", "3601s", "lease: {cap: 24h, grace: %s}\n"},
    {"lease.cap", "2s", "24h", "1s", "86401s",
	"lease: {floor: 1s, grace: 1s, cap: %s}\n"},
    {"lease.perName", "1", "1000000", "0", "1000001", "lease: {perName: %s}\n"},
    {"lease.perPod", "1", "10000000", "0", "10000001", "lease: {perPod: %s}\n"},
    {"lease.size", "1", "16777216", "0", "16777217", "lease: {size: %s}\n"},
    {"cache.size", "64KiB", "16GiB", "65535", "17179869185", "cache: {size: %s}\n"},
    {"cache.maxTTL", "1s", "168h", "0s", "604801s", "cache: {maxTTL: %s}\n"},
    {"refused.ttl", "0s", "1h", "-1s", "3601s", "refused: {ttl: %s}\n"},
    {"deadline.commit", "10ms", "10s", "9ms", "10001ms",
	"deadline: {query: 30s, commit: %s}\n"},
    {"deadline.query", "100ms", "30s", "99ms", "30001ms",
	"deadline: {commit: 10ms, query: %s}\n"},
};

static char *
fill_in(const char *before, const char *value)
{
	static char text[TEXT_MAX];
	const char *at = strstr(before, "%s");

	assert_non_null(at);
	(void)snprintf(
	    text, sizeof(text), "%.*s%s%s", (int)(at - before), before, value, at + 2);
	return text;
}

static void
each_number_has_the_limits_it_says(void **state)
{
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct limit_case *l = &limits[i];
		unsigned column = (unsigned)(strstr(l->with, "%s") - l->with) + 1;

		accept_text(fill_in(l->with, l->low));
		accept_text(fill_in(l->with, l->high));
		(void)snprintf(quoted, sizeof(quoted), "%s: \"%s\" is not allowed",
		    l->name, l->below);
		refuse_text(fill_in(l->with, l->below), 1, column, quoted);
		(void)snprintf(quoted, sizeof(quoted), "%s: \"%s\" is not allowed",
		    l->name, l->above);
		refuse_text(fill_in(l->with, l->above), 1, column, quoted);
		(void)snprintf(quoted, sizeof(quoted), "%s: ", l->name);
		refuse_text(fill_in(l->with, "x"), 1, column, quoted);
		refuse_text(fill_in(l->with, "99999999999999999999s"), 1, column, quoted);
		refuse_text(fill_in(l->with, "[]"), 1, column, "a list is not allowed");
		refuse_text(fill_in(l->with, "{a: b}"), 1, column, "a mapping is not");
		refuse_text(fill_in(l->with, "\"\""), 1, column, quoted);
	}
}

static void
an_error_says_what_is_allowed(void **state)
{
	(void)state;
	refuse_text("lease: {floor: 500ms}\n", 1, 16,
	    "a duration in whole seconds from 1s to 1h");
	refuse_text("deadline: {commit: 1}\n", 1, 20, "a duration from 10ms to 10s");
	refuse_text("cache: {size: 32MB}\n", 1, 15, "a size from 64KiB to 16GiB");
	refuse_text("lease: {size: 1e3}\n", 1, 15, "a number from 1 to 16777216");
	refuse_text("intercept: yes\n", 1, 12, "true or false");
	refuse_text("intercept: \"true\"\n", 1, 12, "true or false");
	refuse_text("refused: {rcode: nxdomain}\n", 1, 18, "NXDOMAIN or REFUSED");
	refuse_text("unlisted: DROP\n", 1, 11, "reject or drop");
	refuse_text("control: run/sock\n", 1, 10, "an absolute path");
	refuse_text("intercept:\n", 1, 11, "true or false");
}

static void
a_socket_path_has_the_kernels_limit(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	(void)snprintf(text, sizeof(text), "control: /%0106d\n", 0);
	accept_text(text);
	assert_int_equal(strlen(bed.config->control), 107);
	(void)snprintf(text, sizeof(text), "control: /%0107d\n", 0);
	refuse_text(text, 1, 10, "from 1 to 107");
}

/* "KEY: [E, E, ...]" with count elements; printf-like with one number for each. */
static const char *
list_text(const char *key, const char *element, size_t count)
{
	static char text[65536];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	buf_printf(&b, "%s: [", key);
	for (size_t i = 0; i < count; i++) {
		char number[24];

		(void)snprintf(number, sizeof(number), "%zu", i + 1);
		buf_text(&b, i > 0 ? ", " : "");
		buf_text(&b, fill_in(element, number));
	}
	buf_text(&b, strchr(key, '{') != NULL ? "]}\n" : "]\n");
	assert_false(b.failed);
	memcpy(text, b.bytes, b.len + 1);
	buf_done(&b);
	return text;
}

static void
each_list_has_the_limits_it_says(void **state)
{
	static const struct {
		const char *key, *element;
		size_t min, max;
		unsigned column;
	} cases[] = {
	    {"listen", "192.0.2.%s", 1, CONFIG_LISTEN_MAX, 9},
	    {"upstreams", "192.0.2.%s", 1, CONFIG_UPSTREAMS_MAX, 12},
	    {"zones", "{name: z%s, upstreams: [192.0.2.1]}", 0, CONFIG_ZONES_MAX, 8},
	    {"registry", "/folder%s", 1, CONFIG_REGISTRY_MAX, 11},
	    {"pods: {cidrs", "10.%s.0.0/16", 1, CONFIG_RANGES_MAX, 15},
	    {"pods: {interfaces", "eth%s", 1, CONFIG_INTERFACES_MAX, 20},
	    {"internal", "10.%s.0.0/16", 0, CONFIG_RANGES_MAX, 11},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		accept_text(list_text(cases[i].key, cases[i].element, cases[i].min));
		accept_text(list_text(cases[i].key, cases[i].element, cases[i].max));
		refuse_text(list_text(cases[i].key, cases[i].element, cases[i].max + 1),
		    1, cases[i].column, "a list is not allowed: a list of");
		if (cases[i].min > 0)
			refuse_text(list_text(cases[i].key, cases[i].element, 0), 1,
			    cases[i].column, "a list is not allowed: a list of");
	}
}

static void
list_elements_are_told_at_their_own_place(void **state)
{
	(void)state;
	refuse_text("listen: 192.0.2.1\n", 1, 9, "a list of 1 to 8");
	refuse_text("listen:\n- 192.0.2.1\n- [a]\n", 3, 3, "a list is not allowed");
	refuse_text("listen: [192.0.2.1, \"192.0.2.1:53\"]\n", 1, 21, "already");
	refuse_text("upstreams: [\"192.0.2.1:0\"]\n", 1, 13, "\"192.0.2.1:0\"");
	refuse_text("upstreams: [\"192.0.2.1:65536\"]\n", 1, 13, "ADDRESS:PORT");
	refuse_text("upstreams: [dns.example]\n", 1, 13, "\"dns.example\"");
	refuse_text("upstreams: [0.0.0.0]\n", 1, 13, "one address");
	refuse_text("listen: [\"[::]:53\"]\n", 1, 10, "one address");
	refuse_text("listen: [224.0.0.1]\n", 1, 10, "multicast");
	refuse_text("listen: [255.255.255.255]\n", 1, 10, "broadcast");
	refuse_text("listen: [\"ff02::1\"]\n", 1, 10, "multicast");
	refuse_text("listen: [\"fe80::1\"]\n", 1, 10, "link-local");
	refuse_text("internal: [10.0.0.0/33]\n", 1, 12, "ADDRESS/LENGTH");
	refuse_text("internal: [0.0.0.0/0]\n", 1, 12, "every address");
	refuse_text("pods: {cidrs: [\"::/0\"]}\n", 1, 16, "every address");
	refuse_text("internal: [10.1.2.3/8, 10.0.0.0/8]\n", 1, 24, "already");
	refuse_text("registry: [registry.d]\n", 1, 12, "absolute paths");
	refuse_text("registry: [/a, /a]\n", 1, 16, "already");
}

static void
interface_patterns_are_what_the_kernel_can_have(void **state)
{
	(void)state;
	accept_text("pods: {interfaces: [abcdefghijklmno, \"abcdefghijklmn*\"]}\n");
	refuse_text("pods: {interfaces: [abcdefghijklmnop]}\n", 1, 21, "1 to 15 bytes");
	refuse_text("pods: {interfaces: [\"\"]}\n", 1, 21, "1 to 15 bytes");
	refuse_text("pods: {interfaces: [\"*\"]}\n", 1, 21, "node's own");
	refuse_text("pods: {interfaces: [\"a*b\"]}\n", 1, 21, "at the end");
	refuse_text("pods: {interfaces: [a/b]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"a b\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"a:b\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [\"..\"]}\n", 1, 21, "no interface");
	refuse_text("pods: {interfaces: [a, a]}\n", 1, 24, "already");
}

static void
zones_need_a_name_and_upstreams(void **state)
{
	(void)state;
	refuse_text("zones: [a]\n", 1, 9, "is not allowed");
	refuse_text("zones: [{name: a}]\n", 1, 9, "both");
	refuse_text("zones: [{upstreams: [192.0.2.1]}]\n", 1, 9, "both");
	refuse_text("zones: [{name: \".\", upstreams: [192.0.2.1]}]\n", 1, 16, "root");
	refuse_text("zones: [{name: a..b, upstreams: [192.0.2.1]}]\n", 1, 16, "domain");
	refuse_text("zones: [{name: a, upstreams: []}]\n", 1, 30, "1 to 8");
	refuse_text("zones: [{name: a, upstreams: 192.0.2.1}]\n", 1, 30, "1 to 8");
	refuse_text("zones: [{name: a, upstreams: [x]}]\n", 1, 31, "\"x\"");
	refuse_text("zones:\n- {name: a, upstreams: [192.0.2.1]}\n"
		    "- {name: A., upstreams: [192.0.2.1]}\n",
	    3, 10, "already");
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
upstreams_come_from_resolv_conf(void **state)
{
	const char *path = scratch_file("r",
	    "search a b\n nameserver 192.0.2.1\n#nameserver 192.0.2.2\n"
	    "nameserver 169.254.20.10\nnameserver\t127.0.0.53 \nnameserver 127.0.0.53\n"
	    "nameserver fe80::1%eth0\nnameserver\nnameserver 0.0.0.0\n"
	    "nameserversomething 192.0.2.7\nnameserver 2001:db8::53");

	(void)state;
	assert_int_equal(
	    config_read(scratch_file("c.yaml", ""), path, &bed.findings, &bed.config), 0);
	assert_int_equal(bed.config->upstream_count, 2);
	assert_true(has_endpoint(&bed.config->upstreams[0], "127.0.0.53:53"));
	assert_true(has_endpoint(&bed.config->upstreams[1], "[2001:db8::53]:53"));
	assert_int_equal(bed.findings.warnings, 2);
	assert_true(found(FINDING_WARNING, 7, 1, "\"fe80::1%eth0\""));
	assert_true(found(FINDING_WARNING, 9, 1, "\"0.0.0.0\""));
}

static void
more_nameservers_than_the_limit_are_left_out(void **state)
{
	struct endpoint list[2];

	(void)state;
	assert_int_equal(
	    resolv_conf_read(
		scratch_file("r",
		    "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"),
		NULL, 0, &bed.findings, list, 2),
	    2);
	assert_true(has_endpoint(&list[1], "192.0.2.2:53"));
}

static void
without_any_upstream_there_is_no_start(void **state)
{
	const char *config = scratch_file("c.yaml", "");
	const char *itself = scratch_file("r", "nameserver 169.254.20.10\n");

	(void)state;
	assert_int_equal(
	    config_read(config, itself, &bed.findings, &bed.config), -EINVAL);
	assert_true(found(FINDING_ERROR, 0, 0, "names no server"));
	assert_int_equal(
	    config_read(config, scratch_path("absent"), &bed.findings, &bed.config),
	    -EINVAL);
	assert_true(found(FINDING_ERROR, 0, 0, "does not exist"));
	/* Whoever names upstreams needs no resolv.conf. */
	assert_int_equal(config_read(scratch_file("d.yaml", "upstreams: [192.0.2.1]\n"),
			     scratch_path("absent"), &bed.findings, &bed.config),
	    0);
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

static void
file_read_gives_bytes_and_identity(void **state)
{
	const char *path = scratch_file("f", "hello");
	struct file_identity id, again;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, path, 0, 5, &id, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "hello");
	free(text);
	again = file_identify(AT_FDCWD, path);
	assert_true(file_same(&id, &again));
	assert_int_equal(truncate(path, 4), 0);
	again = file_identify(AT_FDCWD, path);
	assert_false(file_same(&id, &again));
	assert_int_equal(unlink(path), 0);
	again = file_identify(AT_FDCWD, path);
	assert_int_equal(again.ino, 0);
	assert_int_equal(
	    file_read(AT_FDCWD, scratch_file("g", "hello"), 0, 4, &id, &text, &len),
	    -EFBIG);
}

/* Its size says 0, and reading gives more: it is not the file that its size tells of. */
static void
a_file_of_another_size_than_it_says_is_not_believed(void **state)
{
	struct file_identity id;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", FILE_ANY_OWNER, 100000,
			     &id, &text, &len),
	    -ESTALE);
}

static void
durations_and_sizes_are_one_number_and_one_unit(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} durations[] = {
	    {"0s", 0, 0},
	    {"500ms", 0, 500},
	    {"30s", 0, 30000},
	    {"5m", 0, 300000},
	    {"1h", 0, 3600000},
	    {"", -EINVAL, 0},
	    {"s", -EINVAL, 0},
	    {"5", -EINVAL, 0},
	    {"-5s", -EINVAL, 0},
	    {"+5s", -EINVAL, 0},
	    {"5 s", -EINVAL, 0},
	    {"1.5h", -EINVAL, 0},
	    {"1h30m", -EINVAL, 0},
	    {"5S", -EINVAL, 0},
	    {"18446744073709551615ms", 0, UINT64_MAX},
	    {"18446744073709551616ms", -ERANGE, 0},
	    {"18446744073709551615s", -ERANGE, 0},
	};
	uint64_t value;
	char buf[QUANTITY_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		value = 0;
		assert_int_equal(quantity_parse_ms(durations[i].text,
				     strlen(durations[i].text), &value),
		    durations[i].result);
		assert_int_equal(value, durations[i].value);
	}
	assert_int_equal(quantity_parse_bytes("32MiB", 5, &value), 0);
	assert_int_equal(value, 32 << 20);
	assert_int_equal(quantity_parse_bytes("32MiBx", 5, &value), 0);
	assert_int_equal(quantity_parse_bytes("7", 1, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(quantity_parse_bytes("7MB", 3, &value), -EINVAL);
	assert_string_equal(quantity_format_ms(90000, buf), "90s");
	assert_string_equal(quantity_format_ms(1500, buf), "1500ms");
	assert_string_equal(quantity_format_ms(7200000, buf), "2h");
	assert_string_equal(quantity_format_ms(0, buf), "0s");
	assert_string_equal(quantity_format_bytes(65536, buf), "64KiB");
	assert_string_equal(quantity_format_bytes(65537, buf), "65537");
	assert_string_equal(quantity_format_bytes(1 << 30, buf), "1GiB");
}

/* The manual describes each row of the table with its default. */
static void
the_manual_knows_every_option(void **state)
{
	static char manual[65536];
	FILE *f = fopen(MANUAL, "re");
	char line[128];

	(void)state;
	assert_non_null(f); /* run from the top of the tree */
	assert_true(fread(manual, 1, sizeof(manual) - 1, f) > 0);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; option_at(i) != NULL; i++) {
		(void)snprintf(line, sizeof(line), ".It Cm %s", option_at(i)->name);
		if (strstr(manual, line) == NULL)
			print_message("%s: not in %s\n", option_at(i)->name, MANUAL);
		assert_non_null(strstr(manual, line));
	}
}

static void
every_row_of_the_table_is_whole(void **state)
{
	char range[OPTION_RANGE_MAX], names[OPTION_NAMES_MAX];
	size_t count = 0;

	(void)state;
	for (; option_at(count) != NULL; count++) {
		const struct option *o = option_at(count);

		assert_true(strlen(o->help) > 0);
		assert_true(strlen(option_range(o, range)) > 0);
		assert_true(strlen(range) < OPTION_RANGE_MAX - 1);
		assert_true(o->min <= o->max);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(o->name, option_at(i)->name);
	}
	assert_true(count < 64); /* OPTIONS_MAX of config.c */
	assert_true(strlen(option_names("", names)) < OPTION_NAMES_MAX - 1);
	assert_string_equal(option_names("nothing", names), "");
	assert_string_equal(option_names("deadline", names), "commit, query");
}

static void
the_options_can_be_printed(void **state)
{
	char *text = NULL;
	size_t size, lines = 0;
	FILE *saved = stdout, *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	stdout = out;
	config_print_options();
	stdout = saved;
	assert_int_equal(fclose(out), 0);
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_true(lines > 0);
	assert_non_null(option_at(lines - 1));
	assert_null(option_at(lines)); /* one line each */
	assert_non_null(strstr(text, "lease.floor "));
	assert_non_null(strstr(text, "from 1s to 1h; default 30s; "));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(an_empty_file_means_the_defaults),
	    TEST(the_default_numbers_are_the_documented_ones),
	    TEST(every_key_is_read),
	    TEST(an_empty_outbound_policy_is_registry_only),
	    TEST(a_slip_in_the_mesh_configuration_is_an_error),
	    TEST(unknown_keys_are_errors_that_name_the_known_ones),
	    TEST(all_errors_are_told_not_just_the_first),
	    TEST(the_file_must_be_one_mapping),
	    TEST(a_group_without_keys_is_no_error_and_anything_else_is),
	    TEST(each_number_has_the_limits_it_says),
	    TEST(an_error_says_what_is_allowed),
	    TEST(a_socket_path_has_the_kernels_limit),
	    TEST(each_list_has_the_limits_it_says),
	    TEST(list_elements_are_told_at_their_own_place),
	    TEST(interface_patterns_are_what_the_kernel_can_have),
	    TEST(zones_need_a_name_and_upstreams),
	    TEST(options_that_contradict_each_other_are_errors),
	    TEST(pods_of_a_family_without_a_listener_are_a_warning),
	    TEST(upstreams_come_from_resolv_conf),
	    TEST(more_nameservers_than_the_limit_are_left_out),
	    TEST(without_any_upstream_there_is_no_start),
	    TEST(a_named_file_must_exist_and_be_a_file),
	    TEST(the_configuration_may_be_a_link),
	    TEST(a_file_that_others_may_change_is_refused),
	    TEST(a_file_above_the_limit_is_not_read),
	    TEST(file_read_gives_bytes_and_identity),
	    TEST(a_file_of_another_size_than_it_says_is_not_believed),
	    TEST(durations_and_sizes_are_one_number_and_one_unit),
	    TEST(the_manual_knows_every_option),
	    TEST(every_row_of_the_table_is_whole),
	    TEST(the_options_can_be_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

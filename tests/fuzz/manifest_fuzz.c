/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of manifests: whatever it holds, it becomes a registry or findings; and whatever
 * a registry says of a name, a pod or an address was written there.
 *
 * It is built as a whole, then with what is broken left out, then cut in the middle with
 * the registry before as what it falls back on.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/explain/explain.h"
#include "policy/registry/registry.h"

#define FINDINGS_LIMIT 100
#define NAMES_MAX 12
#define NAME_BYTES_MAX 255
#define FIXED_MAX 256
#define STATIC_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One input and the names that stand in it. */
struct input {
	const char *text;
	size_t len;
	bool plain; /* without escapes: each number stands there as it is */
	size_t count;
	struct name names[NAMES_MAX];
};

static const char *const sources[] = {
    "10.244.0.1", "10.244.0.2", "10.244.1.1", "10.244.2.1", "fd00:10:244::1", "10.0.0.1"};
static const char *const addresses[] = {"127.0.0.1", "169.254.169.254", "10.96.0.10",
    "192.0.2.1", "198.51.100.7", "::1", "2001:db8::1", "::ffff:10.0.0.1"};

static struct addr
to_addr(const char *text)
{
	struct addr a;

	if (addr_parse(text, strlen(text), &a) < 0)
		abort();
	return a;
}

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static void
add_name(struct input *in, const char *text, size_t len)
{
	if (len > 0 && len < NAME_BYTES_MAX && in->count < NAMES_MAX &&
	    memchr(text, '.', len) != NULL &&
	    name_parse(text, len, &in->names[in->count]) == 0)
		in->count++;
}

/* What looks like one; of a wildcard's domain also a name below. */
static void
find_names(struct input *in)
{
	char below[NAME_BYTES_MAX + 2];
	size_t n;

	for (size_t i = 0; i < in->len; i += n + 1) {
		for (n = 0; i + n < in->len && is_name_byte(in->text[i + n]); n++)
			;
		add_name(in, in->text + i, n);
		if (n > 1 && n < NAME_BYTES_MAX && in->text[i] == '.') {
			below[0] = 'w';
			memcpy(below + 1, in->text + i, n);
			add_name(in, below, n + 1);
		}
	}
	add_name(in, "a.example.com", 13);
	add_name(in, "com.", 4);
}

static void
check_port(const struct input *in, const struct registry_port *p)
{
	char number[8];

	assert(p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP);
	assert(p->number > 0);
	(void)snprintf(number, sizeof(number), "%u", p->number); /* fits */
	assert(!in->plain || memmem(in->text, in->len, number, strlen(number)) != NULL);
}

static void
check_host(
    const struct input *in, const struct registry_host *h, const struct registry *r)
{
	struct addr list[STATIC_MAX];
	size_t count = registry_static(h, list, STATIC_MAX);

	assert(h->source.kind != NULL && h->source.name[0] != '\0');
	assert(h->source.namespace[0] != '\0' && h->source.line > 0);
	assert(h->target_count <= REGISTRY_TARGETS_MAX);
	for (size_t i = 0; i < h->port_count; i++) {
		check_port(in, &h->ports[i]);
		for (size_t k = 0; k < i; k++)
			assert(h->ports[k].number != h->ports[i].number ||
			       h->ports[k].proto != h->ports[i].proto);
	}
	for (size_t i = 0; i < count; i++)
		assert(registry_permits(r, h, &list[i]));
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct addr a = to_addr(addresses[i]);

		(void)registry_permits(r, h, &a); /* only that it comes back */
	}
}

/* Is the name the host's, or below the wildcard's domain? */
static void
check_covers(const struct registry_host *h, const struct name *n)
{
	const char *pattern = h->wildcard ? strchr(h->host, '.') : h->host;
	char text[NAME_TEXT_MAX];
	size_t len, pattern_len;

	assert(pattern != NULL);
	pattern += h->wildcard;
	name_format(n, text);
	len = strlen(text);
	len -= len > 1 && text[len - 1] == '.';
	pattern_len = strlen(pattern);
	pattern_len -= pattern_len > 1 && pattern[pattern_len - 1] == '.';
	assert(len >= pattern_len + (h->wildcard ? 2 : 0));
	assert(h->wildcard || len == pattern_len);
	assert(strncasecmp(text + len - pattern_len, pattern, pattern_len) == 0);
}

static void
check_verdict(const struct input *in, const struct registry *r, const struct workload *w,
    const struct name *n)
{
	struct explain_question q = {.name = *n, .proto = IPPROTO_TCP};
	struct explanation e;
	struct verdict v;

	registry_judge(r, w, n, &v);
	switch (v.kind) {
	case VERDICT_REFUSED:
		assert(v.reason != REASON_NONE);
		break;
	case VERDICT_HOST:
		assert(v.host != NULL);
		check_covers(v.host, n);
		check_host(in, v.host, r);
		break;
	case VERDICT_ZONE:
		assert(v.zone == 0);
		break;
	case VERDICT_PARENT:
	case VERDICT_OPEN:
		break;
	}
	if (w == NULL)
		return;
	q.namespace = w->namespace;
	q.pod = w->name;
	explain(r, &q, &e);
	assert(e.count > 0);
	assert(v.kind != VERDICT_REFUSED || !e.allowed);
}

static void
check_registry(const struct input *in, const struct registry *r)
{
	struct registry_counts counts = registry_counts(r);
	struct registry_fixed f;
	struct addr open;

	assert(counts.bytes > 0);
	for (size_t i = 0; i < in->count; i++)
		check_verdict(in, r, NULL, &in->names[i]);
	for (size_t k = 0; k < sizeof(sources) / sizeof(sources[0]); k++) {
		struct addr a = to_addr(sources[k]);
		const struct workload *w = registry_workload(r, &a);

		for (size_t i = 0; w != NULL && i < in->count; i++)
			check_verdict(in, r, w, &in->names[i]);
	}
	for (size_t i = 0; i < FIXED_MAX && registry_fixed(r, i, &f); i++)
		assert(f.port > 0 && (f.proto == IPPROTO_TCP || f.proto == IPPROTO_UDP) &&
		       f.destination.len <= addr_len(&f.destination.addr) * 8);
	for (size_t i = 0; i < FIXED_MAX && registry_open(r, i, &open); i++)
		assert(registry_mode(r) == OUTBOUND_REGISTRY_ONLY);
}

/* NULL when it is refused. */
static struct registry *
build(const char *text, size_t len, bool skip, const struct registry *before,
    size_t *ret_errors)
{
	struct name zone;
	struct registry_settings settings = {
	    .has_outbound = true,
	    .zones = &zone,
	    .zone_count = 1,
	    .skip = skip,
	    .before = before,
	};
	struct registry *registry = NULL;
	struct registry_builder *builder;
	struct findings findings;

	if (name_parse("cluster.local", 13, &zone) < 0)
		abort();
	findings_init(&findings, FINDINGS_LIMIT);
	builder = registry_builder_new(&settings, &findings);
	if (builder == NULL || registry_builder_add(builder, "fuzz.yaml", text, len) < 0)
		abort();
	if (registry_builder_finish(builder, &registry) < 0)
		assert(findings.errors > 0);
	*ret_errors = findings.errors;
	findings_done(&findings);
	return registry;
}

/* What is good as a whole is the same when what is broken may be left out. */
static void
check_same(const struct registry *whole, const struct registry *r)
{
	struct registry_counts a = registry_counts(whole), b = registry_counts(r);

	assert(a.entries == b.entries && a.hosts == b.hosts && a.pods == b.pods);
	assert(b.left_out == 0 && b.last_good == 0);
	assert(registry_mode(whole) == registry_mode(r));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {
	    .text = (const char *)data,
	    .len = size,
	    .plain = size == 0 || memchr(data, '\\', size) == NULL,
	};
	size_t errors, left_out_errors;
	struct registry *whole = build(in.text, in.len, false, NULL, &errors);
	struct registry *some = build(in.text, in.len, true, NULL, &left_out_errors);
	struct registry *later;

	assert((whole != NULL) == (errors == 0));
	find_names(&in);
	if (whole != NULL) {
		assert(some != NULL);
		check_same(whole, some);
		check_registry(&in, whole);
	}
	if (some != NULL) {
		check_registry(&in, some);
		later = build(in.text, in.len / 2, true, some, &errors);
		if (later != NULL)
			check_registry(&in, later);
		registry_unref(later);
	}
	registry_unref(some);
	registry_unref(whole);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/sample.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"

#define TURN 10       /* entries after which the kinds come again */
#define VENDORS 1000  /* domains that the hosts lie in */
#define ASKER_SPACE 0 /* the namespace of the pod that asks */

/* What an entry is, by its number within the turn. */
enum turn {
	TURN_RENAMED = 3, /* by another generation */
	TURN_TWO_HOSTS = 5,
	TURN_WILDCARD = 6,
	TURN_PRIVATE = 7,
	TURN_SHARED = 8,
	TURN_ADDRESSES = 9,
};

struct text {
	char *bytes;
	size_t len, size;
};

static void add(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->bytes + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->len)
		abort(); /* a buffer of the benchmark's own is too small */
	t->len += (size_t)n;
}

static void
add_metadata(struct text *t, const char *name, size_t i, size_t space)
{
	add(t,
	    "metadata:\n"
	    "  annotations:\n"
	    "    meta.helm.sh/release-name: %s\n"
	    "  creationTimestamp: \"2025-%02zu-%02zuT%02zu:17:04Z\"\n"
	    "  generation: 3\n"
	    "  labels:\n"
	    "    app.kubernetes.io/managed-by: Helm\n"
	    "    team: team-%zu\n"
	    "  name: %s-%zu\n"
	    "  namespace: space-%zu\n"
	    "  resourceVersion: \"%zu\"\n"
	    "  uid: 6f1c2e52-8c1b-4e1e-9b2e-%012zx\n",
	    name, 1 + i % 12, 1 + i % 28, i % 24, i % 40, name, i, space, 1000 + i, i);
}

static void
add_hosts(struct text *t, size_t i, unsigned generation)
{
	size_t vendor = i % VENDORS;

	add(t, "  hosts:\n");
	if (i % TURN == TURN_WILDCARD)
		add(t, "  - '*.zone%zu.vendor%zu.example.com'\n", i, vendor);
	else if (i % TURN == TURN_RENAMED && generation != 0)
		add(t, "  - api%zu-v%u.vendor%zu.example.com\n", i, generation, vendor);
	else
		add(t, "  - api%zu.vendor%zu.example.com\n", i, vendor);
	if (i % TURN == TURN_TWO_HOSTS)
		add(t, "  - www%zu.vendor%zu.example.com\n", i, vendor);
}

static void
add_ports(struct text *t, size_t i, unsigned generation)
{
	if (i % TURN == TURN_ADDRESSES) {
		add(t, "  ports:\n"
		       "  - name: tcp-postgres\n"
		       "    number: 5432\n"
		       "    protocol: TCP\n");
		return;
	}
	add(t, "  ports:\n"
	       "  - name: https\n"
	       "    number: 443\n"
	       "    protocol: HTTPS\n");
	if (i % TURN == TURN_TWO_HOSTS)
		add(t,
		    "  - name: http\n"
		    "    number: %u\n"
		    "    protocol: HTTP\n",
		    generation == 0 ? 80 : 8000 + generation);
}

static void
add_addresses(struct text *t, size_t i)
{
	size_t n = i / TURN;

	if (i % TURN != TURN_ADDRESSES) {
		add(t, "  resolution: %s\n", i % TURN == TURN_WILDCARD ? "NONE" : "DNS");
		return;
	}
	add(t,
	    "  addresses:\n"
	    "  - 8.%zu.%zu.%zu\n",
	    n >> 16 & 255, n >> 8 & 255, n & 255);
	if (n % 2 == 0)
		add(t, "  resolution: NONE\n");
	else
		add(t,
		    "  endpoints:\n"
		    "  - address: 8.%zu.%zu.%zu\n"
		    "  resolution: STATIC\n",
		    n >> 16 & 255, n >> 8 & 255, n & 255);
}

static void
add_export(struct text *t, size_t i)
{
	if (i % TURN == TURN_PRIVATE)
		add(t, "  exportTo:\n"
		       "  - .\n");
	if (i % TURN == TURN_SHARED)
		add(t,
		    "  exportTo:\n"
		    "  - space-%zu\n"
		    "  - space-%zu\n",
		    (i + 1) % SAMPLE_NAMESPACES, (i + 2) % SAMPLE_NAMESPACES);
}

size_t
sample_entry(char text[SAMPLE_TEXT_MAX], size_t i, unsigned generation)
{
	struct text t = {.bytes = text, .size = SAMPLE_TEXT_MAX};

	add(&t, "apiVersion: networking.istio.io/v1\n"
		"kind: ServiceEntry\n");
	add_metadata(&t, "external", i, i % SAMPLE_NAMESPACES);
	add(&t, "spec:\n");
	add_export(&t, i);
	add_hosts(&t, i, generation);
	add(&t, "  location: MESH_EXTERNAL\n");
	add_ports(&t, i, generation);
	add_addresses(&t, i);
	return t.len;
}

static struct addr
pod_addr(size_t i)
{
	uint8_t bytes[4] = {10, 244, 0, (uint8_t)(i + 1)};

	return addr_make(AF_INET, bytes);
}

size_t
sample_pods(char text[SAMPLE_PODS_TEXT_MAX])
{
	struct text t = {.bytes = text, .size = SAMPLE_PODS_TEXT_MAX};

	for (size_t i = 0; i < SAMPLE_PODS; i++) {
		char ip[ADDR_TEXT_MAX];
		struct addr a = pod_addr(i);

		add(&t, "---\n"
			"apiVersion: v1\n"
			"kind: Pod\n");
		add_metadata(&t, "web", i, (ASKER_SPACE + i) % TURN);
		add(&t,
		    "spec:\n"
		    "  nodeName: node\n"
		    "status:\n"
		    "  phase: Running\n"
		    "  podIPs:\n"
		    "  - ip: %s\n",
		    addr_format(&a, ip));
	}
	return t.len;
}

size_t
sample_mesh(char text[SAMPLE_TEXT_MAX])
{
	struct text t = {.bytes = text, .size = SAMPLE_TEXT_MAX};

	add(&t, "apiVersion: install.istio.io/v1alpha1\n"
		"kind: IstioOperator\n"
		"metadata:\n"
		"  name: mesh\n"
		"spec:\n"
		"  meshConfig:\n"
		"    outboundTrafficPolicy:\n"
		"      mode: REGISTRY_ONLY\n");
	return t.len;
}

size_t
sample_name(char text[SAMPLE_TEXT_MAX], enum sample_kind kind, size_t i)
{
	struct text t = {.bytes = text, .size = SAMPLE_TEXT_MAX};
	size_t vendor = i % VENDORS;
	size_t turn = i % TURN;

	switch (kind) {
	case SAMPLE_EXACT:
		if (turn < TURN_WILDCARD)
			add(&t, "api%zu.vendor%zu.example.com", i, vendor);
		break;
	case SAMPLE_WILDCARD:
		if (turn == TURN_WILDCARD)
			add(&t, "host.zone%zu.vendor%zu.example.com", i, vendor);
		break;
	case SAMPLE_UNKNOWN:
		add(&t, "other%zu.vendor%zu.example.com", i, vendor);
		break;
	case SAMPLE_HIDDEN:
		if (turn == TURN_PRIVATE)
			add(&t, "api%zu.vendor%zu.example.com", i, vendor);
		break;
	case SAMPLE_PARENT:
		if (turn < TURN_WILDCARD)
			add(&t, "vendor%zu.example.com", vendor);
		break;
	case SAMPLE_KINDS:
		break;
	}
	return t.len;
}

struct addr
sample_asker(void)
{
	return pod_addr(ASKER_SPACE);
}

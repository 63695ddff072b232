/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and messages to the enforcer in few words.
 *
 * Text that cannot be parsed ends the test.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "daemon/enforcer/enforcer.h"
#include "tests/unit/unit.h"

static inline struct addr
sample_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static inline struct prefix
sample_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static inline struct endpoint
sample_endpoint(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, strlen(text), 53, &e), 0);
	return e;
}

static inline struct enforcer_lease
sample_lease(const char *pod, const char *destination, uint32_t timeout_ms)
{
	return (struct enforcer_lease){
	    .pod = sample_addr(pod),
	    .destination = sample_addr(destination),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	    .timeout_ms = timeout_ms,
	};
}

static inline struct enforcer_fixed
sample_fixed(const char *pods, const char *destination)
{
	return (struct enforcer_fixed){
	    .pods = sample_prefix(pods),
	    .destination = sample_prefix(destination),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

/* destination NULL: whatever they reach. */
static inline struct enforcer_cut
sample_cut(const char *pods, const char *destination)
{
	struct enforcer_cut c;

	memset(&c, 0, sizeof(c));
	c.pods = sample_prefix(pods);
	if (destination != NULL) {
		c.destination = sample_addr(destination);
		c.proto = IPPROTO_TCP;
		c.port = 443;
	}
	return c;
}

static inline struct enforcer_table
sample_table(void)
{
	return (struct enforcer_table){
	    .enforce = 1,
	    .intercept = 1,
	    .adopt = 1,
	    .own = 1,
	    .set_size = 1000,
	    .timeout_max_ms = 3600 * 1000,
	    .query_rate = 100,
	    .query_burst = 80,
	    .log_group = 5,
	};
}

/* A message whose body is set by the caller. */
static inline struct enforcer_message
sample_message(enum enforcer_kind kind, uint32_t id, uint16_t count)
{
	struct enforcer_message m;

	memset(&m, 0, sizeof(m));
	m.kind = (uint16_t)kind;
	m.id = id;
	m.count = count;
	return m;
}

static inline struct enforcer_message
sample_leases(
    uint32_t id, const char *name, const struct enforcer_lease *leases, size_t count)
{
	struct enforcer_message m = sample_message(ENFORCER_LEASES, id, (uint16_t)count);

	assert_true(count <= ENFORCER_LEASES_MAX);
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	memcpy(m.body.leases, leases, count * sizeof(*leases));
	return m;
}

/* The messages of a table transaction, from TABLE to END, given to a function one by one:
 * pods 10.244.0.0/16 and fd00:244::/64 on veth*, and a listener of each family. */
static inline void
sample_begin(uint32_t id, const struct enforcer_table *table,
    void (*give)(const struct enforcer_message *m))
{
	struct enforcer_message m = sample_message(ENFORCER_TABLE, id, 1);

	m.body.table = *table;
	give(&m);
	m = sample_message(ENFORCER_INTERFACES, id, 1);
	(void)snprintf(m.body.interfaces[0].pattern, IFNAMSIZ, "veth*");
	give(&m);
	m = sample_message(ENFORCER_PODS, id, 2);
	m.body.ranges[0] = sample_prefix("10.244.0.0/16");
	m.body.ranges[1] = sample_prefix("fd00:244::/64");
	give(&m);
	m = sample_message(ENFORCER_LISTEN, id, 2);
	m.body.listen[0] = sample_endpoint("169.254.20.10:53");
	m.body.listen[1] = sample_endpoint("[fd00:53::10]:53");
	give(&m);
}

#endif

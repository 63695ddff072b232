/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows in the kernel's conntrack, for tests in a network namespace of their own: pods
 * and what they reach are addresses of its loopback interface.
 */
#ifndef TESTS_UNIT_FLOWS_BED_H
#define TESTS_UNIT_FLOWS_BED_H

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/enforcer/conntrack.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

static inline void
flows_begin(void)
{
	assert_int_equal(
	    scene_run("ip link set lo up && for a in 10.244.0.5/32 10.244.0.6/32 "
		      "192.0.2.1/32 192.0.2.2/32 fd00:244::5/128 2001:db8::1/128; do "
		      "ip addr add $a dev lo nodad || exit 1; done"),
	    0);
}

/* One datagram, whatever becomes of it: conntrack knows it as a flow from then on. */
static inline void
flows_send(const char *source, const char *destination, uint16_t port)
{
	struct endpoint from = {.addr = sample_addr(source)};
	struct endpoint to = {.addr = sample_addr(destination), .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&from, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&ss, len), 1);
	(void)close(fd); /* what was sent is sent */
}

struct flows_count {
	const char *source, *destination;
	size_t count;
};

static inline void
flows_on_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct flows_count *c = ctx;
	const struct addr source = sample_addr(c->source);
	const struct addr destination = sample_addr(c->destination);

	c->count += flow->proto == IPPROTO_UDP && addr_equal(&flow->source, &source) &&
		    addr_equal(&flow->destination, &destination);
}

/* How many flows of UDP lead from there to there. */
static inline size_t
flows_from_to(const char *source, const char *destination)
{
	struct flows_count c = {source, destination, 0};
	struct conntrack conntrack;
	int r = 0;

	assert_int_equal(conntrack_open(&conntrack), 0);
	assert_int_equal(conntrack_ask(&conntrack, sample_addr(source).family), 0);
	while (r == 0)
		r = conntrack_read(&conntrack, flows_on_flow, &c);
	assert_int_equal(r, 1);
	conntrack_close(&conntrack);
	return c.count;
}

#endif

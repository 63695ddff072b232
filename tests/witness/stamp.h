/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times of a netlink socket's messages, which the kernel does not give by itself: a
 * BPF program as the socket's filter, which runs while the message is put into the queue,
 * writes the clock into a ring and lets everything pass.
 *
 * The messages of nf_tables are sent one after another under its commit lock, so the n-th
 * time is the n-th message's. Takes CAP_BPF or root, and Linux 6.1.
 */
#ifndef TESTS_WITNESS_STAMP_H
#define TESTS_WITNESS_STAMP_H

#include <stdint.h>

#include "base/macros.h"

#define STAMP_RING (1u << 20) /* messages that may wait to be read */

struct stamp {
	int map_fd, program_fd;
	const volatile uint64_t *ring; /* [0]: how many so far */
	uint64_t next;
	int64_t tai_ns; /* CLOCK_TAI is so far ahead of CLOCK_REALTIME */
};

/* Before the socket joins a group. A negative errno. */
MUST_CHECK int stamp_attach(struct stamp *s, int netlink_fd);
void stamp_done(struct stamp *s);
/* Of the next message that was read. -EPIPE: there is no telling. */
MUST_CHECK int stamp_next(struct stamp *s, uint64_t *ret_ns);

#endif

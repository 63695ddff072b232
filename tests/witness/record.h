/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing that the witness saw.
 *
 * All times are CLOCK_REALTIME of one machine, read by the kernel: of a packet that
 * comes in from a pod, before any rule was asked; of one that goes out, when it was
 * given to the interface, after the last rule; of a message of nf_tables, while the
 * commit that it tells was finished, after the change had taken effect and before
 * whoever asked for it was told.
 *
 * data is the record's own, allocated, or NULL: record_free.
 */
#ifndef TESTS_WITNESS_RECORD_H
#define TESTS_WITNESS_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/addr.h"

enum record_kind {
	RECORD_NFT,      /* messages of NFNLGRP_NFTABLES in data */
	RECORD_FROM_POD, /* an IP packet; place: the pod */
	RECORD_ANSWER,   /* to a pod, from port 53: its payload in data */
	RECORD_LEAVES,   /* an IP packet by the uplink; place: 0 */
};

struct record {
	uint64_t at_ns;
	uint64_t number; /* in the order of capture, which counts at equal times */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto, flags; /* flags: TCP's */
	uint8_t kind, place;  /* place: of the command line; 0 is the uplink */
	uint32_t len;         /* of data */
	uint8_t *data;
};

static inline void
record_free(struct record *r)
{
	free(r->data);
	r->data = NULL;
}

#endif

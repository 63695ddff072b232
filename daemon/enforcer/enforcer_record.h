/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the messages to and from the enforcer (daemon/enforcer/enforcer.h) are made of.
 *
 * Plain values in host order. They cross a process boundary as bytes, so no byte of them
 * is left to chance; what they may hold is judged by daemon/enforcer/bounds.h.
 */
#ifndef DAEMON_ENFORCER_ENFORCER_RECORD_H
#define DAEMON_ENFORCER_ENFORCER_RECORD_H

#include <stdint.h>

#include "base/addr.h"

/* "This pod may reach this address on this protocol and port": one element of leases4 or
 * leases6. */
struct enforcer_lease {
	struct addr pod;
	struct addr destination; /* of the pod's family */
	uint16_t port;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	/* 1: the kernel may hold it already: add, delete, add in one batch. */
	uint8_t renew;
	uint16_t to; /* the port that it leads to; 0: itself. Not told by a dump */
	/* from the commit on; in a dump: what is left; 0: it never ends */
	uint32_t timeout_ms;
};

struct enforcer_fixed {
	struct prefix pods; /* of the destination's family; length 0: every pod */
	struct prefix destination;
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
	uint32_t service; /* where it leads; 0: to itself */
};

/* One of the ways that a service leads: of new flows so many among the weights of all
 * that are of the flow's family. */
struct enforcer_way {
	uint32_t service; /* from 1 on */
	uint32_t weight;  /* at least 1 */
	struct addr addr; /* family 0: the address stays what it is */
	uint8_t proto;    /* of the service: IPPROTO_TCP or IPPROTO_UDP */
	uint16_t port;
};

/* Established flows that are to end, as far as the table does not let them begin now.
 * Compared as bytes: padding is zero. */
struct enforcer_cut {
	struct prefix pods;      /* a single address when there is a destination */
	struct addr destination; /* of the pods' family; family 0: whatever they reach */
	uint8_t proto;           /* IPPROTO_TCP or IPPROTO_UDP; 0 without a destination */
	uint16_t port;           /* 0 without a destination */
};

/* A lease about which it is asked whether flows of it live. Compared as bytes. */
struct enforcer_live {
	struct addr pod;
	struct addr destination; /* of the pod's family */
	uint16_t port;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t zero;
};

/* What a refused packet was. Compared as bytes: padding is zero. */
struct enforcer_refused {
	struct addr source;
	struct addr destination; /* of the source's family */
	uint16_t port;           /* 0: it has none, or it is not known */
	uint8_t proto;
};

struct enforcer_table {
	uint8_t enforce;   /* 0: ALLOW_ANY, nothing is refused */
	uint8_t intercept; /* port 53 of pods goes to the first LISTEN of its family */
	uint8_t drop;      /* 0: refuse with reject, 1: with drop */
	uint8_t adopt;     /* 1: keep a table that is there; 0: make it anew */
	/* 1: nobody else may change the table, where the kernel can do that (Linux 6.9);
	 * 0, or an older kernel: watch for changes and say LOST. */
	uint8_t own;
	uint8_t zero[3];   /* no byte that goes over the pair is left to chance */
	uint32_t set_size; /* elements, of leases4 and of leases6; fixed when made */
	uint32_t timeout_max_ms; /* the longest lease accepted from now on */
	uint32_t query_rate;     /* UDP queries of one pod in a second; 0: no limit */
	uint32_t query_burst;    /* and at once; at most query_rate */
	uint16_t log_group;      /* NFLOG group of refused packets */
	uint16_t zero_too;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol words of a port (istio/istio pkg/config/protocol/instance.go).
 */
#ifndef POLICY_OBJECT_PROTOCOL_H
#define POLICY_OBJECT_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word is in at most the classes that Istio gives it; UDP is in none. */
struct protocol {
	const char *word; /* lower case; "": not stated */
	uint8_t proto;    /* IPPROTO_TCP or IPPROTO_UDP */
	bool http;        /* HTTP class */
	bool tls;         /* TLS class */
	bool tcp;         /* TCP class, of which the TLS class is a part */
	bool dynamic_dns; /* may stand in an entry of resolution DYNAMIC_DNS */
};

/* In any case of letters; NULL for an unknown word. */
const struct protocol *protocol_find(const char *text);

#endif

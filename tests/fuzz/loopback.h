/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's way of a query in one process: its real parsing, registry, cache, resolver
 * and answers, with a server upstream that says what the test wants, on the loopback
 * interface. No kernel table: what is listed here opens no ports.
 *
 * The caller owns the struct. Without what it needs the program ends: it is a test.
 */
#ifndef TESTS_FUZZ_LOOPBACK_H
#define TESTS_FUZZ_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/lease/pod.h"
#include "daemon/lease/recent.h"
#include "daemon/log/report.h"
#include "daemon/query/queries.h"
#include "daemon/query/rate.h"
#include "daemon/query/wildcard.h"
#include "policy/finding.h"
#include "resolver/wire.h"

#define LOOPBACK_REPLIES_MAX 2 /* to one question */

struct event;
struct event_base;

struct loopback {
	struct event_base *base;
	struct config *config;
	struct findings findings;
	struct registry *registry;
	struct pods pods;
	struct report report;
	struct recent *recent;
	struct rate *rate;
	struct wildcard *wildcard;
	struct resolver *resolver;
	struct queries queries;
	int server;
	struct event *readable;
	/* What the server says to this question: message i, its length in out, 0 for
	 * none. Called for each i up to LOOPBACK_REPLIES_MAX. */
	size_t (*reply)(void *ctx, int i, const uint8_t *question, size_t len,
	    uint8_t out[WIRE_MESSAGE_MAX]);
	void *ctx;
	uint64_t asked; /* questions to the server */
	/* of the query under way */
	bool ended;
	uint8_t out[QUERY_REPLY_MAX];
	size_t out_len;
};

/* The manifest lists the names that may be asked. */
void loopback_init(struct loopback *n, const char *manifest);
void loopback_done(struct loopback *n);
/* One query to its end; the reply is in out, out_len 0: there is none. */
void loopback_query(struct loopback *n, const uint8_t *msg, size_t len, bool stream);

#endif

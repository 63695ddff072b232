/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DNS server on 127.0.0.1 that does what a test tells it, on the test's own event loop:
 * UDP and TCP on one port.
 *
 * on_query is called for each query and may reply at once, later with a copy of the
 * query, several times or never. Failures of the fake itself are cmocka's.
 */
#ifndef TESTS_UNIT_FAKE_SERVER_H
#define TESTS_UNIT_FAKE_SERVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "tests/unit/fake_clock.h"

#define FAKE_QUERIES_MAX 4096 /* remembered */
#define FAKE_MESSAGE_MAX 65535
#define FAKE_CONNECTIONS_MAX 64

/* A test need not use all of the bed that it shares with another one. */
#define BED_FUNCTION static __attribute__((unused))

struct event;
struct event_base;
struct fake_server;

struct fake_query {
	struct fake_server *server;
	bool tcp;
	bool bare; /* without an OPT */
	int fd;
	struct sockaddr_in peer;
	uint16_t id;
	uint16_t port; /* of the client */
	size_t question_len;
	size_t len;
	uint8_t bytes[512];
};

struct fake_connection {
	struct fake_server *server;
	struct event *event;
	int fd;
};

struct fake_server {
	struct endpoint endpoint;
	void (*on_query)(struct fake_server *f, const struct fake_query *q);
	struct event_base *base;
	int udp, tcp; /* tcp is -1 after fake_server_no_tcp */
	struct event *udp_event, *tcp_event;
	struct fake_connection connections[FAKE_CONNECTIONS_MAX];
	size_t connection_count;
	size_t udp_count, tcp_count;
	struct fake_query last;
	uint16_t ids[FAKE_QUERIES_MAX], ports[FAKE_QUERIES_MAX]; /* over UDP */
};

void fake_server_start(struct fake_server *f, struct event_base *base,
    void (*on_query)(struct fake_server *f, const struct fake_query *q));
void fake_server_stop(struct fake_server *f);
/* Refuse TCP from now on. */
void fake_server_no_tcp(struct fake_server *f);

/* The reply's header and question in out: QR and RA set, with these flags, no records. */
size_t fake_reply_head(const struct fake_query *q, uint16_t flags, uint8_t *out);
/* Behind it count A records of TTL ttl_s, 192.0.2.1 and on, owned by the question's
 * name. Returns the new length. */
size_t fake_reply_add(uint8_t *out, size_t len, size_t count, uint32_t ttl_s);
void fake_server_send(const struct fake_query *q, const uint8_t *msg, size_t len);

/* Whole replies. */
void fake_server_reply(const struct fake_query *q, size_t count, uint32_t ttl_s);
void fake_server_fail(const struct fake_query *q, uint16_t flags);

/* For on_query: nothing; one address for 60 s; SERVFAIL. */
void fake_server_silent(struct fake_server *f, const struct fake_query *q);
void fake_server_answers(struct fake_server *f, const struct fake_query *q);
void fake_server_fails(struct fake_server *f, const struct fake_query *q);

/* Run base until *done or for ms of the fake clock; true when *done. */
bool fake_loop_until(struct event_base *base, const bool *done, int64_t ms);
/* The same bytes in every run. */
int fake_random_bytes(void *out, size_t len);
/* Let this process have count files open, or skip the test. */
void fake_allow_files(size_t count);

#endif

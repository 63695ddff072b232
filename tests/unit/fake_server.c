/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "tests/unit/fake_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "resolver/wire.h"

#define OPT_LEN 11
#define RECORD_LEN 16 /* pointer, type, class, TTL, length, address */

static void
note_query(struct fake_query *q)
{
	struct fake_server *f = q->server;

	size_t opt_len = q->bytes[11] != 0 ? OPT_LEN : 0;

	assert_true(q->len > WIRE_HEADER_LEN + opt_len);
	q->id = (uint16_t)(q->bytes[0] << 8 | q->bytes[1]);
	q->port = ntohs(q->peer.sin_port);
	q->question_len = q->len - WIRE_HEADER_LEN - opt_len;
	q->bare = opt_len == 0;
	if (q->tcp) {
		f->tcp_count++;
	} else {
		f->ids[f->udp_count % FAKE_QUERIES_MAX] = q->id;
		f->ports[f->udp_count % FAKE_QUERIES_MAX] = q->port;
		f->udp_count++;
	}
	f->last = *q;
	f->on_query(f, q);
}

static void
on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct fake_query q = {.server = arg, .fd = fd};
	socklen_t peer_len = sizeof(q.peer);
	ssize_t n;

	(void)what;
	n = recvfrom(
	    fd, q.bytes, sizeof(q.bytes), 0, (struct sockaddr *)&q.peer, &peer_len);
	if (n < 0)
		return; /* an ICMP error: the client has closed its port */
	q.len = (size_t)n;
	note_query(&q);
}

static void
close_connection(struct fake_connection *c)
{
	if (c->event == NULL)
		return;
	event_free(c->event);
	c->event = NULL;
	(void)close(c->fd); /* the client sees it, nobody else */
}

/* A client writes length and query in one piece. */
static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct fake_connection *c = arg;
	struct fake_query q = {.server = c->server, .tcp = true, .fd = fd};
	uint8_t bytes[2 + sizeof(q.bytes)];
	ssize_t n;

	(void)what;
	n = recv(fd, bytes, sizeof(bytes), 0);
	if (n <= 0) {
		close_connection(c);
		return;
	}
	assert_true(n > 2 && n - 2 == (bytes[0] << 8 | bytes[1]));
	q.len = (size_t)n - 2;
	memcpy(q.bytes, bytes + 2, q.len);
	note_query(&q);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct fake_server *f = arg;
	struct fake_connection *c = &f->connections[f->connection_count];
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (client < 0)
		return; /* it has given up already */
	assert_true(f->connection_count < FAKE_CONNECTIONS_MAX);
	f->connection_count++;
	c->server = f;
	c->fd = client;
	c->event = event_new(f->base, client, EV_READ | EV_PERSIST, on_connection, c);
	assert_int_equal(event_add(c->event, NULL), 0);
}

static int
bound_socket(int type, struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)sa, len) < 0) {
		(void)close(
		    fd); /* the port is taken for this type: the caller tries another */
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)sa, &len), 0);
	return fd;
}

void
fake_server_start(struct fake_server *f, struct event_base *base,
    void (*on_query)(struct fake_server *f, const struct fake_query *q))
{
	struct sockaddr_in sa;

	memset(f, 0, sizeof(*f));
	for (f->tcp = -1; f->tcp < 0;) {
		sa = (struct sockaddr_in){
		    .sin_family = AF_INET,
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		f->udp = bound_socket(SOCK_DGRAM, &sa);
		f->tcp = bound_socket(SOCK_STREAM, &sa);
		if (f->tcp < 0)
			(void)close(f->udp); /* nobody knows it yet */
	}
	assert_int_equal(listen(f->tcp, FAKE_CONNECTIONS_MAX), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&sa, &f->endpoint), 0);
	f->base = base;
	f->on_query = on_query;
	f->udp_event = event_new(base, f->udp, EV_READ | EV_PERSIST, on_udp, f);
	f->tcp_event = event_new(base, f->tcp, EV_READ | EV_PERSIST, on_accept, f);
	assert_int_equal(event_add(f->udp_event, NULL), 0);
	assert_int_equal(event_add(f->tcp_event, NULL), 0);
}

void
fake_server_no_tcp(struct fake_server *f)
{
	if (f->tcp < 0)
		return;
	event_free(f->tcp_event);
	(void)close(f->tcp); /* clients are refused from now on */
	f->tcp = -1;
}

void
fake_server_stop(struct fake_server *f)
{
	fake_server_no_tcp(f);
	for (size_t i = 0; i < f->connection_count; i++)
		close_connection(&f->connections[i]);
	event_free(f->udp_event);
	(void)close(f->udp); /* the test is over */
}

size_t
fake_reply_head(const struct fake_query *q, uint16_t flags, uint8_t *out)
{
	size_t len = WIRE_HEADER_LEN + q->question_len;

	memcpy(out, q->bytes, len);
	wire_put_u16(out + 2, (uint16_t)(WIRE_QR | WIRE_RD | WIRE_RA | flags));
	wire_put_u16(out + 10, 0);
	return len;
}

size_t
fake_reply_add(uint8_t *out, size_t len, size_t count, uint32_t ttl_s)
{
	wire_put_u16(out + 6, (uint16_t)count);
	for (size_t i = 0; i < count; i++, len += RECORD_LEN) {
		wire_put_u16(out + len, 0xc000 | WIRE_HEADER_LEN);
		wire_put_u16(out + len + 2, TYPE_A);
		wire_put_u16(out + len + 4, CLASS_IN);
		wire_put_u32(out + len + 6, ttl_s);
		wire_put_u16(out + len + 10, 4);
		wire_put_u32(out + len + 12, 0xc0000201 + (uint32_t)i);
	}
	return len;
}

void
fake_server_send(const struct fake_query *q, const uint8_t *msg, size_t len)
{
	uint8_t prefix[2];
	struct iovec parts[] = {
	    {prefix, sizeof(prefix)}, {(uint8_t *)(uintptr_t)msg, len}};
	const struct msghdr frame = {.msg_iov = parts, .msg_iovlen = ARRAY_LEN(parts)};

	if (!q->tcp) {
		/* Refused when the client has closed its port: a test may want it. */
		(void)sendto(q->fd, msg, len, 0, (const struct sockaddr *)&q->peer,
		    sizeof(q->peer));
		return;
	}
	wire_put_u16(prefix, (uint16_t)len);
	assert_int_equal(sendmsg(q->fd, &frame, MSG_NOSIGNAL), sizeof(prefix) + len);
}

void
fake_server_reply(const struct fake_query *q, size_t count, uint32_t ttl_s)
{
	static uint8_t msg[FAKE_MESSAGE_MAX];
	size_t len = fake_reply_head(q, 0, msg);

	assert_true(len + count * RECORD_LEN <= sizeof(msg));
	fake_server_send(q, msg, fake_reply_add(msg, len, count, ttl_s));
}

void
fake_server_fail(const struct fake_query *q, uint16_t flags)
{
	uint8_t msg[sizeof(q->bytes)];

	fake_server_send(q, msg, fake_reply_head(q, flags, msg));
}

void
fake_server_silent(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	(void)q;
}

void
fake_server_answers(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_reply(q, 1, 60);
}

void
fake_server_fails(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_fail(q, RCODE_SERVFAIL);
}

int
fake_random_bytes(void *out, size_t len)
{
	static uint32_t dice = 1;
	uint8_t *bytes = out;

	for (size_t i = 0; i < len; i++) {
		dice = dice * 1664525 + 1013904223; /* Numerical Recipes, section 7.1 */
		bytes[i] = (uint8_t)(dice >> 24);
	}
	return 0;
}

void
fake_allow_files(size_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur >= count)
		return;
	limit.rlim_cur = MIN_OF(count, limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < count)
		skip();
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	bool *over = arg;

	(void)fd;
	(void)what;
	*over = true;
}

bool
fake_loop_until(struct event_base *base, const bool *done, int64_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct event *end;
	bool over = false;

	end = evtimer_new(base, on_end, &over);
	assert_int_equal(evtimer_add(end, &tv), 0);
	while (!*done && !over)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	event_free(end);
	return *done;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How c-ares 1.18.1 is held:
 *
 * - ARES_OPT_TRIES 1 and a single server: it never sends anything twice by itself.
 * - Every option that it would otherwise look for in files is set; no ARES_FLAG_EDNS,
 *   which cuts bytes off our packet, no ARES_FLAG_STAYOPEN, which keeps one port.
 * - It is woken over UDP only for the reply, and shown no more of it than header and
 *   question, by which it looks up its query: it would cut what is above 512 bytes.
 * - Over TCP it passes by a reply with another id or question and waits on, so whether
 *   it has read a whole reply is noted beside it.
 * - It closes its socket behind the callback of its last query, so nothing may be sent,
 *   cancelled or destroyed in that callback: on_end takes notes, and the step that called
 *   c-ares reads them afterwards.
 */
#include "resolver/carrier.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ares.h>
#include <event2/event.h>

#include "resolver/packet.h"
#include "resolver/wire.h"

/* Beyond every deadline: c-ares must not end a question by itself. */
#define NEVER_MS 3600000

static int
end_error(const struct carrier *c, int status)
{
	if (status == ARES_ENOMEM)
		return -ENOMEM;
	return c->error != 0 ? c->error : -ECONNRESET;
}

static void
on_end(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
	struct carrier *c = arg;

	(void)timeouts;
	c->ended = true;
	if (status != ARES_SUCCESS) {
		c->error = end_error(c, status);
		return;
	}
	if (c->settings.transport == CARRIER_UDP)
		return;
	c->msg = malloc((size_t)len);
	if (c->msg == NULL) {
		c->error = -ENOMEM;
		return;
	}
	memcpy(c->msg, msg, (size_t)len);
	c->msg_len = (size_t)len;
}

/* RFC 1035 section 4.2.2: a length of two bytes, and as many bytes. */
#define FRAME_HEAD_LEN 2

static void
note_received(struct carrier *c, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n && c->received + i < FRAME_HEAD_LEN; i++)
		c->frame_len = c->frame_len << 8 | in[i];
	c->received += n;
}

static bool
frame_is_whole(const struct carrier *c)
{
	return c->received >= FRAME_HEAD_LEN &&
	       c->received - FRAME_HEAD_LEN >= c->frame_len;
}

static void
on_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct carrier *c = arg;
	uint8_t *msg;

	ares_process_fd(c->ares, what & EV_READ ? fd : ARES_SOCKET_BAD,
	    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	if (!c->ended && frame_is_whole(c)) {
		c->error = -EPROTO;
		carrier_stop(c);
	}
	if (!c->ended)
		return;
	msg = c->msg;
	c->msg = NULL;
	c->settings.ended(c->settings.arg, msg != NULL ? 0 : c->error, msg,
	    msg != NULL ? c->msg_len : 0);
	free(msg);
}

static ares_socket_t
open_tcp(struct carrier *c, int family)
{
	c->tcp_fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->tcp_fd < 0)
		c->error = -errno;
	return c->tcp_fd;
}

static ares_socket_t
on_socket(int family, int type, int protocol, void *arg)
{
	struct carrier *c = arg;
	int r;

	(void)protocol;
	if (type == SOCK_STREAM)
		return open_tcp(c, family);
	r = socket_pool_take(c->shelf, c->settings.now_ms(), c->settings.readable,
	    c->settings.arg, &c->socket);
	if (r < 0) {
		c->error = r;
		return ARES_SOCKET_BAD;
	}
	return c->socket->fd;
}

static int
on_connect(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len, void *arg)
{
	struct carrier *c = arg;
	int r;

	if (c->settings.transport == CARRIER_UDP)
		return 0; /* it came connected */
	r = connect(fd, sa, len);
	if (r < 0 && errno != EINPROGRESS)
		c->error = -errno;
	return r;
}

static int
on_close(ares_socket_t fd, void *arg)
{
	struct carrier *c = arg;
	struct pool_socket *s = c->socket;

	if (fd == c->tcp_fd) {
		(void)event_del(&c->tcp_event); /* it is assigned, if not pending */
		c->tcp_fd = -1;
		return close(fd);
	}
	assert(s != NULL && s->fd == fd);
	c->socket = NULL;
	if (c->replied)
		socket_pool_give(s, c->settings.now_ms());
	else
		socket_pool_drop(s);
	return 0;
}

static ares_ssize_t
receive_ready(struct carrier *c, void *out, size_t size, struct sockaddr *from,
    ares_socklen_t *from_len)
{
	struct sockaddr_storage ss;

	if (c->ready == NULL || c->ready_len > size) {
		errno = EWOULDBLOCK;
		return -1;
	}
	memcpy(out, c->ready, c->ready_len);
	c->ready = NULL;
	*from_len = MIN_OF(*from_len, endpoint_to_sockaddr(&c->told, &ss));
	memcpy(
	    from, &ss, *from_len); /* the socket is connected: it is from nowhere else */
	return (ares_ssize_t)c->ready_len;
}

static ares_ssize_t
on_receive(ares_socket_t fd, void *out, size_t size, int flags, struct sockaddr *from,
    ares_socklen_t *from_len, void *arg)
{
	struct carrier *c = arg;
	ssize_t n;

	if (c->settings.transport == CARRIER_UDP)
		return receive_ready(c, out, size, from, from_len);
	n = recv(fd, out, size, flags);
	if (n >= 0)
		note_received(c, out, (size_t)n);
	else if (errno != EAGAIN)
		c->error = -errno;
	return n;
}

/* An ICMP error that waits on a UDP socket is that of an older packet: the first call
 * fetches it and the second one sends. */
static ares_ssize_t
on_send(ares_socket_t fd, const struct iovec *iov, int count, void *arg)
{
	struct carrier *c = arg;
	const bool udp = c->settings.transport == CARRIER_UDP;
	ssize_t n;

	if (udp) {
		assert(count == 1);
		n = send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
		if (n < 0 && errno == ECONNREFUSED)
			n = send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
	} else {
		struct msghdr msg = {.msg_iovlen = (size_t)count};

		memcpy(&msg.msg_iov, &iov, sizeof(iov)); /* the kernel only reads it */
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	}
	if (n < 0 && (udp || errno != EAGAIN))
		c->error = -errno;
	return n;
}

static void
on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct carrier *c = arg;
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	if (c->settings.transport == CARRIER_UDP)
		return;                 /* its socket is in the loop already */
	(void)event_del(&c->tcp_event); /* it is assigned, if not pending */
	if (what == 0)
		return;
	(void)event_assign(&c->tcp_event, c->settings.base, fd,
	    (short)(what | EV_PERSIST), on_tcp, c); /* it is not pending */
	(void)event_add(&c->tcp_event, NULL); /* without it the owner's time runs out */
}

static const struct ares_socket_functions socket_functions = {
    .asocket = on_socket,
    .aclose = on_close,
    .aconnect = on_connect,
    .arecvfrom = on_receive,
    .asendv = on_send,
};

int
carrier_init(struct carrier *c, const struct carrier_settings *settings)
{
	char lookups[] = "b"; /* no hosts file */
	struct ares_options options = {
	    .flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC |
		     (settings->transport == CARRIER_TCP ? ARES_FLAG_USEVC : 0),
	    .timeout = NEVER_MS,
	    .tries = 1,
	    .ndots = 1,
	    .lookups = lookups,
	    .sock_state_cb = on_state,
	    .sock_state_cb_data = c,
	};
	const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			 ARES_OPT_NDOTS | ARES_OPT_LOOKUPS | ARES_OPT_SERVERS |
			 ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB |
			 ARES_OPT_NOROTATE;

	memset(c, 0, sizeof(*c));
	c->settings = *settings;
	c->tcp_fd = -1;
	(void)event_assign(
	    &c->tcp_event, settings->base, -1, 0, on_tcp, c); /* has a base */
	if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS)
		return -ENOMEM;
	ares_set_socket_functions(c->ares, &socket_functions, c);
	return 0;
}

void
carrier_done(struct carrier *c)
{
	ares_destroy(c->ares);
	c->ares = NULL;
}

static int
tell_server(struct carrier *c, const struct endpoint *server)
{
	struct ares_addr_port_node node = {
	    .family = server->addr.family,
	    .udp_port = server->port,
	    .tcp_port = server->port,
	};

	if (endpoint_equal(&c->told, server))
		return 0;
	memcpy(&node.addr, server->addr.bytes, addr_len(&server->addr));
	if (ares_set_servers_ports(c->ares, &node) != ARES_SUCCESS)
		return -ENOMEM;
	c->told = *server;
	return 0;
}

int
carrier_send(struct carrier *c, struct socket_shelf *shelf, const struct packet *packet)
{
	int r;

	r = tell_server(c, &shelf->server);
	if (r < 0)
		return r;
	c->shelf = shelf;
	c->replied = false;
	c->ended = false;
	c->error = 0;
	c->received = 0;
	c->frame_len = 0;
	ares_send(c->ares, packet->bytes, packet->len, on_end, c);
	return c->ended ? c->error : 0;
}

/* Should c-ares's idea of a question differ from ours, ours counts. */
void
carrier_replied(struct carrier *c, const uint8_t *msg, const struct packet *packet)
{
	c->ready = msg;
	c->ready_len = WIRE_HEADER_LEN + (size_t)packet->question_len;
	c->replied = true;
	memcpy(c->socket->last_id, msg, sizeof(c->socket->last_id));
	ares_process_fd(c->ares, c->socket->fd, ARES_SOCKET_BAD);
	c->ready = NULL;
	if (!c->ended)
		carrier_stop(c);
}

void
carrier_stop(struct carrier *c)
{
	ares_cancel(c->ares);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/query/moderation.h"
#include "daemon/query/pktinfo.h"
#include "daemon/query/query_repeat.h"

#define IN_SIZE                                                                          \
	(QUESTION_MESSAGE_MAX + 1) /* one more: so that a longer one is seen to be */
#define OUT_SIZE 1280              /* at least QUESTION_UDP_MAX */
#define STEP_MS 1000 /* of the time of day against the other clock: somebody set it */
#define FULL_FEW 4   /* full batches in a row: a burst, not yet a crowd */
#define ROUNDS_MAX 4 /* batches for one socket before the others get their turn */

struct udp_socket {
	struct udp *udp;
	int fd;
	bool
	    /* bound to the unspecified address: the kernel must be told where to reply
	     * from */
	    any;
	struct event *readable;
	struct event *rest; /* more is left in it: behind all else that is due */
	size_t full;        /* batches in a row */
	bool paused;        /* readable is not waited for: see moderation */
	struct query_list waiting;
};

struct out_slot {
	struct udp_socket *socket;
	struct sockaddr_storage peer;
	uint8_t control[PKTINFO_SIZE] __attribute__((aligned(8)));
	uint8_t bytes[OUT_SIZE];
};

struct udp {
	struct event_base *base;
	struct queries *queries;
	struct event *flush;
	size_t socket_count;
	struct udp_socket sockets[UDP_SOCKETS_MAX];
	struct udp_counts counts;
	int64_t offset_ms;  /* of the time of day, when it was last looked at */
	int64_t trusted_ms; /* from when on packets' times are */
	struct moderation moderation;
	size_t in_used; /* of the last batch: what the kernel wrote to */
	struct mmsghdr in_msgs[UDP_BATCH];
	struct iovec in_iovs[UDP_BATCH];
	struct sockaddr_storage in_peers[UDP_BATCH];
	uint8_t in_control[UDP_BATCH][PKTINFO_SIZE] __attribute__((aligned(8)));
	uint8_t in_bytes[UDP_BATCH][IN_SIZE];
	size_t out_len;
	struct mmsghdr out_msgs[UDP_BATCH];
	struct iovec out_iovs[UDP_BATCH];
	struct out_slot out[UDP_BATCH];
};

static void on_readable(int fd, short what, void *ctx);
static void on_flush(int fd, short what, void *ctx);
static void on_pause_over(void *ctx);
static void send_late(struct query *q, const uint8_t *reply, size_t len);

static const struct query_transport transport = {.stream = false, .send = send_late};

/* Where a packet is to be put; the kernel leaves in the lengths what it used. */
static void
open_slot(struct udp *u, size_t i)
{
	struct msghdr *msg = &u->in_msgs[i].msg_hdr;

	msg->msg_namelen = sizeof(u->in_peers[i]);
	msg->msg_controllen = sizeof(u->in_control[i]);
}

static void
open_slots(struct udp *u)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		u->in_iovs[i] = (struct iovec){
		    .iov_base = u->in_bytes[i], .iov_len = sizeof(u->in_bytes[i])};
		u->in_msgs[i].msg_hdr = (struct msghdr){
		    .msg_name = &u->in_peers[i],
		    .msg_iov = &u->in_iovs[i],
		    .msg_iovlen = 1,
		    .msg_control = u->in_control[i],
		};
		open_slot(u, i);
	}
}

int
udp_new(struct event_base *base, struct queries *queries, struct udp **ret_udp)
{
	struct udp *u = calloc(1, sizeof(*u));
	int r;

	if (u == NULL)
		return -ENOMEM;
	u->base = base;
	u->queries = queries;
	u->flush = event_new(base, -1, 0, on_flush, u);
	r = moderation_init(&u->moderation, base, on_pause_over, u);
	if (u->flush == NULL || r < 0) {
		udp_free(u);
		return r < 0 ? r : -ENOMEM;
	}
	open_slots(u);
	*ret_udp = u;
	return 0;
}

/* A reply fits the least MTU of IPv6, and a path below that is for routers to see to: no
 * error that came back could tell us more, or be believed. */
static int
ignore_path_mtu(int fd, sa_family_t family)
{
	const int four = IP_PMTUDISC_OMIT, six = IPV6_PMTUDISC_OMIT;
	int r = family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof(four))
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof(six));

	return r < 0 ? -errno : 0;
}

/* Is fd bound to the unspecified address? Then ask for the address of each packet. */
static int
prepare(struct udp_socket *s)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint local;
	const int on = 1;
	int only = 0;
	socklen_t only_len = sizeof(only);
	static const uint8_t zero[16];
	int r;

	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	if (endpoint_from_sockaddr((struct sockaddr *)&ss, &local) < 0)
		return -EAFNOSUPPORT;
	r = ignore_path_mtu(s->fd, ss.ss_family);
	if (r < 0)
		return r;
	s->any = memcmp(local.addr.bytes, zero, sizeof(zero)) == 0;
	if (!s->any)
		return 0;
	if (ss.ss_family == AF_INET6 &&
	    (getsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &only_len) < 0 || !only))
		/* it would hand us IPv4 peers that it cannot answer */
		return -EAFNOSUPPORT;
	if (ss.ss_family == AF_INET)
		return setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0
			   ? -errno
			   : 0;
	return setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0
		   ? -errno
		   : 0;
}

int
udp_add(struct udp *u, int fd)
{
	struct udp_socket *s = &u->sockets[u->socket_count];
	int r;

	if (u->socket_count == UDP_SOCKETS_MAX)
		return -ENOSPC;
	s->udp = u;
	s->fd = fd;
	TAILQ_INIT(&s->waiting);
	r = prepare(s);
	if (r < 0)
		return r;
	s->readable =
	    event_new(u->base, fd, EV_READ | EV_PERSIST | EV_ET, on_readable, s);
	s->rest = event_new(u->base, -1, 0, on_readable, s);
	if (s->readable == NULL || s->rest == NULL || event_add(s->readable, NULL) < 0) {
		if (s->readable != NULL)
			event_free(s->readable);
		if (s->rest != NULL)
			event_free(s->rest);
		return -ENOMEM;
	}
	u->socket_count++;
	return 0;
}

void
udp_stop(struct udp *u)
{
	moderation_done(&u->moderation);
	for (size_t i = 0; i < u->socket_count; i++) {
		/* neither can fail */
		(void)event_del(u->sockets[i].readable);
		(void)event_del(u->sockets[i].rest);
	}
}

void
udp_free(struct udp *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->socket_count; i++) {
		struct udp_socket *s = &u->sockets[i];
		struct query *q;

		while ((q = TAILQ_FIRST(&s->waiting)) != NULL) {
			TAILQ_REMOVE(&s->waiting, q, link);
			query_cancel(q);
		}
		event_free(s->readable);
		event_free(s->rest);
		(void)close(s->fd); /* nothing is buffered in it */
	}
	moderation_done(&u->moderation);
	if (u->flush != NULL)
		event_free(u->flush);
	free(u);
}

/* Send what has gathered for one socket from slot at on; how many slots that were. */
static size_t
send_run(struct udp *u, size_t at)
{
	struct udp_socket *s = u->out[at].socket;
	size_t end = at;
	int sent;

	while (end < u->out_len && u->out[end].socket == s)
		end++;
	do {
		sent =
		    sendmmsg(s->fd, u->out_msgs + at, (unsigned)(end - at), MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent > 0) {
		u->counts.sent += (uint64_t)sent;
		return (size_t)sent;
	}
	/* the first one cannot be sent: leave it out and go on */
	u->counts.unsent++;
	return 1;
}

void
udp_flush(struct udp *u)
{
	size_t at = 0;

	while (at < u->out_len)
		at += send_run(u, at);
	u->out_len = 0;
}

static void
on_flush(int fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	udp_flush(ctx);
}

/* The free slot at the end: its bytes may be written to before add_reply. */
static struct out_slot *
free_slot(struct udp *u)
{
	if (u->out_len == UDP_BATCH)
		udp_flush(u);
	return &u->out[u->out_len];
}

/* The slot that free_slot gave holds a reply of len bytes to this peer. */
static void
add_reply(struct udp_socket *s, const struct endpoint *peer, const struct addr *local,
    size_t len)
{
	struct udp *u = s->udp;
	size_t i = u->out_len++;
	struct out_slot *slot = &u->out[i];
	struct msghdr *msg = &u->out_msgs[i].msg_hdr;

	slot->socket = s;
	u->out_iovs[i] = (struct iovec){.iov_base = slot->bytes, .iov_len = len};
	*msg = (struct msghdr){
	    .msg_name = &slot->peer,
	    .msg_namelen = endpoint_to_sockaddr(peer, &slot->peer),
	    .msg_iov = &u->out_iovs[i],
	    .msg_iovlen = 1,
	};
	if (s->any && local->family != 0)
		pktinfo_write(msg, slot->control, local);
}

static void
send_late(struct query *q, const uint8_t *reply, size_t len)
{
	struct udp_socket *s = q->channel;
	struct udp *u = s->udp;
	struct out_slot *slot;

	TAILQ_REMOVE(&s->waiting, q, link);
	if (len == 0 || len > OUT_SIZE)
		return;
	slot = free_slot(u);
	memcpy(slot->bytes, reply, len);
	add_reply(s, &q->source, &q->local, len);
	if (u->out_len == 1)
		event_active(
		    u->flush, 0, 0); /* behind what is active in this turn already */
}

/* Was there a reply to it at once? */
static bool
take_packet(struct udp_socket *s, size_t i, int64_t now_ms)
{
	struct udp *u = s->udp;
	struct endpoint peer = {0};
	struct addr local = {0};
	struct out_slot *slot;
	const struct repeat_query again = {
	    .source = &peer.addr, .msg = u->in_bytes[i], .len = u->in_msgs[i].msg_len};
	struct query *q;
	bool waiting;
	size_t len;

	u->counts.received++;
	if (endpoint_from_sockaddr((struct sockaddr *)&u->in_peers[i], &peer) < 0)
		peer = (struct endpoint){0}; /* which is no pod's */
	if (!queries_admit(u->queries, &peer.addr, now_ms))
		return false;
	if (s->any)
		local = pktinfo_read(&u->in_msgs[i].msg_hdr);
	slot = free_slot(u);
	len = query_repeat(u->queries, &again, now_ms, slot->bytes);
	if (len > 0) {
		add_reply(s, &peer, &local, len);
		return true;
	}
	q = query_new(u->queries, &peer, now_ms);
	if (q == NULL)
		return false;
	q->transport = &transport;
	q->channel = s;
	q->local = local;
	len = query_start(q, u->in_bytes[i], u->in_msgs[i].msg_len, now_ms, slot->bytes,
	    sizeof(slot->bytes), &waiting);
	if (waiting)
		TAILQ_INSERT_TAIL(&s->waiting, q, link);
	else if (len > 0)
		add_reply(s, &peer, &local, len);
	return !waiting && len > 0;
}

static int
receive(struct udp_socket *s)
{
	struct udp *u = s->udp;
	int n;

	while (u->in_used > 0)
		open_slot(u, --u->in_used);
	n = recvmmsg(s->fd, u->in_msgs, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (n > 0)
		u->in_used = (size_t)n;
	return n;
}

static int64_t
ms_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

/* The kernel notes the time of day. When that was set, it says nothing of what waits
 * already. */
static bool
is_set_lately(struct udp *u, int64_t time_ms, int64_t now_ms)
{
	int64_t offset_ms = time_ms - now_ms;
	int64_t step_ms = offset_ms - u->offset_ms;

	u->offset_ms = offset_ms;
	if (step_ms > STEP_MS || step_ms < -STEP_MS)
		u->trusted_ms = now_ms + UDP_STALE_MS;
	return now_ms < u->trusted_ms;
}

/* Has the packet that was read last waited too long? See daemon/query/udp.h. */
static bool
is_stale(const struct udp_socket *s, int64_t now_ms)
{
	struct timespec sent, now;

	if (ioctl(s->fd, SIOCGSTAMPNS, &sent) < 0) /* it was not measured */
		return false;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	return !is_set_lately(s->udp, ms_of(&now), now_ms) &&
	       ms_of(&now) - ms_of(&sent) > UDP_STALE_MS;
}

/* An event that is made active here and now would come before the loop looks at anything
 * else, for as long as the socket is full. */
static void
read_later(struct udp_socket *s)
{
	static const struct timeval now = {0};

	if (event_add(s->rest, &now) < 0) /* out of memory */
		event_active(s->rest, EV_TIMEOUT, 0);
}

/* Wait for the socket to be readable, or for the end of the pause. */
static void
wait_for(struct udp_socket *s, bool pause)
{
	struct udp *u = s->udp;

	if (pause && !s->paused)
		s->paused = event_del(s->readable) == 0;
	else if (!pause && s->paused) /* out of memory: once more, after a pause */
		s->paused = event_add(s->readable, NULL) < 0;
	if (!s->paused)
		return;
	u->counts.pauses += pause;
	moderation_pause(&u->moderation);
}

static void
serve(struct udp_socket *s)
{
	struct udp *u = s->udp;
	bool drained = false, pause;
	size_t replies = 0;
	int64_t now_ms = 0;

	for (int round = 0; round < ROUNDS_MAX && !drained; round++) {
		int n;

		now_ms = u->queries->now_ms();
		n = receive(s);
		s->full = n == UDP_BATCH ? s->full + 1 : 0;
		/* less than there was room for: the next one that comes wakes us */
		drained = n < 0 ? errno == EAGAIN : n < UDP_BATCH;
		if (s->full > FULL_FEW && is_stale(s, now_ms)) {
			u->counts.stale += UDP_BATCH;
			continue;
		}
		for (int i = 0; i < n; i++)
			replies += take_packet(s, (size_t)i, now_ms);
	}
	udp_flush(u);
	pause = moderation_due(&u->moderation, replies, now_ms);
	if (drained)
		wait_for(s, pause);
	else
		read_later(s);
}

static void
on_readable(int fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	serve(ctx);
}

static void
on_pause_over(void *ctx)
{
	struct udp *u = ctx;

	for (size_t i = 0; i < u->socket_count; i++)
		if (u->sockets[i].paused)
			serve(&u->sockets[i]);
}

struct udp_counts
udp_counts(const struct udp *u)
{
	return u->counts;
}

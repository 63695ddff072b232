/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/enforcer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/enforcer/owner.h"
#include "daemon/enforcer/pair.h"
#include "daemon/enforcer/privilege.h"
#include "daemon/enforcer/round.h"

/* The child's end of the pair. */
#define PAIR_FD 3

struct enforcer {
	int fd;
	struct owner *owner;
	struct pair_inbox inbox;
	struct enforcer_message in[ROUND_MAX];
	struct enforcer_message out[PAIR_SEND_MAX];
	size_t out_count;
};

/* The bytes of one record and the most records of a message; false: no such kind. */
static bool
record_of(uint16_t kind, size_t *ret_size, size_t *ret_max)
{
	static const struct {
		size_t size, max;
	} records[] = {
	    [ENFORCER_LEASES] = {sizeof(struct enforcer_lease), ENFORCER_LEASES_MAX},
	    [ENFORCER_REVOKE] = {sizeof(struct enforcer_lease), ENFORCER_LEASES_MAX},
	    [ENFORCER_TABLE] = {sizeof(struct enforcer_table), 1},
	    [ENFORCER_INTERFACES] = {IFNAMSIZ, ENFORCER_LIST_MAX},
	    [ENFORCER_PODS] = {sizeof(struct prefix), ENFORCER_LIST_MAX},
	    [ENFORCER_INTERNAL] = {sizeof(struct prefix), ENFORCER_LIST_MAX},
	    [ENFORCER_LISTEN] = {sizeof(struct endpoint), ENFORCER_LIST_MAX},
	    [ENFORCER_FIXED] = {sizeof(struct enforcer_fixed), ENFORCER_LIST_MAX},
	    [ENFORCER_OPEN] = {sizeof(struct addr), ENFORCER_LIST_MAX},
	    [ENFORCER_CUT] = {sizeof(struct enforcer_cut), ENFORCER_LIST_MAX},
	    [ENFORCER_END] = {0, 0},
	    [ENFORCER_DUMP] = {0, 0},
	    [ENFORCER_RESULT] = {0, 0},
	    [ENFORCER_LOST] = {0, 0},
	    [ENFORCER_REFUSED] = {sizeof(struct enforcer_refused), ENFORCER_LIST_MAX},
	    [ENFORCER_FLOWS] = {0, 0},
	    [ENFORCER_WAYS] = {sizeof(struct enforcer_way), ENFORCER_LIST_MAX},
	    [ENFORCER_LIVE] = {sizeof(struct enforcer_live), ENFORCER_LIST_MAX},
	    [ENFORCER_LEAD] = {sizeof(struct enforcer_way), ENFORCER_LIST_MAX},
	};

	if (kind < ENFORCER_LEASES || kind >= ARRAY_LEN(records))
		return false;
	*ret_size = records[kind].size;
	*ret_max = records[kind].max;
	return true;
}

size_t
enforcer_size(const struct enforcer_message *m)
{
	size_t size, max;

	if (!record_of(m->kind, &size, &max) || m->count > max ||
	    (m->kind == ENFORCER_TABLE && m->count != 1))
		return 0;
	return offsetof(struct enforcer_message, body) + m->count * size;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The loop has ended, or broke the contract: the table stays. */
static _Noreturn void
leave(void)
{
	_exit(0);
}

/* Everything that waits, in as few calls as it takes. Blocks while the loop is behind. */
static void
send_waiting(struct enforcer *e)
{
	struct iovec messages[PAIR_SEND_MAX];
	size_t sent = 0;
	int n;

	for (size_t i = 0; i < e->out_count; i++)
		messages[i] = (struct iovec){
		    .iov_base = &e->out[i], .iov_len = enforcer_size(&e->out[i])};
	while (sent < e->out_count) {
		n = pair_send(e->fd, messages + sent, e->out_count - sent, 0);
		if (n < 0)
			leave();
		sent += (size_t)n;
	}
	e->out_count = 0;
}

static void
say(void *ctx, const struct enforcer_message *m)
{
	struct enforcer *e = ctx;

	memcpy(&e->out[e->out_count++], m, enforcer_size(m));
	if (e->out_count == ARRAY_LEN(e->out))
		send_waiting(e);
}

/* What waits, in rounds: packets until one is full, and the last of them whole. */
static void
take_messages(struct enforcer *e)
{
	size_t used = 0;
	bool full = false;
	int flags = 0, r = 0;

	while (!full || pair_left(&e->inbox)) {
		r = pair_take(&e->inbox, e->fd, flags, &e->in[used]);
		if (r > 0 && e->in[used].kind != ENFORCER_LEASES) {
			/* it may take long: somebody waits for the leases before it */
			owner_flush(e->owner);
			send_waiting(e);
		}
		if (r > 0)
			r = owner_take(e->owner, &e->in[used]) < 0 ? -EPROTO : 1;
		if (r <= 0)
			break;
		flags = MSG_DONTWAIT;
		if (++used == ARRAY_LEN(e->in)) {
			owner_flush(e->owner);
			used = 0;
			full = true;
		}
	}
	owner_flush(e->owner);
	if (r < 0) {
		send_waiting(e);
		leave();
	}
}

/*
 * Without anything to watch, reading alone waits, which saves a call each round. What the
 * kernel refused, and flows that are to be cut, come last and a few at a time: results
 * are on their way before, and a request that comes meanwhile waits for no more than
 * these. Living flows are looked for by a process of its own.
 */
static _Noreturn void
run(struct enforcer *e)
{
	for (;;) {
		struct pollfd fds[] = {
		    {.fd = e->fd, .events = POLLIN},
		    {.fd = owner_watch_fd(e->owner), .events = POLLIN},
		    {.fd = owner_refused_fd(e->owner), .events = POLLIN},
		    {.fd = owner_cut_fd(e->owner), .events = POLLIN},
		    {.fd = owner_live_fd(e->owner), .events = POLLIN},
		};
		int wait_ms = owner_refused_wait_ms(e->owner);
		bool readable = true;

		if (fds[1].fd >= 0 || fds[2].fd >= 0 || fds[3].fd >= 0 ||
		    fds[4].fd >= 0 || wait_ms >= 0) {
			if (poll(fds, ARRAY_LEN(fds), wait_ms) < 0)
				continue;
			if (fds[1].revents != 0)
				owner_watch(e->owner);
			readable = fds[0].revents != 0;
		}
		if (readable)
			take_messages(e);
		send_waiting(e);
		owner_refused(e->owner, fds[2].revents != 0);
		if (fds[3].revents != 0)
			owner_cut(e->owner);
		if (fds[4].revents != 0)
			owner_live(e->owner);
		send_waiting(e);
	}
}

/* Signals to the group are the loop's: we end with the pair, after what is under way. */
static int
ignore_signals(void)
{
	static const int signals[] = {
	    SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (sigaction(signals[i], &ignore, NULL) != 0)
			return -errno;
	return 0;
}

/* Keep the pair and standard error. */
static int
close_others(int fd)
{
	if (fd != PAIR_FD && dup2(fd, PAIR_FD) < 0)
		return -errno;
	if (close_range(PAIR_FD + 1, ~0u, 0) != 0 || close_range(0, 1, 0) != 0)
		return -errno;
	return 0;
}

static int
set_up(struct enforcer *e, int fd, pid_t parent)
{
	int r = close_others(fd);

	if (r == 0)
		r = ignore_signals();
	if (r == 0)
		r = owner_new(say, e, now_ms, &e->owner);
	if (r == 0)
		r = privilege_keep(CAP_NET_ADMIN);
	/* for the loop's end before this line; after it the pair and the kernel tell */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		r = -errno;
	if (r == 0 && getppid() != parent)
		r = -ESRCH;
	/* a name for ps; 15 bytes */
	(void)prctl(PR_SET_NAME, "egressd-enforce", 0, 0, 0);
	return r;
}

static _Noreturn void
child(int fd, pid_t parent)
{
	struct enforcer *e = calloc(1, sizeof(*e));
	struct enforcer_message ready = {.kind = ENFORCER_RESULT, .result = -ENOMEM};

	if (e != NULL) {
		e->fd = PAIR_FD;
		ready.result = set_up(e, fd, parent);
	}
	(void)send(
	    PAIR_FD, &ready, enforcer_size(&ready), MSG_NOSIGNAL); /* or it is gone */
	if (ready.result < 0)
		_exit(1);
	run(e);
}

/* The child's first word: whether it could set itself up. */
static int
wait_ready(int fd)
{
	struct enforcer_message m;
	ssize_t len;

	do
		len = recv(fd, &m, sizeof(m), 0);
	while (len < 0 && errno == EINTR);
	if (len < (ssize_t)offsetof(struct enforcer_message, body) ||
	    m.kind != ENFORCER_RESULT)
		return -EIO;
	return m.result;
}

int
enforcer_start(int *ret_fd, int *ret_pid)
{
	const pid_t parent = getpid();
	int fds[2];
	pid_t pid;
	int r = pair_new(fds);

	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		child(fds[1], parent);
	r = pid < 0 ? -errno : 0;
	(void)close(fds[1]); /* nothing was written to it */
	if (r == 0)
		r = wait_ready(fds[0]);
	if (r == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		r = -errno;
	if (r < 0) {
		(void)close(fds[0]); /* ends the child, if there is one */
		if (pid > 0)
			(void)waitpid(pid, NULL, 0); /* its result has been read */
		return r;
	}
	*ret_fd = fds[0];
	*ret_pid = (int)pid;
	return 0;
}
